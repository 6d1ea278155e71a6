package solver_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// train fits a line or, if scalars is not set, a plane to four points, on a
// tape machine, and returns the loss before and after.
func train(t *testing.T, s gorgonia.Solver, dtype tensor.Dtype, scalars bool, steps int) (first, last float64, err error) {
	t.Helper()
	g := gorgonia.NewGraph()
	node := func(name string, x []float64, shape ...int) *gorgonia.Node {
		v := tensor.New(tensor.Of(dtype), tensor.WithShape(shape...))
		set(v, x)
		return gorgonia.NewTensor(g, dtype, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(v))
	}
	y := node("y", []float64{3, 1, -2, 0.5}, 4)
	var x, slope, offset *gorgonia.Node
	if scalars {
		x = node("x", []float64{1, 0.5, -0.5, 0}, 4)
		slope = gorgonia.NewScalar(g, dtype, gorgonia.WithName("slope"), gorgonia.WithInit(gorgonia.Zeroes()))
		offset = gorgonia.NewScalar(g, dtype, gorgonia.WithName("offset"), gorgonia.WithInit(gorgonia.Zeroes()))
	} else {
		x = node("x", []float64{1, 2, 0.5, -1, 3, 0.25, -2, 1, 0, 0.5, 1, -1}, 4, 3)
		slope, offset = node("slope", make([]float64, 3), 3), node("offset", make([]float64, 4), 4)
	}
	predicted := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mul(x, slope)), offset))
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(predicted, y))))))
	params := gorgonia.Nodes{slope, offset}
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		t.Fatal(err)
	}
	var read gorgonia.Value
	gorgonia.Read(loss, &read)
	machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer machine.Close()
	for i := range steps + 1 {
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		if last = floats(read)[0]; i == 0 {
			first = last
		}
		if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
			return first, last, err
		}
		machine.Reset()
	}
	return first, last, nil
}

func TestGorgoniasSolversThatTrainTrainBetterAugmented(t *testing.T) {
	for name, inner := range map[string]func() gorgonia.Solver{
		"VanillaSolver": func() gorgonia.Solver { return gorgonia.NewVanillaSolver() },
		"Momentum":      func() gorgonia.Solver { return gorgonia.NewMomentum() },
		"RMSPropSolver": func() gorgonia.Solver { return gorgonia.NewRMSPropSolver() },
		"AdamSolver":    func() gorgonia.Solver { return gorgonia.NewAdamSolver() },
		"AdaGradSolver": func() gorgonia.Solver { return gorgonia.NewAdaGradSolver() },
	} {
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			t.Run(fmt.Sprintf("%s/%v", name, dtype), func(t *testing.T) {
				_, alone, err := train(t, inner(), dtype, false, 200)
				if err != nil {
					t.Fatal(err)
				}
				_, augmented, err := train(t, solver.Augment(inner()), dtype, false, 200)
				if err != nil {
					t.Fatal(err)
				}
				if augmented > alone/100 {
					t.Errorf("loss %v alone, %v augmented", alone, augmented)
				}
				first, last, err := train(t, solver.Augment(inner()), dtype, true, 200)
				if err != nil || last > first/10 {
					t.Errorf("with scalars: loss %v, then %v; error %v", first, last, err)
				}
			})
		}
	}
}

// A Barzilai-Borwein step size is 0/0 once the gradient does not change.
func TestBarzilaiBorweinTrainsTensorsOfFloat64UntilItHasConverged(t *testing.T) {
	first, last, err := train(t, solver.Augment(gorgonia.NewBarzilaiBorweinSolver()), tensor.Float64, false, 60)
	if err != nil || last > first/100 {
		t.Errorf("loss %v, then %v; error %v", first, last, err)
	}
	if _, last, _ := train(t, gorgonia.NewBarzilaiBorweinSolver(), tensor.Float64, false, 300); !math.IsNaN(last) {
		t.Errorf("alone, the loss is %v after 300 steps; no longer NaN", last)
	}
	_, last, err = train(t, solver.Augment(gorgonia.NewBarzilaiBorweinSolver()), tensor.Float64, false, 300)
	if !errors.Is(err, solver.ErrNonFiniteStep) || last > 1e-20 {
		t.Errorf("augmented, the loss is %v and the error %v; want ErrNonFiniteStep", last, err)
	}
	if _, _, err := train(t, solver.Augment(gorgonia.NewBarzilaiBorweinSolver()), tensor.Float32, false, 1); err == nil {
		t.Error("it takes float32 now")
	}
}

// What the documentation of Augmented says of Gorgonia's solvers alone. Where
// this fails a release of Gorgonia has mended something.
func TestGorgoniasSolversHaveTheFaultsTheDocumentationNames(t *testing.T) {
	for name, stillHas := range map[string]func() bool{
		"AdamW never writes a value": func() bool {
			first, last, err := train(t, gorgonia.NewAdamW(gorgonia.WithLearnRate(0.1)), tensor.Float64, false, 20)
			return err == nil && first == last
		},
		"AdamW panics on a scalar": func() bool {
			return panics(func() { train(t, gorgonia.NewAdamW(), tensor.Float64, true, 1) })
		},
		"AdamW panics on what is not a node": func() bool {
			return panics(func() { gorgonia.NewAdamW().Step(model(vector("w", []float64{1}, []float64{1}))) })
		},
		"VanillaSolver panics on a scalar whose gradient is a tensor": panicsOnScalars(t, gorgonia.NewVanillaSolver()),
		"Momentum panics on a scalar whose gradient is a tensor":      panicsOnScalars(t, gorgonia.NewMomentum()),
		"RMSPropSolver panics on a scalar whose gradient is a tensor": panicsOnScalars(t, gorgonia.NewRMSPropSolver()),
		"AdamSolver panics on a scalar whose gradient is a tensor":    panicsOnScalars(t, gorgonia.NewAdamSolver()),
		"AdaGradSolver panics on a scalar whose gradient is a tensor": panicsOnScalars(t, gorgonia.NewAdaGradSolver()),
		"AdaGradSolver ignores options": func() bool {
			return sameBits(trace(t, gorgonia.NewAdaGradSolver(gorgonia.WithLearnRate(0.5))), trace(t, gorgonia.NewAdaGradSolver()))
		},
		"Momentum forgets the velocity of a scalar": func() bool {
			return sameBits(scalarTrace(t, gorgonia.NewMomentum()), scalarTrace(t, gorgonia.NewVanillaSolver()))
		},
		"AdaGradSolver forgets the sum of a scalar": func() bool {
			values := scalarTrace(t, gorgonia.NewAdaGradSolver())
			return closeTo(values[1]-values[0], values[2]-values[1], 1e-6)
		},
		"RMSPropSolver does not clip a scalar": func() bool {
			return sameBits(scalarTrace(t, gorgonia.NewRMSPropSolver(gorgonia.WithClip(1e-9))), scalarTrace(t, gorgonia.NewRMSPropSolver()))
		},
		"AdamSolver refuses views": func() bool {
			view := func() *tensor.Dense { return sliced(dense(make([]float64, 30), 5, 6), nil, tensor.S(1, 3)) }
			return gorgonia.NewAdamSolver().Step(model(&param{"p", view(), view()})) != nil
		},
		"AdamSolver panics on a model that has grown": func() bool {
			s, a, b := gorgonia.NewAdamSolver(), vector("a", []float64{1}, []float64{1}), vector("b", []float64{1}, []float64{1})
			step(t, s, model(a))
			return panics(func() { s.Step(model(a, b)) })
		},
		"BarzilaiBorweinSolver refuses float32": func() bool {
			_, _, err := train(t, gorgonia.NewBarzilaiBorweinSolver(), tensor.Float32, false, 1)
			return err != nil
		},
		"BarzilaiBorweinSolver refuses scalars": func() bool {
			_, _, err := train(t, gorgonia.NewBarzilaiBorweinSolver(), tensor.Float64, true, 1)
			return err != nil
		},
	} {
		if !stillHas() {
			t.Errorf("no longer so: %s", name)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func panicsOnScalars(t *testing.T, s gorgonia.Solver) func() bool {
	return func() bool { return panics(func() { train(t, s, tensor.Float64, true, 1) }) }
}

// scalarTrace is the values of a scalar whose gradient is always 1.
func scalarTrace(t *testing.T, s gorgonia.Solver) (values []float64) {
	t.Helper()
	p := &param{"w", gorgonia.NewF64(1), gorgonia.NewF64(1)}
	for range 5 {
		step(t, s, model(p))
		values = append(values, floats(p.value)...)
		set(p.gradient, []float64{1})
	}
	return values
}

func TestAnAugmentedMomentumRemembersTheVelocityOfAScalar(t *testing.T) {
	still := solver.WithScaleRate(0)
	values := scalarTrace(t, solver.Augment(gorgonia.NewMomentum(), still))
	if want := scalarTrace(t, solver.NewFunnel(still, solver.WithGainRate(0))); !closeTo(values[4], want[4], 1e-12) {
		t.Errorf("values %v, want %v", values, want)
	}
}

func TestWithScaleRateZeroAugmentedIsInnerToTheBit(t *testing.T) {
	for name, inner := range map[string]func() gorgonia.Solver{
		"VanillaSolver": func() gorgonia.Solver { return gorgonia.NewVanillaSolver(gorgonia.WithL2Reg(0.1)) },
		"Momentum":      func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithClip(0.5)) },
		"RMSPropSolver": func() gorgonia.Solver { return gorgonia.NewRMSPropSolver() },
		"AdamSolver":    func() gorgonia.Solver { return gorgonia.NewAdamSolver(gorgonia.WithBatchSize(7)) },
		"AdaGradSolver": func() gorgonia.Solver { return gorgonia.NewAdaGradSolver() },
		"Funnel":        func() gorgonia.Solver { return solver.NewFunnel() },
	} {
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			rng := rand.New(rand.NewPCG(20, 20))
			solvers := []gorgonia.Solver{inner(), solver.Augment(inner(), solver.WithScaleRate(0))}
			var ps [2]*param
			start := random(rng, 60)
			for k := range ps {
				ps[k] = &param{value: tensor.New(tensor.Of(dtype), tensor.WithShape(5, 12)), gradient: tensor.New(tensor.Of(dtype), tensor.WithShape(5, 12))}
				set(ps[k].value, start)
			}
			for i := range 50 {
				g := random(rng, 60)
				for k, s := range solvers {
					set(ps[k].gradient, g)
					step(t, s, model(ps[k]))
				}
				if !sameBits(floats(ps[0].value), floats(ps[1].value)) {
					t.Fatalf("%s of %v: step %d differs", name, dtype, i+1)
				}
			}
		}
	}
}

func TestAugmentedGradientDescentIsFunnelWithoutMomentumAndGains(t *testing.T) {
	for name, rule := range map[string][]gorgonia.SolverOpt{
		"paper": {solver.WithPaperStep(), solver.WithScaleRate(0.1)},
		"ours":  {solver.WithInitialStep(0.01), solver.WithScaleWarmup(0.1, 20), solver.WithScaleRate(0.1)},
	} {
		for _, scope := range []solver.Scope{solver.Global, solver.PerParameter} {
			for _, signal := range []solver.Signal{solver.Normalized, solver.Raw} {
				t.Run(name+"/"+scope.String()+"/"+signal.String(), func(t *testing.T) {
					opts := append(slices.Clone(rule), gorgonia.WithLearnRate(0.01), solver.WithScaleScope(scope), solver.WithScaleSignal(signal))
					f := solver.NewFunnel(append(slices.Clone(opts), gorgonia.WithMomentum(0), solver.WithGainRate(0))...)
					compareAugmented(t, f, solver.Augment(gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01)), opts...))
				})
			}
		}
	}
}

// compareAugmented makes 50 steps with both.
func compareAugmented(t *testing.T, f *solver.Funnel, a *solver.Augmented) {
	t.Helper()
	rng := rand.New(rand.NewPCG(21, 21))
	v, w := random(rng, 30), random(rng, 7)
	ps := []*param{vector("v", v, v), vector("w", w, w)}
	qs := []*param{vector("v", v, v), vector("w", w, w)}
	for i := range 50 {
		for k := range ps {
			g := random(rng, len(floats(ps[k].value)))
			set(ps[k].gradient, g)
			set(qs[k].gradient, g)
		}
		step(t, f, model(ps...))
		step(t, a, model(qs...))
		for k, want := range f.Adaptations() {
			compare(t, i, "value", floats(qs[k].value), floats(ps[k].value), 1e-12)
			if got := a.Adaptations()[k]; !closeTo(got.Scale, want.Scale, 1e-12) || got.Steps != want.Steps || got.Name != want.Name || got.Gain != nil {
				t.Fatalf("step %d: learned %+v, want %+v", i+1, got, want)
			}
		}
	}
}

// faulty does half a step, on the first parameter, and then what it is told.
type faulty struct{ then func() error }

func (f *faulty) Step(model []gorgonia.ValueGrad) error {
	set(model[0].Value(), []float64{77})
	g, err := model[0].Grad()
	if err != nil {
		return err
	}
	set(g, []float64{88})
	return f.then()
}

func TestAFaultOfInnerLeavesEverythingAsItWas(t *testing.T) {
	errHalfway := errors.New("halfway")
	for name, fault := range map[string]func() error{
		"error": func() error { return errHalfway },
		"panic": func() error { panic(errHalfway) },
	} {
		for _, warm := range []bool{false, true} {
			f := &faulty{then: func() error { return nil }}
			a, ps := solver.Augment(f), five(rand.New(rand.NewPCG(22, 22)))
			if warm {
				step(t, a, model(ps...))
				renew(rand.New(rand.NewPCG(23, 23)), ps)
			}
			f.then = fault
			before := bits(a, ps)
			err := stepOrPanic(a, model(ps...))
			if !errors.Is(err, errHalfway) {
				t.Errorf("%s: error %v, want inner's", name, err)
			}
			if bits(a, ps) != before {
				t.Errorf("%s, warm=%v: something changed", name, warm)
			}
			if name == "error" && !strings.Contains(err.Error(), "*solver_test.faulty") {
				t.Errorf("error %q does not say whose it is", err)
			}
		}
	}
}

// stepOrPanic returns what s panics with, too.
func stepOrPanic(s gorgonia.Solver, m []gorgonia.ValueGrad) (err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	return s.Step(m)
}

// witness keeps the model it was given.
type witness struct{ model []gorgonia.ValueGrad }

func (w *witness) Step(model []gorgonia.ValueGrad) error {
	w.model = slices.Clone(model)
	return nil
}

func TestInnerIsGivenNodes(t *testing.T) {
	w := &witness{}
	transposed := dense(make([]float64, 6), 2, 3)
	must(transposed.T())
	scalar := &param{"scalar", gorgonia.NewF32(7), dense([]float32{8}, 1)}
	matrix := &param{"matrix", transposed, dense([]float64{1, 2, 3, 4, 5, 6}, 3, 2)}
	step(t, solver.Augment(w), model(scalar, matrix))
	for i, want := range []struct {
		name     string
		shape    tensor.Shape
		gradient []float64
	}{{"scalar", tensor.Shape{1}, []float64{8}}, {"matrix", tensor.Shape{3, 2}, []float64{1, 2, 3, 4, 5, 6}}} {
		node, ok := w.model[i].(*gorgonia.Node)
		if !ok {
			t.Fatalf("%s is a %T", want.name, w.model[i])
		}
		g, err := node.Grad()
		if err != nil || node.Name() != want.name || !node.Shape().Eq(want.shape) || !node.Value().Shape().Eq(want.shape) || !sameBits(floats(g), want.gradient) {
			t.Errorf("node %s of shape %v with gradient %v, error %v; want %+v", node.Name(), node.Shape(), g, err, want)
		}
	}
}

func TestAnInnerSolverNeedNotZeroTheGradients(t *testing.T) {
	ps := five(rand.New(rand.NewPCG(24, 24)))
	step(t, solver.Augment(&faulty{then: func() error { return nil }}), model(ps...))
	for _, p := range ps {
		for _, g := range floats(p.gradient) {
			if g != 0 {
				t.Errorf("gradient of %s holds %v", p.name, g)
			}
		}
	}
}

func TestAStepThatOnlyTheScaleMakesTooLargeIsRefused(t *testing.T) {
	a := solver.Augment(gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(1)), solver.WithScaleBounds(1000, 1000))
	p := &param{"w", dense([]float32{1, 1, 1}, 3), dense([]float32{1, 1e36, 1}, 3)}
	before := bits(a, []*param{p})
	var pe *solver.ParameterError
	if err := a.Step(model(p)); !errors.Is(err, solver.ErrNonFiniteStep) || !errors.As(err, &pe) || pe.Name != "w" || len(pe.Index) != 1 || pe.Index[0] != 1 {
		t.Errorf("error %v, want ErrNonFiniteStep in w at [1]", err)
	}
	if bits(a, []*param{p}) != before {
		t.Error("something changed")
	}
}

func TestAnErrorOfAnInnerFunnelIsAboutTheUsersParameter(t *testing.T) {
	empty := &param{"empty", tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(0)), tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(0))}
	unnamed := vector("", []float64{-1}, []float64{1})
	var pe *solver.ParameterError
	if err := solver.Augment(solver.NewEGU()).Step(model(empty, unnamed)); !errors.Is(err, solver.ErrNegative) || !errors.As(err, &pe) || pe.Position != 1 || pe.Name != "" {
		t.Errorf("error %v is about %+v; want ErrNegative in number 2, without a name", err, pe)
	}
}

func TestNoSolverToAugmentIsAnErrorAndNoPanic(t *testing.T) {
	for name, inner := range map[string]gorgonia.Solver{
		"nil":            nil,
		"typed nil":      (*gorgonia.AdamSolver)(nil),
		"nil of ours":    (*solver.Funnel)(nil),
		"around nothing": solver.Augment(nil),
	} {
		a := solver.Augment(inner, gorgonia.WithLearnRate(0.1), solver.WithScaleRate(0.2))
		var he *solver.HyperparameterError
		if err := a.Step(model(vector("w", []float64{1}, []float64{1}))); !errors.As(err, &he) || he.Option != "Augment" {
			t.Errorf("%s: Step says %v", name, err)
		}
		if err := a.Apply(gorgonia.WithLearnRate(0.1)); name != "around nothing" && !errors.As(err, &he) {
			t.Errorf("%s: Apply says %v", name, err)
		}
	}
}

func TestAnAugmentedFindsAScaleForEachParameter(t *testing.T) {
	const n = 500
	curvatures := []float64{1e4, 1}
	ps := []*param{vector("steep", make([]float64, n), make([]float64, n)), vector("flat", make([]float64, n), make([]float64, n))}
	s := solver.Augment(gorgonia.NewVanillaSolver())
	for range 600 {
		for i, p := range ps {
			g := p.gradient.Data().([]float64)
			for k, x := range p.value.Data().([]float64) {
				g[k] = curvatures[i] * (x - 1)
			}
		}
		step(t, s, model(ps...))
	}
	for _, p := range ps {
		if x := p.value.Data().([]float64)[0]; math.Abs(x-1) > 0.01 {
			t.Errorf("%s is at %v, want 1", p.name, x)
		}
	}
}

func TestTheScopeOfAnAugmentedIsFixedByTheFirstStep(t *testing.T) {
	a := solver.Augment(gorgonia.NewVanillaSolver())
	step(t, a, model(vector("w", []float64{1}, []float64{1})))
	var he *solver.HyperparameterError
	if err := a.Apply(solver.WithScaleScope(solver.Global)); !errors.As(err, &he) || he.Option != "WithScaleScope" {
		t.Errorf("error %v, want a *HyperparameterError", err)
	}
}

func TestAnAugmentedTakesAllOptionsOrNone(t *testing.T) {
	paper := solver.WithPaperStep()
	for name, opts := range map[string][]gorgonia.SolverOpt{
		"WithScaleRate":   {solver.WithScaleSignal(solver.Raw), solver.WithScaleRate(-1)},
		"WithScaleBounds": {solver.WithScaleRate(0.5), solver.WithScaleBounds(2, 1)},
	} {
		var he *solver.HyperparameterError
		a := solver.Augment(gorgonia.NewVanillaSolver(), paper)
		if err := a.Apply(opts...); !errors.As(err, &he) || he.Option != name {
			t.Errorf("%s: Apply says %v", name, err)
		}
		if !sameBits(trace(t, a), trace(t, solver.Augment(gorgonia.NewVanillaSolver(), paper))) {
			t.Errorf("%s: a refused Apply changed something", name)
		}
		if err := solver.Augment(gorgonia.NewVanillaSolver(), opts...).Step(model(vector("w", []float64{1}, []float64{1}))); !errors.As(err, &he) || he.Option != name {
			t.Errorf("%s: Step says %v", name, err)
		}
	}
}

func TestAnAugmentedIgnoresOptionsThatAreNotTheScales(t *testing.T) {
	others := []gorgonia.SolverOpt{gorgonia.WithLearnRate(0), gorgonia.WithMomentum(7), gorgonia.WithBatchSize(-1), solver.WithGainRate(-1)}
	for name, inner := range map[string]func() gorgonia.Solver{
		"Gorgonia's": func() gorgonia.Solver { return gorgonia.NewAdamSolver() },
		"ours":       func() gorgonia.Solver { return solver.NewFunnel() },
	} {
		a, b := solver.Augment(inner(), others...), solver.Augment(inner())
		must(b.Apply(others...))
		if want := trace(t, solver.Augment(inner())); !sameBits(trace(t, a), want) || !sameBits(trace(t, b), want) {
			t.Errorf("%s: they change something", name)
		}
	}
}

func TestAnInnerSolverThatChangesNothingIsAnError(t *testing.T) {
	p := vector("w", []float64{1, 2}, []float64{1, -1})
	before := bits(nil, []*param{p})
	for name, inner := range map[string]gorgonia.Solver{"AdamW": gorgonia.NewAdamW(), "wrapped": wrapped{gorgonia.NewAdamW()}} {
		if err := solver.Augment(inner).Step(model(p)); !errors.Is(err, solver.ErrInert) || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want ErrInert of %T", err, inner)
		}
	}
	if bits(nil, []*param{p}) != before {
		t.Error("something changed")
	}
	for name, inner := range map[string]gorgonia.Solver{
		"whose learning rate is 0":      gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0)),
		"whose steps are lost":          gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(1e-30)),
		"of ours":                       solver.NewFunnelAdam(gorgonia.WithLearnRate(0)),
		"of ours, augmented":            solver.Augment(solver.NewFunnel(gorgonia.WithLearnRate(0))),
		"whose batches are large":       gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(1), gorgonia.WithBatchSize(1e30)),
		"whose learning rate is hidden": &witness{},
	} {
		if err := solver.Augment(inner).Step(model(p)); err != nil {
			t.Errorf("one %s: %v", name, err)
		}
		set(p.gradient, []float64{1, -1})
	}
	s, still := solver.Augment(gorgonia.NewAdamW()), vector("w", []float64{1}, []float64{0})
	step(t, s, model(still))                                                                 // whose gradient is 0
	step(t, solver.Augment(solver.NewEGU()), model(vector("w", []float64{0}, []float64{1}))) // where 0 stays 0
}

func TestTheIndexThatASolverInsideFindsFitsTheShapeThatTheValueHasNow(t *testing.T) {
	a, memory := solver.Augment(solver.NewEGU()), []float64{1, 2, 3}
	over := func(shape ...int) *param {
		return &param{"w", tensor.New(tensor.WithShape(shape...), tensor.WithBacking(memory)), dense([]float64{1, 1, 1}, shape...)}
	}
	step(t, a, model(over(3, 1)))
	memory[2] = -1
	var pe *solver.ParameterError
	if err := a.Step(model(over(3))); !errors.Is(err, solver.ErrNegative) || !errors.As(err, &pe) || !slices.Equal(pe.Index, []int{2}) {
		t.Errorf("error %v, want ErrNegative at [2]", err)
	}
}
