package gorgoniastate

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// adam returns the state of one of Gorgonia's Adams after two steps of a model of four
// parameters, which it returns too.
func adam(t testing.TB) ([]byte, []gorgonia.ValueGrad) {
	t.Helper()
	var model []gorgonia.ValueGrad
	for _, shape := range []tensor.Shape{{784, 9}, {1, 9}, {9, 10}, {1, 10}} {
		p := &fixed{tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32)), tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))}
		model = append(model, p)
	}
	g := New(gorgonia.NewAdamSolver())
	for range 2 {
		for _, vg := range model {
			gradient := vg.(*fixed).gradient.Float32s()
			for i := range gradient {
				gradient[i] = rand.Float32()
			}
		}
		if err := g.Step(model); err != nil {
			t.Fatal(err)
		}
	}
	b, err := g.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b, model
}

func TestAStateThatIsCutShortOrForeignIsRefusedAndChangesNothing(t *testing.T) {
	b, _ := adam(t)
	g := New(gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.5)))
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
	b, model := adam(t)
	g := New(gorgonia.NewAdamSolver())
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
	g := New(gorgonia.NewAdamSolver())
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
	err := New(gorgonia.NewAdamSolver()).UnmarshalBinary(b)
	if err == nil || len(err.Error()) > 200 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}

// unknown is a solver that is not listed.
type unknown struct{ Eta float64 }

func (*unknown) Step([]gorgonia.ValueGrad) error { return nil }

func TestASolverThatIsNotListedIsAnError(t *testing.T) {
	if _, err := New(new(unknown)).MarshalBinary(); err == nil || !strings.Contains(err.Error(), "the state of a gorgoniastate.unknown cannot be saved") {
		t.Errorf("%v", err)
	}
}

func TestTheFieldsOfEverySolverAreThoseOfThisRelease(t *testing.T) {
	for kind := range fields {
		if err := checkFields(kind); err != nil {
			t.Error(err)
		}
	}
	adam := reflect.TypeFor[gorgonia.AdamSolver]()
	defer func(was string) { fields[adam] = was }(fields[adam])
	fields[adam] += ", extra int"
	if _, err := New(gorgonia.NewAdamSolver()).MarshalBinary(); err == nil || !strings.Contains(err.Error(), "extra int") || !strings.Contains(err.Error(), version) {
		t.Errorf("with other fields: %v", err)
	}
}

func FuzzState(f *testing.F) {
	g := New(gorgonia.NewMomentum())
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
		g := New(gorgonia.NewMomentum())
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
