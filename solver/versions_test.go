package solver

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"gorgonia.org/gorgonia"
)

// laterState is the state of a Funnel of a later version: it also has a tensor of
// surprises, which files from before lack. A field of the record announces it; likeness,
// which a Funnel does not have, stands for that.
type laterState struct {
	*funnelState[float32]
	surprise []float32 // nil of a file from before, until the next step
}

func newLaterState(value gorgonia.Value) state {
	return &laterState{funnelState: newFunnelStateOf[float32](value)}
}

func (s *laterState) finish() bool {
	if s.surprise == nil {
		s.surprise = make([]float32, len(s.p))
	}
	for i := range s.surprise {
		s.surprise[i]++
	}
	return s.funnelState.finish()
}

func (s *laterState) tensors(h *hyperparameters) []*checkpoint.Tensor {
	all := s.funnelState.tensors(h)
	if s.surprise == nil {
		return all
	}
	return append(all, &checkpoint.Tensor{Role: "surprise", Data: checkpoint.Floats[float32](s.surprise), Least: 0})
}

func (s *laterState) save() checkpoint.Parameter {
	r := s.funnelState.save()
	if s.surprise != nil {
		r.Likeness = 1
	}
	return r
}

func (s *laterState) restore(r checkpoint.Parameter) error {
	if r.Likeness > 0 {
		s.surprise = make([]float32, len(s.p))
	}
	return s.funnelState.restore(r)
}

// later makes this the version after, whose Funnels have another hyperparameter,
// and returns one of its Funnels. 0.5 means "as it was before it existed".
func later(t *testing.T, patience float64) *Funnel {
	t.Helper()
	setting := setting{
		option: "WithPatience", saved: []string{"patience"}, domain: belowOne, takers: []kind{funnel},
		value: []any{0.9}, before: []any{0.5}, at: func(*hyperparameters) []any { return []any{&patience} },
	}
	settings = append(settings, setting)
	t.Cleanup(func() { settings = settings[:len(settings)-1] })
	f := NewFunnel()
	f.adaptive.create = newLaterState
	return f
}

func twoSteps(t *testing.T, s gorgonia.Solver) *fixed[float32] {
	t.Helper()
	p := newFixed[float32](5)
	for range 2 {
		for i := range p.gradient {
			p.gradient[i] = float32(i) - 1.5
		}
		if err := s.Step([]gorgonia.ValueGrad{p}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestAFileOfBeforeAHyperparameterAndATensorExistedIsRead(t *testing.T) {
	var file bytes.Buffer
	before := NewFunnel()
	p := twoSteps(t, before)
	if err := Write(&file, []gorgonia.ValueGrad{p}, before); err != nil {
		t.Fatal(err)
	}
	f := later(t, 0.9)
	if err := Read(bytes.NewReader(file.Bytes()), []gorgonia.ValueGrad{p}, f); err != nil {
		t.Fatal(err)
	}
	last := &settings[len(settings)-1]
	if got := last.valuesOf(&f.adaptive.hyperparameters)[0]; got != 0.5 {
		t.Errorf("the hyperparameter is %v, want what means as it was before: 0.5", got)
	}
	if s := f.adaptive.parameters.All()[0].(*laterState); s.surprise != nil || s.steps != 2 {
		t.Errorf("the tensor is %v after %d steps", s.surprise, s.steps)
	}

	// What does not use the new option is written as the version before wrote it.
	var again bytes.Buffer
	if err := Write(&again, []gorgonia.ValueGrad{p}, f); err != nil || !bytes.Equal(again.Bytes(), file.Bytes()) {
		t.Errorf("error %v, file %q", err, again.String())
	}

	// Once there is a tensor, it is saved and read.
	for i := range p.gradient {
		p.gradient[i] = 1
	}
	again.Reset()
	if err := errors.Join(f.Step([]gorgonia.ValueGrad{p}), Write(&again, []gorgonia.ValueGrad{p}, f), Read(&again, []gorgonia.ValueGrad{p}, f)); err != nil {
		t.Fatal(err)
	}
	if s := f.adaptive.parameters.All()[0].(*laterState); len(s.surprise) != 5 || s.surprise[0] != 1 {
		t.Errorf("the tensor of a file that has it is %v", s.surprise)
	}
}

func TestAFileOfALaterVersionIsRefusedAsThat(t *testing.T) {
	for name, patience := range map[string]float64{"a hyperparameter and a tensor": 0.9, "a tensor": 0.5} {
		var file bytes.Buffer
		var p *fixed[float32]
		t.Run(name, func(t *testing.T) { // in a subtest, so that this is that version again afterwards
			f := later(t, patience)
			p = twoSteps(t, f)
			if err := Write(&file, []gorgonia.ValueGrad{p}, f); err != nil {
				t.Fatal(err)
			}
		})
		f := NewFunnel()
		err := Read(bytes.NewReader(file.Bytes()), []gorgonia.ValueGrad{p}, f)
		if !errors.Is(err, ErrVersion) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrDifferent) || !strings.Contains(err.Error(), "later version") {
			t.Errorf("%s: error %v, want ErrVersion", name, err)
		}
		if len(f.Adaptations()) > 0 {
			t.Errorf("%s: it changed the solver", name)
		}
	}
}

func TestDamageForeignFilesAnotherModelAndAnotherVersionAreFourErrors(t *testing.T) {
	f := NewFunnel()
	p := twoSteps(t, f)
	model := []gorgonia.ValueGrad{p}
	file := filepath.Join(t.TempDir(), "run.safetensors")
	if err := Save(file, model, f); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(sound)
	damaged[len(damaged)-1] ^= 1
	other := []gorgonia.ValueGrad{newFixed[float32](7)}
	all := []error{ErrCorrupt, ErrForeign, ErrDifferent, ErrVersion}
	for _, c := range []struct {
		name  string
		file  []byte
		model []gorgonia.ValueGrad
		want  error
	}{
		{"damaged", damaged, model, ErrCorrupt},
		{"cut", sound[:len(sound)/2], model, ErrCorrupt},
		{"a picture", append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 500)...), model, ErrForeign},
		{"another model's", sound, other, ErrDifferent},
	} {
		err := Read(bytes.NewReader(c.file), c.model, f)
		for _, e := range all {
			if errors.Is(err, e) != (e == c.want) {
				t.Errorf("%s: error %v, want %v alone", c.name, err, c.want)
			}
		}
	}
}
