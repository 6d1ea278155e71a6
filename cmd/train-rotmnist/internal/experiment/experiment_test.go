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

func TestWhatNeverRecoversHasNoRecoveryButACount(t *testing.T) {
	if r := summarize(constant(0.5, 600), jumps(t, 3, 200)); !math.IsNaN(r.Recovery) || r.Unrecovered != 2 {
		t.Errorf("recovery %v, %d jumps without", r.Recovery, r.Unrecovered)
	}
	r := summarize(slices.Concat(constant(0.9, 400), constant(0.5, 200)), jumps(t, 3, 200))
	if r.Recovery != (10+200)/2. || r.Unrecovered != 1 {
		t.Errorf("one of two: recovery %v, %d jumps without", r.Recovery, r.Unrecovered)
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
	if r.Unrecovered != 0 {
		t.Errorf("a jump that had no time to recover counts as one that did not: %+v", r)
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
		Schedule: s, Batch: 20, NewNetwork: MLP([]int{24}), Seed: 1,
	}
}

// compare trains the solvers together.
func compare(t *testing.T, ctx context.Context, s *Setup, observe func([]*Step) error, solvers ...gorgonia.Solver) []*Run {
	t.Helper()
	c := New(s)
	defer c.Close()
	var runs []*Run
	for i, s := range solvers {
		r, err := c.Add(string(rune('a'+i)), s)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if err := c.Train(ctx, observe); err != nil {
		t.Fatal(err)
	}
	return runs
}

func ignore([]*Step) error { return nil }

func TestSolversUnderComparisonSeeTheSameWeightsAndBatches(t *testing.T) {
	different, steps := 0, 0
	compare(t, context.Background(), setup(t), func(s []*Step) error {
		steps++
		if s[0].Loss != s[1].Loss {
			different++
		}
		return nil
	}, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0)), solver.NewFunnel(gorgonia.WithLearnRate(0))) // that learn nothing
	if steps != 120 || different > 0 {
		t.Errorf("two solvers that learn nothing saw different losses in %d of %d steps", different, steps)
	}
}

func TestARunInCompanyEqualsTheRunAlone(t *testing.T) {
	make := []func() gorgonia.Solver{
		func() gorgonia.Solver { return solver.NewFunnel(gorgonia.WithLearnRate(0.01)) },
		func() gorgonia.Solver { return gorgonia.NewAdamSolver() },
		func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithLearnRate(0.01)) },
		func() gorgonia.Solver { return solver.NewFunnel(gorgonia.WithLearnRate(1e38)) }, // fails
	}
	trace := func(indices ...int) map[int][]Step {
		steps := map[int][]Step{}
		var solvers []gorgonia.Solver
		for _, i := range indices {
			solvers = append(solvers, make[i]())
		}
		compare(t, context.Background(), setup(t), func(s []*Step) error {
			for _, s := range s {
				i := indices[s.Solver[0]-'a']
				steps[i] = append(steps[i], Step{Number: s.Number, Angle: s.Angle, Loss: s.Loss, Accuracy: s.Accuracy})
			}
			return nil
		}, solvers...)
		return steps
	}
	company := trace(0, 3, 1, 2)
	for i := range make {
		if alone := trace(i)[i]; !slices.Equal(alone, company[i]) {
			t.Errorf("solver %d: %d steps alone and %d in company, or they differ", i, len(alone), len(company[i]))
		}
	}
}

func TestARunLearnsAndReportsIt(t *testing.T) {
	var steps []Step
	var first []solver.Adaptation // taken while the network lives, as what a solver knows goes with it
	runs := compare(t, context.Background(), setup(t), func(s []*Step) error {
		if steps = append(steps, *s[0]); len(steps) == 1 {
			first = s[0].Adaptations()
		}
		return nil
	}, solver.NewFunnel(gorgonia.WithLearnRate(0.01)))
	r := runs[0].Result()
	if r.Steps != 120 || len(steps) != 120 || len(r.HeldOut) != 2 || steps[119].Angle != 60 {
		t.Errorf("%d steps, %d observed, held out %v", r.Steps, len(steps), r.HeldOut)
	}
	if r.Plateau < 0.3 || r.HeldOut[1] < 0.3 || r.StepMS <= 0 || r.SolverMS <= 0 || r.SolverMS > r.StepMS || !(r.Scale > 0) {
		t.Errorf("%+v", r)
	}
	if len(first) != 4 || first[0].Name != "w1" {
		t.Errorf("adaptations %v", first)
	}
	if s := steps[1]; s.Recent != (steps[0].Accuracy+s.Accuracy)/2 {
		t.Errorf("of %v and %v the recent accuracy is %v", steps[0].Accuracy, s.Accuracy, s.Recent)
	}
}

func TestASolverWithoutScaleHasNone(t *testing.T) {
	r := compare(t, context.Background(), setup(t), ignore, gorgonia.NewAdamSolver())[0]
	if !math.IsNaN(r.Result().Scale) || r.Err() != nil {
		t.Errorf("scale %v, error %v", r.Result().Scale, r.Err())
	}
}

func TestAllRunsStopAtOneStepWhereTheirContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	for _, r := range compare(t, ctx, setup(t), func(s []*Step) error {
		if s[0].Number == 9 {
			cancel()
		}
		return nil
	}, gorgonia.NewAdamSolver(), solver.NewFunnel()) {
		if r.Err() != nil || r.Result().Steps != 10 {
			t.Errorf("%d steps, error %v; want 10 steps", r.Result().Steps, r.Err())
		}
	}
}

func TestAnErrorOfTheObserverEndsAll(t *testing.T) {
	c := New(setup(t))
	defer c.Close()
	r, err := c.Add("adam", gorgonia.NewAdamSolver())
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	if err := c.Train(context.Background(), func([]*Step) error { return full }); !errors.Is(err, full) || r.Result().Steps != 1 {
		t.Errorf("error %v after %d steps", err, r.Result().Steps)
	}
}

// broken refuses every step from its third on.
type broken struct{ steps int }

var errBroken = errors.New("broken")

func (b *broken) Step([]gorgonia.ValueGrad) error {
	if b.steps++; b.steps > 2 {
		return errBroken
	}
	return nil
}

func TestASolverThatFailsDropsOutWithItsNameAndStepAndTheOthersGoOn(t *testing.T) {
	runs := compare(t, context.Background(), setup(t), ignore, new(broken), gorgonia.NewAdamSolver())
	if err := runs[0].Err(); !errors.Is(err, errBroken) || err.Error() != "a: step 3 (batch 3 of epoch 1): broken" {
		t.Errorf("error %v", err)
	}
	if failed, whole := runs[0].Result().Steps, runs[1].Result().Steps; failed != 2 || whole != 120 || runs[1].Err() != nil {
		t.Errorf("the one that fails made %d steps, the other %d, with %v", failed, whole, runs[1].Err())
	}
}

func TestAComparisonEndsWhenAllHaveFailed(t *testing.T) {
	observed := 0
	compare(t, context.Background(), setup(t), func([]*Step) error { observed++; return nil }, new(broken), new(broken))
	if observed != 2 {
		t.Errorf("%d steps observed, want 2", observed)
	}
}

// paced notes where in the stream it is told that it is.
type paced struct {
	gorgonia.Solver
	seen [][2]int
}

func (p *paced) Pace(step, steps int) error { p.seen = append(p.seen, [2]int{step, steps}); return nil }

func TestASolverWithAScheduleIsToldEveryStep(t *testing.T) {
	p := &paced{Solver: gorgonia.NewAdamSolver()}
	compare(t, context.Background(), setup(t), ignore, p)
	if len(p.seen) != 120 || p.seen[0] != [2]int{0, 120} || p.seen[119] != [2]int{119, 120} {
		t.Errorf("it was told %v", p.seen)
	}
}

func TestAFrozenRunIsScoredOnWhatItPredictsOnceItHasDiverged(t *testing.T) {
	s := setup(t)
	s.OnNonFinite = Freeze
	for name, diverging := range map[string]gorgonia.Solver{
		"one that refuses":            solver.NewFunnel(gorgonia.WithLearnRate(1e38)),
		"one that writes NaN":         gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(1e38)),
		"one that refuses for itself": refusing{},
	} {
		r := compare(t, context.Background(), s, ignore, diverging)[0]
		res := r.Result()
		if r.Err() != nil || res.Steps != 120 || len(res.HeldOut) != 2 || res.DivergedAt < 1 || res.DivergedAt > 3 {
			t.Errorf("%s: %v, %+v", name, r.Err(), res)
		}
	}
	if r := compare(t, context.Background(), s, ignore, new(broken))[0]; !errors.Is(r.Err(), errBroken) || r.Result().DivergedAt != 0 {
		t.Errorf("another error: %v", r.Err())
	}
}

// refusing finds every gradient not finite, so that its network never learns.
type refusing struct{}

func (refusing) Step([]gorgonia.ValueGrad) error {
	return &solver.ParameterError{Err: solver.ErrNonFiniteGradient}
}
