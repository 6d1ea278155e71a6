package solver_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// The step average comes, goes and comes again while a solver trains a parameter that
// is large enough for a sample. Saved in any state, it goes on to the same bits.
func TestAStepAverageThatIsTurnedOnAndOffIsSavedAsItIs(t *testing.T) {
	long(t)
	const n = 9000
	for name, create := range map[string]func(...gorgonia.SolverOpt) applicable{
		"Funnel":     newFunnel,
		"FunnelAdam": newFunnelAdam,
		"Augment": func(o ...gorgonia.SolverOpt) applicable {
			return solver.Augment(solver.NewFunnel(solver.WithScaleRate(0)), o...)
		},
	} {
		pull := func(p *param, step int) {
			x := floats(p.value)
			for i := range x {
				x[i] += 0.3*math.Cos(float64(7*i+13*step)) - math.Sin(float64(i))
			}
			set(p.gradient, x)
		}
		free := solver.WithMaxStep(0) // where every step is the longest, no signal shows
		s, never := create(solver.WithStepAverage(0), free), create(solver.WithStepAverage(0), free)
		zeros := func() *param { return vector("w", make([]float64, n), make([]float64, n)) }
		p, q, without := zeros(), zeros(), zeros()
		for i := range 60 {
			switch i {
			case 10, 40:
				must(s.Apply(solver.WithStepAverage(0.9)))
			case 30:
				must(s.Apply(solver.WithStepAverage(0)))
			}
			if i > 0 {
				var file bytes.Buffer
				must(solver.Write(&file, model(p), s))
				resumed := create()
				must(solver.Read(&file, model(q), resumed))
				pull(q, i)
				step(t, resumed, model(q))
			}
			pull(p, i)
			step(t, s, model(p))
			pull(without, i)
			step(t, never, model(without))
			if i > 0 && !sameBits(floats(p.value), floats(q.value)) {
				t.Fatalf("%s: step %d differs after it was loaded", name, i)
			}
		}
		if sameBits(floats(p.value), floats(without.value)) {
			t.Errorf("%s: the average changed nothing", name)
		}
	}
}

// A step average is more than a mean of velocities. Where it may be beyond float32 there is none,
// so that a file with it can be read.
func TestAStepAverageOfVelocitiesNearTheLargestNumberIsFinite(t *testing.T) {
	descent := func(o ...gorgonia.SolverOpt) *solver.Funnel {
		return solver.NewFunnel(append(o, gorgonia.WithLearnRate(1), solver.WithGainRate(0))...)
	}
	for name, c := range map[string]struct {
		create   func() gorgonia.Solver
		gradient float64
	}{
		"Funnel": {func() gorgonia.Solver { return descent() }, 1e37},
		"Augment": {func() gorgonia.Solver {
			return solver.Augment(descent(solver.WithScaleRate(0), gorgonia.WithMomentum(0)))
		}, 2e38},
	} {
		s := c.create()
		zeros := make([]float32, 2)
		p := &param{"w", dense(zeros, 2), dense(zeros, 2)}
		for range 1000 {
			set(p.gradient, []float64{c.gradient, -c.gradient})
			step(t, s, model(p))
		}
		var file bytes.Buffer
		must(solver.Write(&file, model(p), s))
		if err := solver.Read(&file, model(p), c.create()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
