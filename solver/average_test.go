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

// A step average is the sum of up to thirty velocities. Where that may be beyond float32 there is
// none, so that a file with it can be read.
func TestAStepAverageOfVelocitiesNearTheLargestNumberIsFinite(t *testing.T) {
	s := solver.NewFunnel(gorgonia.WithLearnRate(1), solver.WithGainRate(0))
	zeros := make([]float32, 8)
	p := &param{"w", dense(zeros, 8), dense(zeros, 8)}
	for range 1000 {
		set(p.gradient, []float64{1e37, -1e37, 1e37, 1e37, 1e37, -1e37, 1e37, 1e37})
		step(t, s, model(p))
	}
	var file bytes.Buffer
	must(solver.Write(&file, model(p), s))
	if err := solver.Read(&file, model(p), solver.NewFunnel()); err != nil {
		t.Error(err)
	}
}
