package solvers

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// everySpec is every kind of solver, alone and augmented, with a learn rate that
// stays and one that falls.
func everySpec() []string {
	var specs []string
	for _, name := range names() {
		for _, outer := range []string{"", augment} {
			specs = append(specs, outer+name, outer+name+":decay=cosine:clip=1")
		}
	}
	return specs
}

// learner trains a small network.
type learner struct {
	network *mnist.MLP
	solver  gorgonia.Solver
	stream  *mnist.Stream
}

const stepsToLearn = 12

func newLearner(t testing.TB, spec string, from int) *learner {
	t.Helper()
	specs, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	network, err := mnist.NewMLP([]int{9}, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	schedule, _ := mnist.Jumps([]float64{0}, stepsToLearn)
	stream, err := mnist.NewStream(mnist.Synthetic(50, 1), schedule, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	stream.SkipTo(from)
	return &learner{network, specs[0].New(), stream}
}

func (l *learner) learn(t testing.TB, steps int) {
	t.Helper()
	for range steps {
		b := l.stream.Next()
		if p, ok := l.solver.(interface{ Pace(step, steps int) error }); ok {
			if err := p.Pace(b.Step, stepsToLearn); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.network.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		if err := l.solver.Step(l.network.Model()); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *learner) save(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := solver.Write(&b, l.network.Model(), Keepable(l.solver)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEverySolverGoesOnFromWhatWasSavedToTheBit(t *testing.T) {
	for _, spec := range everySpec() {
		t.Run(spec, func(t *testing.T) {
			whole := newLearner(t, spec, 0)
			whole.learn(t, stepsToLearn)
			for _, at := range []int{0, 1, 5} {
				first := newLearner(t, spec, 0)
				first.learn(t, at)
				saved := first.save(t)
				second := newLearner(t, spec, at)
				if err := solver.Read(bytes.NewReader(saved), second.network.Model(), Keepable(second.solver)); err != nil {
					t.Fatal(err)
				}
				if again := second.save(t); !bytes.Equal(again, saved) {
					t.Errorf("after %d steps: what is loaded is not what was saved", at)
				}
				second.learn(t, stepsToLearn-at)
				if !bytes.Equal(second.save(t), whole.save(t)) {
					t.Errorf("after %d steps and %d more: it differs from a run that never stopped", at, stepsToLearn-at)
				}
			}
		})
	}
}

// state is what one of Gorgonia's Adams keeps of two parameters.
func state(t testing.TB) ([]byte, []gorgonia.ValueGrad) {
	t.Helper()
	l := newLearner(t, "adam", 0)
	l.learn(t, 2)
	b, err := l.solver.(*gorgonias).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b, l.network.Model()
}

func TestAStateThatIsCutShortOrForeignIsRefusedAndChangesNothing(t *testing.T) {
	b, _ := state(t)
	g := &gorgonias{Solver: gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.5))}
	before, _ := g.MarshalBinary()
	refuse := func(what string, b []byte) {
		t.Helper()
		if err := g.UnmarshalBinary(b); err == nil {
			t.Errorf("%s is read", what)
		}
		if after, _ := g.MarshalBinary(); !bytes.Equal(before, after) {
			t.Fatalf("%s has changed the solver", what)
		}
	}
	for range 500 {
		n := rand.IntN(len(b))
		refuse("what is cut short", b[:n])
	}
	refuse("what goes on", append(slices.Clone(b), 0))
	n := binary.LittleEndian.Uint64(b)
	altered := func(old, new string) []byte {
		text := strings.Replace(string(b[8:8+n]), old, new, 1)
		if text == string(b[8:8+n]) {
			t.Fatalf("there is no %s in %s", old, text)
		}
		return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), []byte(text), b[8+n:])
	}
	for _, c := range [][2]string{
		{"AdamSolver", "Momentum"}, {`"eta":`, `"was":`}, {`"useClip":false`, `"useClip":1`}, {`"iter":`, `"iter":0.`},
		{`"shape":[784,9]`, `"shape":[784,-9]`}, {`"shape":[784,9]`, `"shape":[]`}, {`"shape":[784,9]`, `"shape":[1e9]`},
		{`"shape":[784,9]`, `"shape":[1000000000,1000000000,1000000000]`}, {`"shape":[784,9]}`, `"shape":[784,9],"double":true}`},
		{`{"shape":[784,9]}`, `null`},
	} {
		refuse(c[0]+" as "+c[1], altered(c[0], c[1]))
	}
}

func TestAStateOfAnotherModelIsRefusedByTheFirstStep(t *testing.T) {
	b, model := state(t)
	g := &gorgonias{Solver: gorgonia.NewAdamSolver()}
	if err := g.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if err := g.Step(model[:3]); err == nil || !strings.Contains(err.Error(), "4 parameters, and there are 3") {
		t.Errorf("another number: %v", err)
	}
	if err := g.Step([]gorgonia.ValueGrad{model[2], model[1], model[0], model[3]}); err == nil || !strings.Contains(err.Error(), "parameter 1 is float32 of shape (784, 9), and it is float32 of shape (9, 10)") {
		t.Errorf("another shape: %v", err)
	}
	if err := g.Step(model); err != nil {
		t.Error(err)
	}
}

func TestNumbersThatAreNotRowMajorAreNotSavedInAnotherOrder(t *testing.T) {
	d := tensor.New(tensor.WithShape(2, 3), tensor.AsFortran([]float32{1, 2, 3, 4, 5, 6}))
	g := &gorgonias{Solver: gorgonia.NewAdamSolver()}
	if err := g.Step([]gorgonia.ValueGrad{&fixed{d, d.Clone().(*tensor.Dense)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.MarshalBinary(); err == nil || !strings.Contains(err.Error(), "shape (2, 3) that is not row-major") {
		t.Errorf("error %v", err)
	}
}

func TestTheTypeInAStateCannotMakeAnErrorLong(t *testing.T) {
	text := `{"type":"` + strings.Repeat(`x\n`, 500) + `"}`
	b := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), []byte(text))
	err := (&gorgonias{Solver: gorgonia.NewAdamSolver()}).UnmarshalBinary(b)
	if err == nil || len(err.Error()) > 200 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}

// unknown keeps what Gorgonia's solvers do not keep, yet.
type unknown struct {
	Eta   float64
	Names map[string]int
}

func (*unknown) Step([]gorgonia.ValueGrad) error { return nil }

func TestAFieldThatIsNotKnownIsAnError(t *testing.T) {
	if _, err := (&gorgonias{Solver: new(unknown)}).MarshalBinary(); err == nil || !strings.Contains(err.Error(), "its field Names is a map[string]int") {
		t.Errorf("%v", err)
	}
}

func FuzzState(f *testing.F) {
	g := &gorgonias{Solver: gorgonia.NewMomentum()}
	d := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2}))
	if err := g.Step([]gorgonia.ValueGrad{&fixed{d, d.Clone().(*tensor.Dense)}}); err != nil {
		f.Fatal(err)
	}
	b, err := g.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	f.Add(string(b[8:8+n]), b[8+n:])
	f.Fuzz(func(t *testing.T, text string, numbers []byte) {
		b := slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), []byte(text), numbers)
		g := &gorgonias{Solver: gorgonia.NewMomentum()}
		if g.UnmarshalBinary(b) != nil {
			return
		}
		again, err := g.MarshalBinary()
		if err != nil || len(again) > 8+len(numbers)+10*len(text)+1000 {
			t.Errorf("%v, %d bytes of %d", err, len(again), len(b))
		}
		g.Step([]gorgonia.ValueGrad{&fixed{d, d}})
	})
}

// fixed is a parameter and its gradient.
type fixed struct{ value, gradient *tensor.Dense }

func (f *fixed) Value() gorgonia.Value         { return f.value }
func (f *fixed) Grad() (gorgonia.Value, error) { return f.gradient, nil }
