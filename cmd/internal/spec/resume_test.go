package spec

import (
	"bytes"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// everySpec is every kind of solver, alone and augmented, with a learning rate that
// stays and one that falls.
func everySpec() []string {
	var specs []string
	for _, name := range Names() {
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
	stream, err := mnist.NewStream(mnist.Synthetic(50, 1), schedule, 10, 1, mnist.From(from))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	return &learner{network, specs[0].New(), stream}
}

func (l *learner) learn(t testing.TB, steps int) {
	t.Helper()
	for range steps {
		b := l.stream.Next()
		if err := Pace(l.solver, b.Step, stepsToLearn); err != nil {
			t.Fatal(err)
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
	if err := solver.Write(&b, l.network.Model(), Undecayed(l.solver)); err != nil {
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
				if err := solver.Read(bytes.NewReader(saved), second.network.Model(), Undecayed(second.solver)); err != nil {
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
