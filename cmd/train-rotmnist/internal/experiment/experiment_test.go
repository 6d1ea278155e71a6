package experiment

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

func jumps(t *testing.T, phases, steps int) mnist.Schedule {
	t.Helper()
	s, err := mnist.Jumps(make([]float64, phases), steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// constant is n steps of one accuracy.
func constant(accuracy float64, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = accuracy
	}
	return xs
}

func TestTheMetricsAreWhatTheDesignSays(t *testing.T) {
	// Two jumps in phases of 200: one that recovers, one that does not.
	accuracies := slices.Concat(
		constant(0.5, 150), constant(0.8, 50),
		constant(0.1, 20), constant(0.9, 180),
		constant(0.2, 100), constant(0.7, 100),
	)
	r := summarize(accuracies, jumps(t, 3, 200))
	for name, c := range map[string][2]float64{
		"accuracy":    {r.Accuracy, (150*0.5 + 50*0.8 + 20*0.1 + 180*0.9 + 100*0.2 + 100*0.7) / 600},
		"after shift": {r.AfterShift, ((20*0.1+80*0.9)/100 + 0.2) / 2},
		"recovery":    {r.Recovery, (30 + 200) / 2.},
		"plateau":     {r.Plateau, (0.8 + 0.9 + 0.7) / 3},
	} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, c[0], c[1])
		}
	}
}

func TestRecoveryTakesAtLeastTheWindow(t *testing.T) {
	r := summarize(constant(1, 40), jumps(t, 2, 20))
	if r.Recovery != 10 {
		t.Errorf("recovery %v, want 10", r.Recovery)
	}
}

func TestWithoutJumpsThereIsNoRecovery(t *testing.T) {
	r := summarize(constant(0.9, 300), jumps(t, 1, 300))
	if !math.IsNaN(r.Recovery) || !math.IsNaN(r.AfterShift) || math.Abs(r.Plateau-0.9) > 1e-12 {
		t.Errorf("%+v", r)
	}
}

func TestARunThatEndedEarlyCountsWhatItHas(t *testing.T) {
	// It ended 30 steps after the first jump, not yet recovered.
	r := summarize(slices.Concat(constant(0.9, 200), constant(0.3, 30)), jumps(t, 3, 200))
	if math.Abs(r.AfterShift-0.3) > 1e-12 || !math.IsNaN(r.Recovery) || math.Abs(r.Plateau-0.9) > 1e-12 {
		t.Errorf("%+v", r)
	}
	if r := summarize(nil, jumps(t, 3, 200)); !math.IsNaN(r.Accuracy) || !math.IsNaN(r.Plateau) {
		t.Errorf("of nothing: %+v", r)
	}
}

func setup(t *testing.T) *Setup {
	t.Helper()
	s, err := mnist.Jumps([]float64{0, 60}, 60)
	if err != nil {
		t.Fatal(err)
	}
	return &Setup{
		Train: mnist.Synthetic(1000, 1), Test: mnist.Synthetic(200, 2),
		Schedule: s, Batch: 20, Hidden: []int{24}, Seed: 1,
	}
}

func TestSolversUnderComparisonSeeTheSameWeightsAndBatches(t *testing.T) {
	var losses [2][]float64
	for k := range losses {
		s := []gorgonia.Solver{ // that learn nothing
			gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0)), solver.NewFunnel(gorgonia.WithLearnRate(0)),
		}
		if _, err := Run(context.Background(), setup(t), s[k], func(s *Step) error {
			losses[k] = append(losses[k], s.Loss)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(losses[0]) != 120 || !slices.Equal(losses[0], losses[1]) {
		t.Error("two solvers that learn nothing saw different losses")
	}
}

func TestARunLearnsAndReportsIt(t *testing.T) {
	var steps []Step
	r, err := Run(context.Background(), setup(t), solver.NewFunnel(gorgonia.WithLearnRate(0.01)), func(s *Step) error {
		steps = append(steps, *s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Steps != 120 || len(steps) != 120 || len(r.HeldOut) != 2 || steps[119].Angle != 60 {
		t.Errorf("%d steps, %d observed, held out %v", r.Steps, len(steps), r.HeldOut)
	}
	if r.Plateau < 0.5 || r.HeldOut[1] < 0.5 || r.StepMS <= 0 || r.SolverMS <= 0 || r.SolverMS > r.StepMS || !(r.Scale > 0) {
		t.Errorf("%+v", r)
	}
	if as := steps[0].Adaptations(); len(as) != 4 || as[0].Name != "w1" {
		t.Errorf("adaptations %v", as)
	}
}

func TestASolverWithoutScaleHasNone(t *testing.T) {
	r, err := Run(context.Background(), setup(t), gorgonia.NewAdamSolver(), func(*Step) error { return nil })
	if err != nil || !math.IsNaN(r.Scale) {
		t.Errorf("scale %v, error %v", r.Scale, err)
	}
}

func TestARunStopsWhereItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Run(ctx, setup(t), gorgonia.NewAdamSolver(), func(s *Step) error {
		if s.Number == 9 {
			cancel()
		}
		return nil
	})
	if err != nil || r.Steps != 10 {
		t.Errorf("%d steps, error %v; want 10 steps", r.Steps, err)
	}
}

// broken refuses every step.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Step([]gorgonia.ValueGrad) error { return errBroken }

func TestAStepThatIsRefusedEndsTheRunWithItsNumber(t *testing.T) {
	_, err := Run(context.Background(), setup(t), broken{}, func(*Step) error { return nil })
	if !errors.Is(err, errBroken) || err.Error() != "step 1: broken" {
		t.Errorf("error %v", err)
	}
}
