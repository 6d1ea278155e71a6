package solver_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// trace is the values of a fixed problem, step by step: options that mean the
// same give the same trace.
func trace(t *testing.T, s gorgonia.Solver) (values []float64) {
	t.Helper()
	p := vector("w", []float64{1, 2, 0.5}, make([]float64, 3))
	for i := range 10 {
		g := []float64{1, float64(i) - 2.5, 0.25}
		if i > 5 && i%2 == 0 { // so that the scale falls again
			g = []float64{-4, -2, -1}
		}
		set(p.gradient, g)
		step(t, s, model(p))
		values = append(values, floats(p.value)...)
	}
	return values
}

// applicable is a solver whose hyperparameters can change.
type applicable interface {
	gorgonia.Solver
	Apply(...gorgonia.SolverOpt) error
}

func newFunnel(o ...gorgonia.SolverOpt) applicable     { return solver.NewFunnel(o...) }
func newFunnelAdam(o ...gorgonia.SolverOpt) applicable { return solver.NewFunnelAdam(o...) }

// Every option of Gorgonia's that has a meaning for Funnel or FunnelAdam changes
// what it does, in the constructor, by Apply, and mixed with ours. The day a
// Gorgonia release stores its options elsewhere, this fails.
func TestGorgoniasOptionsWork(t *testing.T) {
	// With both rates 0 a FunnelAdam is gorgonia.AdamSolver, a Funnel
	// gorgonia.Momentum, and without momentum gorgonia.VanillaSolver; Momentum
	// regularises the velocity, so there it is no model.
	vanilla := append(slices.Clone(still), gorgonia.WithMomentum(0))
	momentum := func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewMomentum(o...) }
	descent := func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewVanillaSolver(o...) }
	adam := func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewAdamSolver(o...) }
	for name, c := range map[string]struct {
		opt   gorgonia.SolverOpt
		ours  func(...gorgonia.SolverOpt) applicable
		model func(...gorgonia.SolverOpt) gorgonia.Solver
		still []gorgonia.SolverOpt
	}{
		"Funnel/WithLearnRate": {gorgonia.WithLearnRate(0.25), newFunnel, momentum, still},
		"Funnel/WithMomentum":  {gorgonia.WithMomentum(0.5), newFunnel, momentum, still},
		"Funnel/WithBatchSize": {gorgonia.WithBatchSize(8), newFunnel, momentum, still},
		"Funnel/WithClip":      {gorgonia.WithClip(0.5), newFunnel, momentum, still},
		"Funnel/WithL1Reg":     {gorgonia.WithL1Reg(0.5), newFunnel, descent, vanilla},
		"Funnel/WithL2Reg":     {gorgonia.WithL2Reg(0.5), newFunnel, descent, vanilla},

		"FunnelAdam/WithLearnRate": {gorgonia.WithLearnRate(0.25), newFunnelAdam, adam, still},
		"FunnelAdam/WithBeta1":     {gorgonia.WithBeta1(0.5), newFunnelAdam, adam, still},
		"FunnelAdam/WithBeta2":     {gorgonia.WithBeta2(0.5), newFunnelAdam, adam, still},
		"FunnelAdam/WithEps":       {gorgonia.WithEps(0.1), newFunnelAdam, adam, still},
		"FunnelAdam/WithBatchSize": {gorgonia.WithBatchSize(8), newFunnelAdam, adam, still},
		"FunnelAdam/WithClip":      {gorgonia.WithClip(0.5), newFunnelAdam, adam, still},
		"FunnelAdam/WithL1Reg":     {gorgonia.WithL1Reg(0.5), newFunnelAdam, adam, still},
		"FunnelAdam/WithL2Reg":     {gorgonia.WithL2Reg(0.5), newFunnelAdam, adam, still},
	} {
		t.Run(name, func(t *testing.T) {
			want := trace(t, c.model(c.opt))
			if sameBits(want, trace(t, c.model())) {
				t.Fatal("the option does nothing to Gorgonia's own solver")
			}
			compare(t, 0, "constructor's trace", trace(t, c.ours(append(slices.Clone(c.still), c.opt)...)), want, 1e-12)
			compare(t, 0, "mixed constructor's trace", trace(t, c.ours(append([]gorgonia.SolverOpt{c.opt}, c.still...)...)), want, 1e-12)
			f := c.ours()
			must(f.Apply(append(slices.Clone(c.still), c.opt)...))
			compare(t, 0, "trace after Apply", trace(t, f), want, 1e-12)
		})
	}
}

func TestGorgoniasOptionsWorkOnEGU(t *testing.T) {
	for name, opt := range map[string]gorgonia.SolverOpt{
		"WithLearnRate": gorgonia.WithLearnRate(0.25),
		"WithBatchSize": gorgonia.WithBatchSize(8),
		"WithClip":      gorgonia.WithClip(0.5),
		"WithL1Reg":     gorgonia.WithL1Reg(0.5),
		"WithL2Reg":     gorgonia.WithL2Reg(0.5),
	} {
		e := solver.NewEGU()
		if err := e.Apply(opt); err != nil {
			t.Fatal(err)
		}
		with := trace(t, solver.NewEGU(opt))
		if sameBits(with, trace(t, solver.NewEGU())) {
			t.Errorf("%s does nothing", name)
		}
		if !sameBits(with, trace(t, e)) {
			t.Errorf("%s does not do by Apply what it does in the constructor", name)
		}
	}
}

func TestOptionsWithoutMeaningAreIgnored(t *testing.T) {
	want := trace(t, solver.NewFunnel())
	got := trace(t, solver.NewFunnel(gorgonia.WithBeta1(0.1), gorgonia.WithBeta2(0.1), gorgonia.WithEps(1), gorgonia.WithRho(0.1), gorgonia.WithClip(0), gorgonia.WithBatchSize(1)))
	if !sameBits(want, got) {
		t.Error("an option that means nothing to a Funnel changed it")
	}
	want = trace(t, solver.NewFunnelAdam())
	got = trace(t, solver.NewFunnelAdam(gorgonia.WithMomentum(7), gorgonia.WithRho(0.1), solver.WithGradientDecay(7), gorgonia.WithClip(0), gorgonia.WithBatchSize(1)))
	if !sameBits(want, got) {
		t.Error("an option that means nothing to a FunnelAdam changed it")
	}
	if !sameBits(trace(t, gorgonia.NewAdamSolver()), trace(t, gorgonia.NewAdamSolver(solver.WithGainRate(9)))) {
		t.Error("an option of ours changed a gorgonia.AdamSolver")
	}
	if err := solver.NewEGU(solver.WithGainRate(-1), gorgonia.WithMomentum(7)).Step(nil); err != nil {
		t.Errorf("EGU minds options that mean nothing to it: %v", err)
	}
}

func TestOurOptionsDoWhatTheySay(t *testing.T) {
	testOurOptions(t, "Funnel", newFunnel)
	testOurOptions(t, "FunnelAdam", newFunnelAdam)
	if sameBits(trace(t, newFunnel()), trace(t, newFunnel(solver.WithGradientDecay(0)))) {
		t.Error("Funnel: WithGradientDecay does nothing")
	}
}

func testOurOptions(t *testing.T, solverName string, create func(...gorgonia.SolverOpt) applicable) {
	t.Helper()
	base := trace(t, create())
	for name, opt := range map[string]gorgonia.SolverOpt{
		"WithGainRate":        solver.WithGainRate(0.5),
		"WithScaleRate":       solver.WithScaleRate(0.5),
		"WithGainBounds":      solver.WithGainBounds(0.999, 1.001),
		"WithScaleBounds":     solver.WithScaleBounds(0.999, 1.001),
		"WithGainSignal":      solver.WithGainSignal(solver.Raw),
		"WithScaleSignal":     solver.WithScaleSignal(solver.Raw),
		"WithRawSignals":      solver.WithRawSignals(),
		"WithGainDecay":       solver.WithGainDecay(0.5),
		"WithScaleWarmup":     solver.WithScaleWarmup(0.5, 3),
		"WithInitialStep":     solver.WithInitialStep(0.005),
		"WithPaperStep":       solver.WithPaperStep(),
		"WithMaxStep":         solver.WithMaxStep(1e-4),
		"WithScaleFloor":      solver.WithScaleFloor(0.99),
		"WithNoiseCorrection": solver.WithNoiseCorrection(50),
		"WithNoiseLimit":      solver.WithNoiseLimit(0.001),
		"WithScaleRestart":    solver.WithScaleRestart(0.1),
	} {
		if sameBits(base, trace(t, create(opt))) {
			t.Errorf("%s: %s does nothing", solverName, name)
		}
	}
	raw := trace(t, create(solver.WithGainSignal(solver.Raw), solver.WithScaleSignal(solver.Raw)))
	if !sameBits(raw, trace(t, create(solver.WithRawSignals()))) {
		t.Errorf("%s: WithRawSignals is not both signals raw", solverName)
	}
	if sameBits(raw, trace(t, create(solver.WithRawSignals(), solver.WithBiasCorrection()))) {
		t.Errorf("%s: WithBiasCorrection does nothing to raw signals", solverName)
	}
	// Called on a solver, as Gorgonia's options can be.
	f := create()
	solver.WithGainRate(0.5)(f)
	if sameBits(base, trace(t, f)) {
		t.Errorf("%s: an option called on it does nothing", solverName)
	}
}

func TestAnInvalidHyperparameterIsAnErrorThatNamesIt(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	shared := map[string][]gorgonia.SolverOpt{
		"WithLearnRate":       {gorgonia.WithLearnRate(nan), gorgonia.WithLearnRate(-1), gorgonia.WithLearnRate(inf)},
		"WithBatchSize":       {gorgonia.WithBatchSize(nan), gorgonia.WithBatchSize(inf)},
		"WithClip":            {gorgonia.WithClip(-1), gorgonia.WithClip(nan)},
		"WithL1Reg":           {gorgonia.WithL1Reg(-1), gorgonia.WithL1Reg(inf)},
		"WithL2Reg":           {gorgonia.WithL2Reg(-1), gorgonia.WithL2Reg(nan)},
		"WithGainRate":        {solver.WithGainRate(-1), solver.WithGainRate(nan), solver.WithGainRate(inf)},
		"WithGainDecay":       {solver.WithGainDecay(-0.1), solver.WithGainDecay(1), solver.WithGainDecay(nan)},
		"WithScaleRate":       {solver.WithScaleRate(-1), solver.WithScaleRate(nan)},
		"WithScaleWarmup":     {solver.WithScaleWarmup(-1, 30), solver.WithScaleWarmup(nan, 30), solver.WithScaleWarmup(inf, 30), solver.WithScaleWarmup(1, 0), solver.WithScaleWarmup(1, -1), solver.WithScaleWarmup(1, nan), solver.WithScaleWarmup(0, inf)},
		"WithInitialStep":     {solver.WithInitialStep(-0.1), solver.WithInitialStep(nan), solver.WithInitialStep(inf)},
		"WithMaxStep":         {solver.WithMaxStep(-1), solver.WithMaxStep(nan), solver.WithMaxStep(inf)},
		"WithScaleFloor":      {solver.WithScaleFloor(-0.1), solver.WithScaleFloor(1), solver.WithScaleFloor(nan)},
		"WithNoiseCorrection": {solver.WithNoiseCorrection(-1), solver.WithNoiseCorrection(inf)},
		"WithNoiseLimit":      {solver.WithNoiseLimit(0), solver.WithNoiseLimit(-1), solver.WithNoiseLimit(nan), solver.WithNoiseLimit(inf)},
		"WithScaleRestart":    {solver.WithScaleRestart(-1), solver.WithScaleRestart(nan), solver.WithScaleRestart(inf)},
		"WithSignalPooling":   {solver.WithSignalPooling(-1), solver.WithSignalPooling(nan), solver.WithSignalPooling(inf)},
		"WithStepAverage":     {solver.WithStepAverage(-1), solver.WithStepAverage(1), solver.WithStepAverage(nan)},
		"WithGainBounds":      {solver.WithGainBounds(2, 1), solver.WithGainBounds(-1, 1), solver.WithGainBounds(nan, 1), solver.WithGainBounds(0, inf)},
		"WithScaleBounds":     {solver.WithScaleBounds(2, 1), solver.WithScaleBounds(0, nan)},
		"WithGainSignal":      {solver.WithGainSignal(7), solver.WithGainSignal(solver.Relative)},
		"WithScaleSignal":     {solver.WithScaleSignal(-1)},
		"WithScaleScope":      {solver.WithScaleScope(7)},
	}
	testInvalid(t, newFunnel, shared)
	testInvalid(t, newFunnelAdam, shared)
	testInvalid(t, newFunnel, map[string][]gorgonia.SolverOpt{
		"WithMomentum":      {gorgonia.WithMomentum(1), gorgonia.WithMomentum(-0.1), gorgonia.WithMomentum(nan)},
		"WithGradientDecay": {solver.WithGradientDecay(1), solver.WithGradientDecay(-1), solver.WithGradientDecay(nan)},
	})
	testInvalid(t, newFunnelAdam, map[string][]gorgonia.SolverOpt{
		"WithBeta1": {gorgonia.WithBeta1(1), gorgonia.WithBeta1(-0.1), gorgonia.WithBeta1(nan)},
		"WithBeta2": {gorgonia.WithBeta2(1), gorgonia.WithBeta2(-0.1), gorgonia.WithBeta2(nan)},
		"WithEps":   {gorgonia.WithEps(-1e-8), gorgonia.WithEps(nan), gorgonia.WithEps(inf)},
	})
}

func testInvalid(t *testing.T, create func(...gorgonia.SolverOpt) applicable, invalid map[string][]gorgonia.SolverOpt) {
	t.Helper()
	for name, opts := range invalid {
		for _, opt := range opts {
			p := vector("w", []float64{1}, []float64{1})
			f := create(opt)
			var he *solver.HyperparameterError
			if err := f.Step(model(p)); !errors.As(err, &he) || he.Option != name {
				t.Errorf("%T: %s: Step says %v", f, name, err)
			}
			if floats(p.value)[0] != 1 || floats(p.gradient)[0] != 1 {
				t.Errorf("%T: %s: a refused step changed the parameter", f, name)
			}
			g := create()
			if err := g.Apply(solver.WithGainRate(0.3), opt); !errors.As(err, &he) || he.Option != name {
				t.Errorf("%T: %s: Apply says %v", f, name, err)
			}
			if !sameBits(trace(t, g), trace(t, create())) {
				t.Errorf("%T: %s: a refused Apply changed the solver", f, name)
			}
		}
	}
}

func TestApplyMendsASolverMadeWithABadOption(t *testing.T) {
	f := solver.NewFunnel(gorgonia.WithMomentum(2))
	if err := f.Apply(gorgonia.WithMomentum(0.9)); err != nil {
		t.Fatal(err)
	}
	step(t, f, model(vector("w", []float64{1}, []float64{1})))
}

func TestTheScopeOfTheScaleIsFixedByTheFirstStep(t *testing.T) {
	f := solver.NewFunnel()
	if err := f.Apply(solver.WithScaleScope(solver.Global)); err != nil {
		t.Fatal(err)
	}
	step(t, f, model(vector("w", []float64{1}, []float64{1})))
	if err := f.Apply(solver.WithPaperStep()); err != nil { // whose scope this is
		t.Error(err)
	}
	var he *solver.HyperparameterError
	if err := f.Apply(solver.WithScaleScope(solver.PerParameter)); !errors.As(err, &he) {
		t.Errorf("Apply: error %v, want a *HyperparameterError", err)
	}
	solver.WithScaleScope(solver.PerParameter)(f)
	if err := f.Step(model(vector("w", []float64{1}, []float64{1}))); !errors.As(err, &he) {
		t.Errorf("Step: error %v, want a *HyperparameterError", err)
	}
	f = solver.NewFunnel()
	step(t, f, model(vector("w", []float64{1}, []float64{1})))
	if err := f.Apply(solver.WithPaperStep()); !errors.As(err, &he) || he.Option != "WithScaleScope" {
		t.Errorf("WithPaperStep: error %v, want a *HyperparameterError about WithScaleScope", err)
	}
}

func TestApplyKeepsWhatHasBeenLearned(t *testing.T) {
	f := solver.NewFunnel()
	trace(t, f)
	before := f.Adaptations()[0]
	if err := f.Apply(gorgonia.WithLearnRate(0.5)); err != nil {
		t.Fatal(err)
	}
	if after := f.Adaptations()[0]; before.Scale == 1 || after.Scale != before.Scale || !sameBits(after.Gain, before.Gain) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestThePaperStepIsOneOption(t *testing.T) {
	whole := solver.NewFunnel(solver.WithPaperStep())
	parts := solver.NewFunnel(solver.WithInitialStep(0), solver.WithScaleWarmup(0, 30), solver.WithGainDecay(0),
		solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(0), solver.WithScaleRestart(0), solver.WithScaleSignal(solver.Normalized), solver.WithMomentumWarmup(0),
		solver.WithScaleScope(solver.Global), solver.WithScaleRate(0.1), solver.WithGainRate(0.01))
	if !sameBits(trace(t, whole), trace(t, parts)) {
		t.Error("it is not its parts")
	}
	if fixed := solver.NewEGGain(solver.WithPaperStep()); !sameBits(trace(t, fixed), trace(t, solver.NewEGGain())) {
		t.Error("it gives EGGain a scale")
	}
}

// Gorgonia's solvers take these values, so a program may have them.
func TestValuesThatGorgoniasSolversTakeAreTaken(t *testing.T) {
	for _, batch := range []float64{0, -3, 0.5} {
		if !sameBits(trace(t, newFunnelAdam(gorgonia.WithBatchSize(batch))), trace(t, newFunnelAdam())) {
			t.Errorf("a batch size of %v, which divides nothing, changes something", batch)
		}
	}
	if got := trace(t, newFunnelAdam(gorgonia.WithEps(0))); !allFinite(got) {
		t.Errorf("with an ε of 0 the values are %v", got)
	}
}
