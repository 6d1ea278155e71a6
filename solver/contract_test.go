package solver_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

type member struct {
	name string
	make func(...gorgonia.SolverOpt) gorgonia.Solver
}

// family is every solver of this package.
var family = []member{
	{"Funnel per parameter", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnel(o...) }}, // its default
	{"Funnel raw", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnel(append([]gorgonia.SolverOpt{solver.WithRawSignals()}, o...)...)
	}},
	{"Funnel global", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnel(append([]gorgonia.SolverOpt{solver.WithScaleScope(solver.Global)}, o...)...)
	}},
	{"Funnel of the paper", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnel(append([]gorgonia.SolverOpt{solver.WithPaperStep()}, o...)...)
	}},
	{"FunnelAdam", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnelAdam(o...) }},
	{"FunnelAdam raw", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnelAdam(append([]gorgonia.SolverOpt{solver.WithRawSignals()}, o...)...)
	}},
	{"FunnelAdam per parameter", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.NewFunnelAdam(append([]gorgonia.SolverOpt{solver.WithScaleScope(solver.PerParameter)}, o...)...)
	}},
	{"EGGain", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewEGGain(o...) }},
	{"EGU", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewEGU(o...) }},
	{"Funnel, augmented", func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.Augment(solver.NewFunnel(o...), o...) }},
	{"EGGain, augmented per parameter", func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(solver.NewEGGain(o...), append([]gorgonia.SolverOpt{solver.WithScaleScope(solver.PerParameter)}, o...)...)
	}},
	{gorgonias, func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(gorgonia.NewVanillaSolver(o...), o...)
	}},
}

// gorgonias is the member whose inner solver is Gorgonia's.
const gorgonias = "VanillaSolver, augmented"

func learned(s gorgonia.Solver) []solver.Adaptation {
	if a, ok := s.(interface{ Adaptations() []solver.Adaptation }); ok {
		return a.Adaptations()
	}
	return nil
}

// five is a model of five parameters with positive values, so that EGU takes
// it, and random gradients.
func five(rng *rand.Rand) []*param {
	ps := []*param{
		vector("a", random(rng, 6), random(rng, 6)),
		{"b", dense(random(rng, 12), 3, 4), dense(random(rng, 12), 3, 4)},
		{"c", dense([]float32{1, 2, 3, 4, 5, 6}, 2, 3), dense([]float32{1, -2, 3, -4, 5, -6}, 2, 3)},
		{"d", gorgonia.NewF64(2), gorgonia.NewF64(0.5)},
		{"e", gorgonia.NewF32(2), gorgonia.NewF32(-0.5)},
	}
	for _, p := range ps {
		v := floats(p.value)
		for i := range v {
			v[i] = math.Abs(v[i])
		}
		set(p.value, v)
	}
	return ps
}

func renew(rng *rand.Rand, ps []*param) {
	for _, p := range ps {
		set(p.gradient, random(rng, len(floats(p.gradient))))
	}
}

// bits is a hash of everything a step may change.
func bits(s gorgonia.Solver, ps []*param) uint64 {
	h := fnv.New64a()
	write := func(xs ...float64) {
		for _, x := range xs {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
		}
	}
	for _, p := range ps {
		for _, v := range []gorgonia.Value{p.value, p.gradient} {
			if v != nil {
				write(floats(v)...)
			}
		}
	}
	for _, a := range learned(s) {
		h.Write([]byte(a.Name))
		write(a.Scale, float64(a.Steps))
		write(a.Gain...)
	}
	for _, state := range solver.State(s) {
		write(state[0]...)
		write(state[1]...)
	}
	runtime.KeepAlive(ps) // or nobody holds their memory any more
	return h.Sum64()
}

// TestACopyOfASolverGoesOnAsItWouldHave is of s := *solver.NewFunnelAdam(), which works with
// Gorgonia's solvers.
func TestACopyOfASolverGoesOnAsItWouldHave(t *testing.T) {
	copied := func(s gorgonia.Solver) gorgonia.Solver {
		c := reflect.New(reflect.TypeOf(s).Elem())
		c.Elem().Set(reflect.ValueOf(s).Elem())
		return c.Interface().(gorgonia.Solver)
	}
	for _, member := range family {
		for _, first := range []int{-1, 0, 2, 5} { // how many parameters step before the copy is made
			ps, qs := five(rand.New(rand.NewPCG(5, 5))), five(rand.New(rand.NewPCG(5, 5)))
			s, c := member.make(), member.make()
			if first >= 0 {
				step(t, s, model(ps[:first]...))
				step(t, c, model(qs[:first]...))
			}
			c = copied(c)
			pr, qr := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(7, 7))
			for range 3 {
				renew(pr, ps)
				renew(qr, qs)
				step(t, s, model(ps...))
				step(t, c, model(qs...))
			}
			if bits(s, ps) != bits(c, qs) {
				t.Errorf("%s, copied when %d parameters had stepped, goes another way", member.name, first)
			}
		}
	}
}

// TestAnInfiniteGradientIsClippedLikeALargeOne is what Gorgonia's solvers do.
func TestAnInfiniteGradientIsClippedLikeALargeOne(t *testing.T) {
	clip, inf := gorgonia.WithClip(0.5), math.Inf(1)
	train := func(s gorgonia.Solver, ps []*param, large float64) []float64 {
		rng := rand.New(rand.NewPCG(6, 6))
		for i := range 40 {
			renew(rng, ps)
			if i%5 == 3 {
				set(ps[2].gradient, []float64{large, -0.1, -large, 0.2, large})
			}
			step(t, s, model(ps...))
		}
		var values []float64
		for _, p := range ps {
			values = append(values, floats(p.value)...)
		}
		return values
	}
	for _, member := range family {
		if _, augments := member.make().(*solver.Augmented); augments {
			continue // its inner solver clips
		}
		ps, qs := five(rand.New(rand.NewPCG(5, 5))), five(rand.New(rand.NewPCG(5, 5)))
		s := member.make(clip)
		if got, want := train(s, ps, inf), train(member.make(clip), qs, 1000); !sameBits(got, want) {
			t.Errorf("%s: %v, with a gradient of 1,000 %v", member.name, got, want)
		}
		refusesNaN(t, member.name, s, ps)
	}
}

// wrapped is a solver as a program wraps it.
type wrapped struct{ gorgonia.Solver }

func (w wrapped) Unwrap() gorgonia.Solver { return w.Solver }

// TestAugmentLeavesAnInfiniteGradientToAnInnerSolverThatClips is what that solver does alone.
func TestAugmentLeavesAnInfiniteGradientToAnInnerSolverThatClips(t *testing.T) {
	inf := math.Inf(1)
	train := func(s gorgonia.Solver, single, double float64) ([]*param, []float64) {
		rng := rand.New(rand.NewPCG(5, 5))
		ps := five(rng)
		var values []float64
		for i := range 60 {
			renew(rng, ps)
			if i%5 == 3 {
				set(ps[2].gradient, []float64{single, -0.1, -single, 0.2, single})
				set(ps[3].gradient, []float64{-double})
			}
			step(t, s, model(ps...))
		}
		for _, p := range ps {
			values = append(values, floats(p.value)...)
		}
		return ps, values
	}
	for name, inner := range map[string]func(...gorgonia.SolverOpt) gorgonia.Solver{
		"VanillaSolver": func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewVanillaSolver(o...) },
		"Momentum":      func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewMomentum(o...) },
		"RMSPropSolver": func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewRMSPropSolver(o...) },
		"AdamSolver":    func(o ...gorgonia.SolverOpt) gorgonia.Solver { return gorgonia.NewAdamSolver(o...) },
		"Funnel":        func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnel(o...) },
		"Augmented":     func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.Augment(gorgonia.NewMomentum(o...)) },
		"wrapped":       func(o ...gorgonia.SolverOpt) gorgonia.Solver { return wrapped{gorgonia.NewMomentum(o...)} },
		"wrapped twice": func(o ...gorgonia.SolverOpt) gorgonia.Solver { return wrapped{wrapped{solver.NewFunnel(o...)}} },
	} {
		s := solver.Augment(inner(gorgonia.WithClip(0.5)))
		ps, got := train(s, inf, inf)
		if _, want := train(solver.Augment(inner(gorgonia.WithClip(0.5))), math.MaxFloat32, math.MaxFloat64); !sameBits(got, want) {
			t.Errorf("%s: %v, with the largest numbers as gradients %v", name, got, want)
		}
		refusesNaN(t, name, s, ps)
		set(ps[2].gradient, []float64{0, inf, 0, 0, 0, 0})
		for _, none := range [][]gorgonia.SolverOpt{nil, {gorgonia.WithClip(inf)}} {
			if err := solver.Augment(inner(none...)).Step(model(ps...)); !errors.Is(err, solver.ErrNonFiniteGradient) {
				t.Errorf("%s, which does not clip: error %v, want ErrNonFiniteGradient", name, err)
			}
		}
	}
}

func refusesNaN(t *testing.T, name string, s gorgonia.Solver, ps []*param) {
	t.Helper()
	set(ps[2].gradient, []float64{math.Inf(1), 0, 0, 0, math.NaN()})
	var pe *solver.ParameterError
	if err := s.Step(model(ps...)); !errors.Is(err, solver.ErrNonFiniteGradient) || !errors.As(err, &pe) || !slices.Equal(pe.Index, []int{1, 1}) {
		t.Errorf("%s: error %v, want ErrNonFiniteGradient at [1 1]", name, err)
	}
}

func TestAStepThatFailsOnTheThirdOfFiveParametersChangesNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	faults := []struct {
		name   string
		inject func(*param)
		want   error
		index  []int
	}{
		{"NaN in the gradient", func(p *param) { set(p.gradient, []float64{1, 1, 1, 1, nan}) }, solver.ErrNonFiniteGradient, []int{1, 1}},
		{"Inf in the gradient", func(p *param) { set(p.gradient, []float64{1, 1, -inf}) }, solver.ErrNonFiniteGradient, []int{0, 2}},
		{"NaN in the value", func(p *param) { set(p.value, []float64{nan}) }, solver.ErrNonFiniteValue, []int{0, 0}},
		{"a gradient so large that the value would overflow", func(p *param) {
			set(p.value, []float64{1, 1, math.MaxFloat32})
			set(p.gradient, []float64{1, 1, -3e38})
		}, solver.ErrNonFiniteStep, []int{0, 2}},
		{"no gradient", func(p *param) { p.gradient = nil }, solver.ErrNoGradient, nil},
		{"no value", func(p *param) { p.value = nil }, solver.ErrNoValue, nil},
		{"a typed nil", func(p *param) { p.gradient = (*tensor.Dense)(nil) }, solver.ErrNoGradient, nil},
		{"a gradient of another shape", func(p *param) { p.gradient = dense(make([]float32, 6), 3, 2) }, solver.ErrMismatch, nil},
		{"a gradient of another dtype", func(p *param) { p.gradient = dense(make([]float64, 6), 2, 3) }, solver.ErrMismatch, nil},
		{"an integer gradient", func(p *param) { p.gradient = gorgonia.NewI(1) }, solver.ErrUnsupported, nil},
		{"a value of integers", func(p *param) { p.value = tensor.New(tensor.Of(tensor.Int), tensor.WithShape(2, 3)) }, solver.ErrUnsupported, nil},
		{"memory that Go cannot reach", func(p *param) { p.value = unreachable() }, solver.ErrUnsupported, nil},
		{"a masked tensor", func(p *param) { p.value.(*tensor.Dense).ResetMask(true) }, solver.ErrUnsupported, nil},
	}
	for _, member := range family {
		for _, warm := range []bool{false, true} {
			for _, fault := range faults {
				t.Run(fmt.Sprintf("%s/warm=%v/%s", member.name, warm, fault.name), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(5, 5))
					opts := []gorgonia.SolverOpt{gorgonia.WithLearnRate(0.5)}
					if fault.want == solver.ErrNonFiniteStep { // not with a scale that is small
						opts = append(opts, solver.WithInitialStep(0), solver.WithScaleBounds(0.001, 1000))
					}
					s := member.make(opts...)
					ps := five(rng)
					if warm {
						step(t, s, model(ps...))
						renew(rng, ps)
					}
					sound := *ps[2] // its memory may be collected where the fault has other, and its state with it
					fault.inject(ps[2])
					before := bitsOf(s, ps, fault.name)
					err := s.Step(model(ps...))
					if !errors.Is(err, fault.want) {
						t.Fatalf("error %v, want %v", err, fault.want)
					}
					var pe *solver.ParameterError
					if !errors.As(err, &pe) || pe.Name != "c" || pe.Position != 2 || !slices.Equal(pe.Index, fault.index) {
						t.Errorf("error %q is about %+v; want parameter c, number 3, at %v", err, pe, fault.index)
					}
					if bitsOf(s, ps, fault.name) != before {
						t.Error("something changed")
					}
					runtime.KeepAlive(sound)
				})
			}
		}
	}
}

// bitsOf leaves out the third parameter where its kind is the fault.
func bitsOf(s gorgonia.Solver, ps []*param, fault string) uint64 {
	if strings.Contains(fault, "integer") || strings.Contains(fault, "typed nil") || strings.Contains(fault, "cannot reach") {
		ps = []*param{ps[0], ps[1], ps[3], ps[4]}
	}
	return bits(s, ps)
}

// unreachable is a tensor in memory that is not the CPU's.
func unreachable() *tensor.Dense {
	return tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(2, 3), tensor.WithEngine(gpu{}))
}

// gpu is an engine whose memory Go cannot address.
type gpu struct{ tensor.StdEng }

func (gpu) AllocAccessible() bool { return false }

func TestAStepThatSucceedsZeroesTheGradientsItUsed(t *testing.T) {
	for _, member := range family {
		t.Run(member.name, func(t *testing.T) {
			ps := five(rand.New(rand.NewPCG(6, 6)))
			s := member.make()
			step(t, s, model(ps[:4]...))
			for i, p := range ps {
				for _, g := range floats(p.gradient) {
					if (g == 0) != (i < 4) {
						t.Errorf("gradient of %s holds %v", p.name, g)
					}
				}
			}
		})
	}
}

func TestAfterARefusedStepZeroGradLetsTrainingGoOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	ps := five(rng)
	f := solver.NewFunnel()
	set(ps[1].gradient, []float64{math.NaN()})
	if f.Step(model(ps...)) == nil {
		t.Fatal("a NaN went through")
	}
	if err := solver.ZeroGrad(model(ps...)); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if slices.ContainsFunc(floats(p.gradient), func(g float64) bool { return g != 0 }) {
			t.Errorf("gradient of %s is not cleared: %v", p.name, floats(p.gradient))
		}
	}
	renew(rng, ps)
	step(t, f, model(ps...))
}

func TestARefusedStepLosesNothingThatWasLearnedOfAModelThatIsGone(t *testing.T) {
	fresh := func(gradient float64) []gorgonia.ValueGrad {
		return model(vector("w", []float64{1, 2, 3}, []float64{1, 1, gradient}))
	}
	for _, member := range family {
		for name, refused := range map[string][]gorgonia.ValueGrad{"NaN": fresh(math.NaN()), "no gradient": model(&param{name: "w", value: fresh(1)[0].Value()}), "nothing": nil} {
			s := member.make()
			step(t, s, fresh(1))
			runtime.GC()
			before := len(learned(s))
			if err := s.Step(refused); err == nil && refused != nil {
				t.Fatalf("%s: %s was not refused", member.name, name)
			}
			runtime.GC()
			if after := len(learned(s)); after != before {
				t.Errorf("%s: after a model with %s it knows %d parameters, before %d", member.name, name, after, before)
			}
		}
	}
}

func TestZeroGradClearsAllItCanAndReportsTheRest(t *testing.T) {
	good, none := vector("good", []float64{1}, []float64{1}), &param{name: "none", value: gorgonia.NewF64(1)}
	bad := &param{"bad", gorgonia.NewF64(1), gorgonia.NewI(3)}
	err := solver.ZeroGrad(append(model(bad, none, good), nil))
	var pe *solver.ParameterError
	if !errors.As(err, &pe) || pe.Name != "bad" || !errors.Is(err, solver.ErrUnsupported) {
		t.Errorf("error %v, want one about bad", err)
	}
	if floats(good.gradient)[0] != 0 {
		t.Error("the good one was not cleared")
	}
}

func TestStateFollowsTheParameterNotItsPlace(t *testing.T) {
	for _, member := range family {
		t.Run(member.name, func(t *testing.T) {
			var results [2]uint64
			for k := range results {
				rng := rand.New(rand.NewPCG(8, 8))
				ps := five(rng)
				s := member.make(gorgonia.WithLearnRate(0.01))
				for i := range 20 {
					order := []int{0, 1, 2, 3, 4}
					if k == 1 && i > 0 {
						order = rand.New(rand.NewPCG(9, uint64(i))).Perm(5)
					}
					var m []gorgonia.ValueGrad
					for _, j := range order {
						m = append(m, ps[j])
					}
					step(t, s, m)
					renew(rng, ps)
				}
				results[k] = bits(s, ps)
			}
			if results[0] != results[1] {
				t.Error("the order of the model shows in the result")
			}
		})
	}
}

// With a scale each, two networks stepped by turns learn what they would learn
// alone.
func TestAModelMayBeGivenInParts(t *testing.T) {
	for _, member := range family {
		if !strings.HasSuffix(member.name, "per parameter") {
			continue
		}
		rng := rand.New(rand.NewPCG(10, 10))
		together, alone := member.make(), []gorgonia.Solver{member.make(), member.make()}
		var ps, qs [2]*param
		for k := range ps {
			v := random(rng, 8)
			ps[k], qs[k] = vector("w", v, make([]float64, 8)), vector("w", v, make([]float64, 8))
		}
		for i := range 40 {
			k := i * i % 2
			g := random(rng, 8)
			set(ps[k].gradient, g)
			set(qs[k].gradient, g)
			step(t, together, model(ps[k]))
			step(t, alone[k], model(qs[k]))
		}
		for k := range ps {
			if !sameBits(floats(ps[k].value), floats(qs[k].value)) {
				t.Errorf("%s: network %d learned something else in company", member.name, k)
			}
		}
	}
}

func TestAParameterThatIsListedTwiceStepsOnce(t *testing.T) {
	for _, member := range family {
		p, q := vector("w", []float64{1, 2}, nil), vector("w", []float64{1, 2}, nil)
		twice, once := member.make(), member.make()
		for range 5 {
			p.gradient, q.gradient = dense([]float64{1, -1}, 2), dense([]float64{1, -1}, 2)
			step(t, twice, model(p, p))
			step(t, once, model(q))
		}
		if bits(twice, []*param{p}) != bits(once, []*param{q}) {
			t.Errorf("%s: it learned something else", member.name)
		}
	}
}

func TestMemoryThatIsNotAParametersOwnIsAnError(t *testing.T) {
	window := func(d *tensor.Dense, from, to int) *tensor.Dense { return sliced(d, tensor.S(from, to)) }
	whole := dense(make([]float64, 8), 8)
	fresh := func() *tensor.Dense { return dense([]float64{1, 1, 1, 1}, 4) }
	for name, c := range map[string]struct {
		model []gorgonia.ValueGrad
		say   string
	}{
		"one value":              {model(&param{"a", window(whole, 0, 4), fresh()}, &param{"b", window(whole, 0, 4), fresh()}), "number 1"},
		"values that overlap":    {model(&param{"a", window(whole, 0, 4), fresh()}, &param{"b", window(whole, 3, 7), fresh()}), "number 1"},
		"gradients that overlap": {model(&param{"a", fresh(), window(whole, 0, 4)}, &param{"b", fresh(), window(whole, 2, 6)}), "BindDualValues"},
		"value and gradient":     {model(&param{"a", window(whole, 0, 4), window(whole, 2, 6)}), "its value and its gradient"},
		"another's value inside": {model(&param{"a", whole, dense(make([]float64, 8), 8)}, &param{"b", fresh(), window(whole, 4, 8)}), "number 1"},
	} {
		for _, member := range family {
			if err := member.make().Step(c.model); !errors.Is(err, solver.ErrShared) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%s: %s: error %v, want ErrShared with %q", member.name, name, err, c.say)
			}
		}
	}
}

func TestAParameterWhoseShapeOrDtypeChangesIsAnError(t *testing.T) {
	for _, member := range family {
		if member.name == "EGU" {
			continue // which remembers nothing of a parameter
		}
		memory := dense(make([]float64, 6), 2, 3)
		single := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(unsafe.Slice((*float32)(unsafe.Pointer(&memory.Float64s()[0])), 6)))
		reshaped := tensor.New(tensor.WithShape(3, 2), tensor.WithBacking(memory.Float64s()))
		for name, v := range map[string]*tensor.Dense{"shape": reshaped, "dtype": single} {
			s := member.make()
			p := &param{"w", memory, dense(make([]float64, 6), 2, 3)}
			step(t, s, model(p))
			p.value, p.gradient = v, v.Clone().(*tensor.Dense)
			if err := s.Step(model(p)); !errors.Is(err, solver.ErrMismatch) {
				t.Errorf("%s: %s: error %v, want ErrMismatch", member.name, name, err)
			}
		}
	}
}

func TestTheIndexOfABadElementFitsTheShapeThatTheValueHasNow(t *testing.T) {
	for _, member := range family {
		for _, shapes := range [][2]tensor.Shape{{{3, 1}, {3}}, {{3}, {1, 3}}} {
			s, memory := member.make(), []float64{1, 2, 3}
			over := func(shape tensor.Shape, gradient ...float64) *param {
				return &param{"w", tensor.New(tensor.WithShape(shape...), tensor.WithBacking(memory)), dense(gradient, shape...)}
			}
			step(t, s, model(over(shapes[0], 1, 1, 1)))
			bad := over(shapes[1], 1, 1, math.NaN())
			var pe *solver.ParameterError
			if err := s.Step(model(bad)); !errors.As(err, &pe) {
				t.Fatalf("%s: error %v", member.name, err)
			}
			if x, err := bad.gradient.(*tensor.Dense).At(pe.Index...); err != nil || !math.IsNaN(x.(float64)) {
				t.Errorf("%s: from shape %v to %v: the gradient is %v at %v, error %v", member.name, shapes[0], shapes[1], x, pe.Index, err)
			}
		}
	}
}

// incomparable is a parameter that cannot be the key of a map.
type incomparable struct {
	*param
	_ []int
}

func TestAParameterNeedNotBeComparable(t *testing.T) {
	for _, member := range family {
		s, p := member.make(), vector("w", []float64{1}, []float64{1})
		for range 3 {
			step(t, s, []gorgonia.ValueGrad{incomparable{param: p}})
		}
		if as := learned(s); len(as) > 1 || len(as) == 1 && as[0].Steps != 3 {
			t.Errorf("%s: learned %+v, want one parameter after 3 steps", member.name, as)
		}
	}
}

func TestAParameterThatIsNotOneIsAnErrorAndNoPanic(t *testing.T) {
	var node *gorgonia.Node
	for name, m := range map[string][]gorgonia.ValueGrad{
		"nil":        {nil},
		"a nil node": {node},
	} {
		for _, member := range family {
			var pe *solver.ParameterError
			if err := member.make().Step(m); !errors.As(err, &pe) {
				t.Errorf("%s: %s: error %v, want a *ParameterError", member.name, name, err)
			}
		}
	}
}

func TestAnEmptyModelIsAStepThatDoesNothing(t *testing.T) {
	for _, member := range family {
		if err := member.make().Step(nil); err != nil {
			t.Errorf("%s: %v", member.name, err)
		}
	}
}

func TestAParameterWithoutElementsChangesNothing(t *testing.T) {
	for _, shape := range [][]int{{0}, {0, 3}, {3, 0}, {1, 0}, {2, 0, 3}} {
		empty := &param{"empty", tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...)), tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))}
		for _, member := range family {
			with, without := vector("w", []float64{1}, []float64{1}), vector("w", []float64{1}, []float64{1})
			a, b := member.make(), member.make()
			for i := range 3 {
				set(with.gradient, []float64{1 - 0.1*float64(i)})
				set(without.gradient, []float64{1 - 0.1*float64(i)})
				step(t, a, model(empty, with))
				step(t, b, model(without))
			}
			if got, want := floats(with.value), floats(without.value); !sameBits(got, want) {
				t.Errorf("%s, shape %v: %v, and without it %v", member.name, shape, got, want)
			}
		}
	}
}

func TestAWarmStepAllocatesNothing(t *testing.T) {
	for _, member := range family {
		if member.name == gorgonias {
			continue // Gorgonia's solvers do allocate
		}
		t.Run(member.name, func(t *testing.T) {
			ps := five(rand.New(rand.NewPCG(11, 11)))
			transposed := dense(make([]float64, 12), 3, 4)
			if err := transposed.T(); err != nil {
				t.Fatal(err)
			}
			ps = append(ps, &param{"f", dense(make([]float64, 12), 4, 3), transposed})
			m := model(ps...)
			s := member.make()
			step(t, s, m)
			if n := testing.AllocsPerRun(100, func() {
				if err := s.Step(m); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%v allocations a step", n)
			}
		})
	}
}

// With such bounds no gain is known to be harmless, and each step is searched.
func TestAStepThatIsSearchedForAnOverflowAllocatesNothing(t *testing.T) {
	for _, member := range family {
		if member.name == gorgonias {
			continue // Gorgonia's solvers do allocate
		}
		s := member.make(solver.WithGainBounds(0, 1e38), gorgonia.WithL2Reg(1))
		m := model(&param{"w", dense([]float32{1}, 1), dense([]float32{1}, 1)})
		step(t, s, m)
		if n := testing.AllocsPerRun(100, func() {
			if err := s.Step(m); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", member.name, n)
		}
	}
}

func TestAStepThatClipsAnInfiniteGradientAllocatesNothing(t *testing.T) {
	clip := gorgonia.WithClip(1)
	for name, inner := range map[string]gorgonia.Solver{
		"Funnel": solver.NewFunnel(clip), "FunnelAdam": solver.NewFunnelAdam(clip), "EGGain": solver.NewEGGain(clip),
	} {
		gradient := dense([]float64{1}, 1)
		s, m := solver.Augment(inner), model(&param{"w", dense([]float64{1}, 1), gradient})
		step(t, s, m)
		if n := testing.AllocsPerRun(100, func() {
			gradient.Float64s()[0] = math.Inf(1)
			if err := s.Step(m); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("Augment around %s: %v allocations a step", name, n)
		}
	}
}

func TestTheResultDoesNotDependOnGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, member := range family {
		var results []uint64
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			s, ps := solver.InParallel(member.make()), large()
			for range 3 {
				for i, p := range ps {
					ramp(p.gradient, i)
				}
				step(t, s, model(ps...))
			}
			results = append(results, bits(s, ps))
		}
		if results[0] != results[1] || results[0] != results[2] {
			t.Errorf("%s: GOMAXPROCS shows in the result", member.name)
		}
	}
}

// large are parameters of several blocks, together enough for several cores.
func large() []*param {
	var ps []*param
	for _, n := range []int{150_001, 7, 60_000} {
		ps = append(ps, &param{"large", tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)), tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n))})
	}
	return ps
}

// ramp sets a gradient to numbers of both signs.
func ramp(v gorgonia.Value, seed int) {
	g := v.(*tensor.Dense).Float32s()
	for i := range g {
		g[i] = float32((i*7919+seed)%1013)/1013 - 0.4
	}
}

func TestAStepOnSeveralCoresAllocatesNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	f, ps := solver.InParallel(solver.NewFunnel()), large()
	m := model(ps...)
	goroutines := runtime.NumGoroutine()
	step(t, f, m)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const steps = 1000
	for range steps {
		step(t, f, m)
	}
	runtime.ReadMemStats(&after)
	// The runtime makes goroutines' descriptors until each core has some tens of them.
	if n := after.Mallocs - before.Mallocs; n > steps/10 {
		t.Errorf("%d allocations in %d steps", n, steps)
	}
	for range 100 { // until the helpers have ended
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before the first step", runtime.NumGoroutine(), goroutines)
}

func TestTwoSolversRunConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	results := make([]uint64, 2*len(family))
	for i := range results {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rng := rand.New(rand.NewPCG(13, 13))
			s, ps := family[i/2].make(), five(rng)
			for range 50 {
				if err := s.Step(model(ps...)); err != nil {
					t.Error(err)
				}
				renew(rng, ps)
			}
			results[i] = bits(s, ps)
		}()
	}
	wg.Wait()
	for i := 0; i < len(results); i += 2 {
		if results[i] != results[i+1] {
			t.Errorf("%s: two solvers that saw the same learned different things", family[i/2].name)
		}
	}
}

func TestANewParameterJoinsWithFreshState(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 14))
	f := solver.NewFunnel()
	a, b := vector("a", random(rng, 4), nil), vector("b", random(rng, 4), nil)
	for i := range 5 {
		a.gradient, b.gradient = dense(random(rng, 4), 4), dense(random(rng, 4), 4)
		if i < 3 {
			step(t, f, model(a))
		} else {
			step(t, f, model(b, a))
		}
	}
	as := f.Adaptations()
	if len(as) != 2 || as[0].Name != "a" || as[0].Steps != 5 || as[1].Name != "b" || as[1].Steps != 2 {
		t.Errorf("adaptations %+v, want a after 5 steps and b after 2", as)
	}
}

func TestAdaptationsAreACopy(t *testing.T) {
	f := solver.NewFunnel()
	p := vector("w", []float64{1, 2}, []float64{1, -1})
	step(t, f, model(p))
	a := f.Adaptations()
	a[0].Gain[0], a[0].Shape[0] = 77, 77
	if b := f.Adaptations(); b[0].Gain[0] != 1 || !reflect.DeepEqual(b[0].Shape, tensor.Shape{2}) {
		t.Errorf("writing to a copy changed the solver: %+v", b[0])
	}
}

func TestExtremeHyperparametersMakeNoNumberNonFinite(t *testing.T) {
	for name, c := range map[string]struct {
		solver    gorgonia.Solver
		gradients []float64
	}{
		"regularisation that overflows before the batch divides": {solver.NewFunnel(gorgonia.WithL2Reg(3e38), gorgonia.WithBatchSize(1e6)), []float64{3e38}},
		"a gain's factor beyond float32":                         {solver.NewFunnel(solver.WithGainRate(110), solver.WithGainBounds(0, 100)), []float64{1, -1, -1}},
		"a raw gain rate beyond float32":                         {solver.NewEGGain(solver.WithGainRate(1e39)), []float64{1, 1}},
		"a raw gain beyond float32":                              {solver.NewFunnel(solver.WithRawSignals(), solver.WithGainDecay(0), gorgonia.WithLearnRate(1e-9)), []float64{1e4, 1e4, 1e4, 1e4}},
		"a warm-up that is over at once":                         {solver.NewFunnelAdam(solver.WithScaleWarmup(1e300, 5e-324)), []float64{1, 1, -1}},
		"a first step beyond float64":                            {solver.NewFunnel(solver.WithInitialStep(math.MaxFloat64), gorgonia.WithLearnRate(1e-30)), []float64{1, 1, -1}},
		"a gain decay of 1 in float32":                           {solver.NewFunnelAdam(solver.WithGainDecay(1 - 1e-16)), []float64{1, -1, -1}},
		"a raw gain rate below float32":                          {solver.NewEGGain(solver.WithGainRate(1e-46), gorgonia.WithLearnRate(1e-25)), []float64{1e20, 1e20}},
	} {
		p := &param{"w", dense([]float32{1}, 1), dense([]float32{0}, 1)}
		for _, g := range c.gradients {
			set(p.gradient, []float64{g})
			err := c.solver.Step(model(p))
			if err != nil && !errors.Is(err, solver.ErrNonFiniteStep) {
				t.Errorf("%s: %v", name, err)
			}
			for _, a := range learned(c.solver) {
				if !allFinite(a.Gain) {
					t.Errorf("%s: gain %v", name, a.Gain)
				}
			}
			if !allFinite(floats(p.value)) {
				t.Errorf("%s: value %v", name, p.value)
			}
		}
	}
}

func TestAnOverflowIsBlamedOnTheParameterThatHasIt(t *testing.T) {
	f := solver.NewFunnel()
	good, bad := &param{"good", dense([]float32{1}, 1), dense([]float32{1}, 1)}, &param{"bad", dense([]float32{1, 3e38}, 2), dense([]float32{1, 1}, 2)}
	step(t, f, model(good, bad))
	set(good.gradient, []float64{1})
	set(bad.gradient, []float64{1, 1})
	if err := f.Apply(gorgonia.WithL2Reg(10)); err != nil {
		t.Fatal(err)
	}
	var pe *solver.ParameterError
	if err := f.Step(model(good, bad)); !errors.As(err, &pe) || pe.Name != "bad" || !slices.Equal(pe.Index, []int{1}) {
		t.Errorf("error %v, want one about bad at [1]", err)
	}
}

// long is for a test that the race detector need not see, because it has one goroutine or
// shorter tests have the same. make test has it without the detector.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
}
