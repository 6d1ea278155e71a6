package solver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// heavyBall is a solver that is not ours, and knows parameters by name.
type heavyBall struct {
	Steps    int
	Velocity map[string][]float64
	broken   error // of MarshalBinary
}

func newHeavyBall() *heavyBall { return &heavyBall{Velocity: map[string][]float64{}} }

func (h *heavyBall) Step(model []gorgonia.ValueGrad) error {
	h.Steps++
	for _, vg := range model {
		g, err := vg.Grad()
		if err != nil {
			return err
		}
		name := vg.(gorgonia.Namer).Name()
		x, dx := floats(vg.Value()), floats(g)
		if h.Velocity[name] == nil {
			h.Velocity[name] = make([]float64, len(dx))
		}
		for i, v := range h.Velocity[name] {
			h.Velocity[name][i] = 0.9*v + dx[i]
			x[place(vg.Value(), i)] -= 1e-3 / math.Sqrt(float64(h.Steps)) * h.Velocity[name][i]
		}
		set(vg.Value(), x)
	}
	return nil
}

// place is where the i-th element of v, in row-major order, is in memory.
func place(v gorgonia.Value, i int) (at int) {
	d, ok := v.(*tensor.Dense)
	if !ok || d.IsScalar() {
		return 0
	}
	for k := len(d.Shape()) - 1; k >= 0; k-- {
		at += i % d.Shape()[k] * d.Strides()[min(k, len(d.Strides())-1)]
		i /= d.Shape()[k]
	}
	return at
}

func (h *heavyBall) Apply(...gorgonia.SolverOpt) error { return nil }

func (h *heavyBall) MarshalBinary() ([]byte, error) {
	if h.broken != nil {
		return nil, h.broken
	}
	return json.Marshal(h)
}

func (h *heavyBall) UnmarshalBinary(b []byte) error {
	next := newHeavyBall()
	if err := json.Unmarshal(b, next); err != nil {
		return fmt.Errorf("%w: %w", solver.ErrCorrupt, err)
	}
	if next.Steps < 1 {
		return errors.New("a ball that never rolled")
	}
	if next.Velocity == nil {
		next.Velocity = map[string][]float64{}
	}
	*h = *next
	return nil
}

// What a solver that is not ours refuses is found out before anything changes:
// neither the values nor the Augmented around it.
func TestWhatASolverThatIsNotOursRefusesChangesNothing(t *testing.T) {
	for name, c := range map[string]struct{ solver, other gorgonia.Solver }{
		"alone":     {newHeavyBall(), newHeavyBall()},
		"augmented": {solver.Augment(newHeavyBall()), solver.Augment(newHeavyBall())},
	} {
		ps := smallRun(t, c.solver)
		file := filepath.Join(t.TempDir(), "run.safetensors")
		for fault, f := range map[string]struct {
			file []byte
			want error
		}{
			"one of another run":   {written(t, small(), c.other), solver.ErrDifferent}, // no step
			"one of ours":          {written(t, small(), solver.Augment(solver.NewFunnel())), solver.ErrDifferent},
			"values alone":         {written(t, small(), nil), solver.ErrDifferent},
			"an altered one":       {bytes.Replace(written(t, ps, c.solver), []byte(`{"Steps"`), []byte(`["Steps"`), 1), solver.ErrCorrupt},
			"one with wrong bytes": {sealed(bytes.Replace(written(t, ps, c.solver), []byte(`{"Steps"`), []byte(`["Steps"`), 1)), solver.ErrCorrupt},
			"floats for bytes":     {edited(t, written(t, ps, nil), `"funnel.version"`, `"funnel.solver":"{\"kind\":\"opaque\"}","funnel.version"`), solver.ErrDifferent},
		} {
			must(os.WriteFile(file, f.file, 0o666))
			err := untouched(t, ps, c.solver, func() error { return solver.Load(file, model(ps...), c.solver) })
			oneSentence(t, name+", "+fault, err, file, f.want)
		}
	}
}

func TestASolverThatIsNotOursSaysWhyItIsNotSaved(t *testing.T) {
	broken := newHeavyBall()
	broken.broken = errors.New("the ball is lost")
	for _, s := range []gorgonia.Solver{broken, solver.Augment(broken)} {
		file := filepath.Join(t.TempDir(), "run.safetensors")
		oneSentence(t, "saving", solver.Save(file, model(small()...), s), file, broken.broken)
	}
}

// A file may promise any number of bytes.
func TestBytesThatAreNotThereTakeNoMemory(t *testing.T) {
	ps, s := small(), newHeavyBall()
	s.Steps = 1
	header := `{"__metadata__":{"funnel.version":"1","funnel.solver":"{\"kind\":\"opaque\",\"steps\":0}","funnel.checksum":"0000000000000000000000000000000000000000000000000000000000000000"},` +
		`"b":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},` +
		`"funnel.opaque":{"dtype":"U8","shape":[1099511627776],"data_offsets":[32,1099511627808]}}`
	file := sealed(assembled(header, make([]byte, 1000)))
	took := allocated(func() {
		if err := solver.Read(bytes.NewReader(file), model(ps...), s); !errors.Is(err, solver.ErrCorrupt) {
			t.Errorf("error %v", err)
		}
	})
	if took > 1<<20 {
		t.Errorf("%d bytes for a file of %d", took, len(file))
	}
}
