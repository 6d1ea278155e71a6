package solver_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// scaled are the solvers with a learned scale, and their defaults of ρ, γs, γw
// and τ.
var scaled = []struct {
	name                                            string
	make                                            func(...gorgonia.SolverOpt) applicable
	initialStep, scaleRate, warmupRate, warmupSteps float64
}{
	{"Funnel", newFunnel, 0.01, 0.02, 0.5, 30},
	{"FunnelAdam", newFunnelAdam, 0.03, 0.05, 0.4, 20},
	{"VanillaSolver, augmented", newAugmented, 0.02, 0.03, 0.4, 30},
}

// cosineAlone makes the cosine all that the scale follows, for what has a closed
// form then.
var cosineAlone = []gorgonia.SolverOpt{
	solver.WithScaleSignal(solver.Normalized), solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(0),
}

// augmentedVanilla is gradient descent with a scale, whose options are those of
// both.
type augmentedVanilla struct {
	*solver.Augmented
	inner gorgonia.Solver
}

func newAugmented(o ...gorgonia.SolverOpt) applicable {
	inner := gorgonia.NewVanillaSolver(o...)
	return augmentedVanilla{solver.Augment(inner, o...), inner}
}

func (a augmentedVanilla) Apply(opts ...gorgonia.SolverOpt) error {
	for _, o := range opts {
		o(a.inner)
	}
	return a.Augmented.Apply(opts...)
}

var scopes = []solver.Scope{solver.Global, solver.PerParameter}

// training is 50 steps on gradients that pull two parameters to a target, with
// noise, times factor. It returns all values on the way.
func training(t *testing.T, s gorgonia.Solver, dtype tensor.Dtype, factor float64) (values []float64) {
	t.Helper()
	values, _ = trained(t, s, dtype, factor)
	return values
}

// trained is training, and what has been learned by it, while the parameters live.
func trained(t *testing.T, s gorgonia.Solver, dtype tensor.Dtype, factor float64) (values []float64, all []solver.Adaptation) {
	t.Helper()
	rng := rand.New(rand.NewPCG(41, 41))
	var ps []*param
	var targets [][]float64
	for _, n := range []int{30, 7} {
		p := &param{"w", tensor.New(tensor.Of(dtype), tensor.WithShape(n)), tensor.New(tensor.Of(dtype), tensor.WithShape(n))}
		set(p.value, random(rng, n))
		ps, targets = append(ps, p), append(targets, random(rng, n))
	}
	for range 50 {
		for k, p := range ps {
			g := floats(p.value)
			for i := range g {
				g[i] = (g[i] - targets[k][i] + 0.3*rng.NormFloat64()) * factor
			}
			set(p.gradient, g)
		}
		step(t, s, model(ps...))
		for _, p := range ps {
			values = append(values, floats(p.value)...)
		}
	}
	all = learned(s)
	return values, all
}

func TestWithTheDefaultInitialStepAnyLearnRateGivesTheSameTraining(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			t.Run(c.name+"/"+scope.String(), func(t *testing.T) {
				run := func(learnRate float64) []float64 {
					return training(t, c.make(gorgonia.WithLearnRate(learnRate), solver.WithScaleScope(scope)), tensor.Float64, 1)
				}
				// An Augmented reads the change off the values, which have rounded it.
				tolerance := 1e-10
				if c.name == gorgonias {
					tolerance = 1e-6
				}
				want := run(0.001)
				for _, learnRate := range []float64{1e-6, 1e-5, 1e-4, 0.01, 0.1, 1, 10} {
					within(t, 0, fmt.Sprintf("with learn rate %v, value", learnRate), run(learnRate), want, tolerance)
				}
			})
		}
	}
}

func TestWithTheDefaultInitialStepLearnRatesAPowerOfTwoApartGiveTheSameBits(t *testing.T) {
	for _, c := range scaled {
		if c.name == gorgonias {
			continue // it reads the change off the values, which have rounded it
		}
		for _, scope := range scopes {
			for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
				run := func(learnRate float64) (values []float64, learned []solver.Adaptation) {
					return trained(t, c.make(gorgonia.WithLearnRate(learnRate), solver.WithScaleScope(scope)), dtype, 1)
				}
				want, wantLearned := run(0.001)
				for _, factor := range []float64{0x1p-17, 0.5, 0x1p12} {
					got, learned := run(0.001 * factor)
					if !sameBits(got, want) {
						t.Errorf("%s/%v/%v: a learn rate %v times as large gives other values", c.name, scope, dtype, factor)
					}
					for k, a := range learned {
						if a.Scale*factor != wantLearned[k].Scale || !sameBits(a.Gain, wantLearned[k].Gain) {
							t.Errorf("%s/%v/%v: a learn rate %v times as large: learned %+v, want %+v", c.name, scope, dtype, factor, a, wantLearned[k])
						}
					}
				}
			}
		}
	}
}

func TestWithTheDefaultInitialStepFunnelDoesNotSeeTheGradientsSize(t *testing.T) {
	for _, scope := range scopes {
		for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			run := func(factor float64) (values []float64, learned []solver.Adaptation) {
				return trained(t, solver.NewFunnel(solver.WithScaleScope(scope)), dtype, factor)
			}
			want, wantLearned := run(1)
			for _, factor := range []float64{0x1p-50, 0x1p-15, 2, 0x1p15, 0x1p50} {
				got, learned := run(factor)
				if !sameBits(got, want) {
					t.Errorf("%v/%v: gradients %v times as large give other values", scope, dtype, factor)
				}
				for k, a := range learned {
					if a.Scale*factor != wantLearned[k].Scale || !sameBits(a.Gain, wantLearned[k].Gain) {
						t.Errorf("%v/%v: gradients %v times as large: learned %+v, want %+v", scope, dtype, factor, a, wantLearned[k])
					}
				}
			}
		}
	}
}

func TestALearnRateSetBetweenStepsScalesTheStep(t *testing.T) {
	for _, c := range scaled {
		var moved [2]float64
		for k := range moved {
			s := c.make(gorgonia.WithMomentum(0), gorgonia.WithBeta1(0), solver.WithMaxStep(0))
			p := vector("w", []float64{64}, []float64{1}) // whose last bits do not show
			step(t, s, model(p))
			if k == 1 {
				must(s.Apply(gorgonia.WithLearnRate(0.002)))
			}
			before := floats(p.value)[0]
			set(p.gradient, []float64{1})
			step(t, s, model(p))
			moved[k] = floats(p.value)[0] - before
		}
		if moved[0] == 0 || !closeTo(moved[1], 2*moved[0], 1e-11) {
			t.Errorf("%s: it moved by %v, with twice the learn rate by %v", c.name, moved[0], moved[1])
		}
	}
}

// distances are ‖θ‖ before a step, and how far the step went, of all parameters.
func distances(t *testing.T, s gorgonia.Solver, ps ...*param) (norm, moved float64) {
	t.Helper()
	var before []float64
	for _, p := range ps {
		before = append(before, at(t, p.value)...)
	}
	step(t, s, model(ps...))
	i := 0
	for _, p := range ps {
		for _, v := range at(t, p.value) {
			norm, moved = math.Hypot(norm, before[i]), math.Hypot(moved, v-before[i])
			i++
		}
	}
	return norm, moved
}

func TestTheFirstStepHasTheLengthItIsGiven(t *testing.T) {
	objective := []gorgonia.SolverOpt{gorgonia.WithL1Reg(0.1), gorgonia.WithL2Reg(0.2), gorgonia.WithBatchSize(3), gorgonia.WithClip(0.3)}
	for _, c := range scaled {
		for _, scope := range scopes {
			for _, length := range []float64{c.initialStep, 0.5} {
				for name, opts := range map[string][]gorgonia.SolverOpt{"plain": nil, "regularised, batched, clipped": objective, "bounded gains": {solver.WithGainBounds(2, 3)}, "raw": {solver.WithRawSignals()}} {
					opts = append([]gorgonia.SolverOpt{solver.WithScaleScope(scope)}, opts...)
					if length != c.initialStep {
						opts = append(opts, solver.WithInitialStep(length), solver.WithMaxStep(0))
					}
					rng := rand.New(rand.NewPCG(42, 42))
					ps := five(rng)
					ps = append(ps,
						&param{"view", sliced(dense(random(rng, 30), 5, 6), nil, tensor.S(1, 3)), sliced(dense(random(rng, 40), 5, 8), nil, tensor.S(0, 4, 2))},
						&param{"columns", tensor.New(tensor.WithShape(3, 4), tensor.AsFortran(random(rng, 12))), dense(random(rng, 12), 3, 4)})
					norm, moved := distances(t, c.make(opts...), ps...)
					if !closeTo(moved, length*norm, 3e-5) { // there are float32 among them
						t.Errorf("%s/%v/%s: the first step goes %v, want %v of %v", c.name, scope, name, moved, length, norm)
					}
				}
			}
		}
	}
}

// Steps that move nothing are not the first, such as those of a schedule whose learning rate
// begins at 0.
func TestTheFirstStepThatMovesHasTheLengthItIsGiven(t *testing.T) {
	for _, c := range scaled {
		for name, paused := range map[string][2]gorgonia.SolverOpt{
			"learning rate": {gorgonia.WithLearnRate(0), gorgonia.WithLearnRate(0.001)},
			"scale":         {solver.WithScaleBounds(0, 0), solver.WithScaleBounds(0, 1e9)},
		} {
			for _, scope := range scopes {
				for _, steps := range []int{1, 100} {
					rng := rand.New(rand.NewPCG(44, 44))
					s, ps := c.make(solver.WithScaleScope(scope), solver.WithMaxStep(0), paused[0]), five(rng)
					for range steps {
						step(t, s, model(ps...))
						renew(rng, ps)
					}
					must(s.Apply(paused[1]))
					if norm, moved := distances(t, s, ps...); !closeTo(moved, c.initialStep*norm, 3e-5) {
						t.Errorf("%s/%v: after %d steps with a %s of 0 the first goes %v, want %v of %v", c.name, scope, steps, name, moved, c.initialStep, norm)
					}
				}
			}
		}
	}
}

func TestTheFirstStepIsNoLongerThanTheLongestStep(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			p, q := vector("p", []float64{3, 4}, []float64{1, -2}), vector("q", []float64{0, -5, 12}, []float64{0.5, 1, 3})
			s := c.make(solver.WithScaleScope(scope), solver.WithInitialStep(0.5), solver.WithMaxStep(0.02))
			norm, moved := distances(t, s, p, q)
			if _, augmented := s.(augmentedVanilla); augmented && scope == solver.Global {
				if first := math.Hypot(floats(p.value)[0]-3, floats(p.value)[1]-4); !closeTo(first, 0.02*5, 1e-8) || moved > 0.02*norm {
					t.Errorf("%s: the first step of p goes %v, want 0.02 of 5, and all go %v", c.name, first, moved)
				}
				continue
			}
			if exact := scope == solver.Global; exact && !closeTo(moved, 0.02*norm, 1e-8) || moved > 0.02*norm*(1+1e-8) {
				t.Errorf("%s/%v: the first step goes %v, want 0.02 of %v", c.name, scope, moved, norm)
			}
		}
	}
}

// Biases begin at 0. Their steps may be as long as values have half the length that those of
// the model have in the mean, and less where they are few. (Where those are large, R is limited.)
func TestParametersThatBeginAtZeroMayGoAsFarAsOthers(t *testing.T) {
	for _, c := range scaled {
		for _, n := range []int{1, 20, 1000} {
			weights := slices.Repeat([]float64{0.3, -0.4}, 500)
			p := vector("weights", weights, slices.Repeat([]float64{1, 2}, 500))
			q := vector("biases", make([]float64, n), slices.Repeat([]float64{1}, n))
			s := c.make(solver.WithScaleScope(solver.PerParameter), solver.WithInitialStep(0.5), solver.WithMaxStep(0.02), solver.WithGainRate(0))
			if c.name == "FunnelAdam" { // whose first step is no longer than all parameters allow
				step(t, s, model(p, q))
				set(p.gradient, slices.Repeat([]float64{1, 2}, 500))
				set(q.gradient, slices.Repeat([]float64{1}, n))
			}
			square, before := 0.0, floats(q.value)[0]
			for _, v := range slices.Concat(floats(p.value), floats(q.value)) {
				square += v * v / float64(1000+n)
			}
			step(t, s, model(p, q))
			want := 0.02 * math.Sqrt(square/4*float64(n)/float64(n+10))
			if _, augmented := s.(augmentedVanilla); augmented {
				want = 0.02 * 0.03
			}
			if got := math.Abs(floats(q.value)[0] - before); !closeTo(got, want, 1e-6) {
				t.Errorf("%s: each of %d values goes %v, want %v", c.name, n, got, want)
			}
		}
	}
}

// Without gains what the limit is taken of is the step, but for a FunnelAdam,
// whose direction changes from step to step.
func TestNoStepIsLongerThanTheLongestStep(t *testing.T) {
	for _, c := range scaled {
		if c.name == "FunnelAdam" {
			continue
		}
		for _, limited := range []bool{true, false} {
			opts := []gorgonia.SolverOpt{solver.WithGainRate(0), solver.WithScaleScope(solver.Global), solver.WithMaxStep(0)}
			if limited {
				opts = append(opts, solver.WithMaxStep(0.004), solver.WithInitialStep(0.003))
			}
			s := c.make(opts...)
			p, longest := vector("p", []float64{3, 4}, []float64{1, -2}), 0.0
			for range 60 {
				set(p.gradient, []float64{1, -2})
				norm, moved := distances(t, s, p)
				longest = max(longest, moved/norm)
			}
			if limited != closeTo(longest, 0.004, 1e-8) || !limited && longest < 0.05 {
				t.Errorf("%s: limited %v, the longest step is %v of the parameters", c.name, limited, longest)
			}
		}
	}
}

func TestAParameterThatJoinsLaterStartsByItselfIfItHasAScaleOfItsOwn(t *testing.T) {
	for _, c := range scaled {
		s := c.make(solver.WithScaleScope(solver.PerParameter))
		alone := c.make(solver.WithScaleScope(solver.PerParameter))
		rng := rand.New(rand.NewPCG(43, 43))
		v := random(rng, 8)
		a, b, twin := vector("a", v, nil), vector("b", random(rng, 8), random(rng, 8)), vector("a", v, nil)
		for range 10 {
			g := random(rng, 8)
			a.gradient, twin.gradient = dense(g, 8), dense(g, 8)
			step(t, s, model(a))
			step(t, alone, model(twin))
		}
		before := floats(b.value)
		g := random(rng, 8)
		set(a.gradient, g)
		set(twin.gradient, g)
		step(t, s, model(a, b))
		step(t, alone, model(twin))
		var norm, moved float64
		for i, w := range floats(b.value) {
			norm, moved = math.Hypot(norm, before[i]), math.Hypot(moved, w-before[i])
		}
		if !closeTo(moved, c.initialStep*norm, 1e-10) {
			t.Errorf("%s: the new one goes %v, want %v of %v", c.name, moved, c.initialStep, norm)
		}
		if !sameBits(floats(a.value), floats(twin.value)) {
			t.Errorf("%s: the new one changed what the old one does", c.name)
		}
	}
}

func TestAParameterThatJoinsLaterHasTheSolversScaleIfThatIsGlobal(t *testing.T) {
	f := solver.NewFunnel(solver.WithScaleScope(solver.Global), gorgonia.WithLearnRate(0.1))
	rng := rand.New(rand.NewPCG(44, 44))
	a, b := vector("a", random(rng, 8), nil), vector("b", []float64{1, 2}, []float64{0.25, -4})
	for range 10 {
		a.gradient = dense(random(rng, 8), 8)
		step(t, f, model(a))
	}
	a.gradient = dense(random(rng, 8), 8)
	step(t, f, model(a, b))
	s := f.Adaptations()[0].Scale
	if f.Adaptations()[1].Scale != s {
		t.Errorf("scales %v and %v", s, f.Adaptations()[1].Scale)
	}
	compare(t, 10, "value", floats(b.value), []float64{1 - s*0.1*0.25, 2 + s*0.1*4}, 1e-14)
}

func TestWhereThereIsNoLengthToStartFromTheScaleIsOne(t *testing.T) {
	huge, tiny := 1e200, 1e-200
	for name, c := range map[string]struct{ value, gradient float64 }{
		"gradients of 0":                      {1, 0},
		"values whose squares overflow":       {huge, 1},
		"values whose squares are not normal": {1e-160, 1},
		"first steps whose squares overflow":  {1, huge},
		"gradients whose squares underflow":   {1, tiny},
	} {
		for _, member := range scaled {
			for _, scope := range scopes {
				if name == "first steps whose squares overflow" && member.name == "FunnelAdam" {
					continue // which refuses such gradients
				}
				if name == "gradients whose squares underflow" && member.name != "Funnel" {
					continue // Adam's first step does not depend on their size; an Augmented sees no change
				}
				s := member.make(solver.WithScaleScope(scope), solver.WithMaxStep(0))
				p := vector("w", []float64{c.value, c.value}, []float64{c.gradient, -c.gradient})
				step(t, s, model(p))
				if a := learned(s)[0]; a.Scale != 1 {
					t.Errorf("%s/%v: %s: the scale is %v", member.name, scope, name, a.Scale)
				}
				for i := range 20 {
					set(p.gradient, []float64{c.gradient, float64(i%2) * c.gradient})
					if err := s.Step(model(p)); err != nil && !errors.Is(err, solver.ErrNonFiniteStep) {
						t.Fatalf("%s/%v: %s: %v", member.name, scope, name, err)
					}
					if a := learned(s)[0]; !allFinite(floats(p.value)) || !allFinite([]float64{a.Scale}) {
						t.Fatalf("%s/%v: %s: value %v, scale %v", member.name, scope, name, p.value, a.Scale)
					}
				}
			}
		}
	}
}

func TestValuesOfZeroStartAsIfEachWereAHundredth(t *testing.T) {
	for _, member := range scaled {
		for _, scope := range scopes {
			for _, learnRate := range []float64{1e-6, 1, 100} {
				zeros := vector("zeros", make([]float64, 3), []float64{3, -4, 0})
				more := vector("more", make([]float64, 1), []float64{12})
				step(t, member.make(solver.WithScaleScope(scope), gorgonia.WithLearnRate(learnRate)), model(zeros, more))
				square := 0.0
				for _, v := range append(floats(zeros.value), floats(more.value)...) {
					square += v * v
				}
				if got, want := math.Sqrt(square), member.initialStep*0.01*2; !closeTo(got, want, 1e-9) {
					t.Errorf("%s/%v: learn rate %v: the first step has length %v, want %v", member.name, scope, learnRate, got, want)
				}
			}
		}
	}
}

func TestWithScaleRateZeroTheScaleIsOneWhateverElseIsSet(t *testing.T) {
	for _, member := range scaled {
		s := member.make(solver.WithScaleRate(0), solver.WithInitialStep(0.5), solver.WithScaleWarmup(3, 100))
		trace(t, s)
		if a := learned(s)[0]; a.Scale != 1 {
			t.Errorf("%s: the scale is %v", member.name, a.Scale)
		}
	}
}

func TestAfterARefusedFirstStepTheNextOneIsTheFirst(t *testing.T) {
	for _, member := range family {
		run := func(refused bool) uint64 {
			rng := rand.New(rand.NewPCG(45, 45))
			s, ps := member.make(), five(rng)
			good := floats(ps[1].gradient)
			if refused {
				before := bits(s, ps)
				set(ps[1].gradient, []float64{1, math.NaN()})
				if s.Step(model(ps...)) == nil {
					t.Fatal("a NaN went through")
				}
				set(ps[1].gradient, good)
				if bits(s, ps) != before {
					t.Errorf("%s: a refused first step changed something", member.name)
				}
			}
			for range 5 {
				step(t, s, model(ps...))
				renew(rng, ps)
			}
			return bits(s, ps)
		}
		if run(true) != run(false) {
			t.Errorf("%s: a refused first step shows in what comes after it", member.name)
		}
	}
}

// Here the start itself is what makes the step too long.
func TestAfterAFirstStepThatWasTooLongTheNextOneIsTheFirst(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			s := c.make(solver.WithScaleScope(scope), solver.WithScaleBounds(0, 3e38), solver.WithInitialStep(0.5), solver.WithMaxStep(0), gorgonia.WithLearnRate(1))
			g := float32(1)
			if c.name == gorgonias {
				g = 1e36 // or the values do not change, before they are scaled
			}
			p := &param{"w", dense([]float32{3.3e38, 3}, 2), dense([]float32{-g, g}, 2)}
			before := bits(s, []*param{p})
			if err := s.Step(model(p)); !errors.Is(err, solver.ErrNonFiniteStep) {
				t.Fatalf("%s: error %v, want ErrNonFiniteStep", c.name, err)
			}
			if bits(s, []*param{p}) != before {
				t.Errorf("%s: a refused first step changed something", c.name)
			}
			set(p.value, []float64{4, 3})
			if norm, moved := distances(t, s, p); !closeTo(moved, 0.5*norm, 1e-4) {
				t.Errorf("%s: then the first step goes %v, want half of %v", c.name, moved, norm)
			}
		}
	}
}

func TestAnEmptyFirstModelDoesNotUseUpTheStart(t *testing.T) {
	for _, member := range family {
		run := func(empty int) uint64 {
			rng := rand.New(rand.NewPCG(46, 46))
			s, ps := member.make(), five(rng)
			for range empty {
				step(t, s, nil)
			}
			for range 5 {
				step(t, s, model(ps...))
				renew(rng, ps)
			}
			return bits(s, ps)
		}
		if run(3) != run(0) {
			t.Errorf("%s: an empty model shows in what comes after it", member.name)
		}
	}
}

func TestAnInitialStepSetAfterTheFirstChangesNothing(t *testing.T) {
	for _, c := range scaled {
		p, q := vector("p", []float64{1, 2}, []float64{1, -1}), vector("q", []float64{1, 2}, []float64{1, -1})
		s, same := c.make(), c.make()
		for i := range 5 {
			step(t, s, model(p))
			step(t, same, model(q))
			if i == 0 {
				must(s.Apply(solver.WithInitialStep(0.5)))
			}
			set(p.gradient, []float64{1, float64(i)})
			set(q.gradient, []float64{1, float64(i)})
		}
		if !sameBits(floats(p.value), floats(q.value)) {
			t.Errorf("%s: it starts again", c.name)
		}
	}
}

func TestTheScalesRateWarmsUpInClosedForm(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			for name, w := range map[string]struct {
				opts        []gorgonia.SolverOpt
				rate, steps float64
				apply       int // before this step
			}{
				"default": {nil, c.warmupRate, c.warmupSteps, 0},
				"set":     {[]gorgonia.SolverOpt{solver.WithScaleWarmup(0.25, 3.5)}, 0.25, 3.5, 0},
				"applied": {[]gorgonia.SolverOpt{solver.WithScaleWarmup(0.25, 3.5)}, 0.25, 3.5, 4},
				"none":    {[]gorgonia.SolverOpt{solver.WithScaleWarmup(0, 7)}, 0, 7, 0},
			} {
				opts := append([]gorgonia.SolverOpt{solver.WithScaleScope(scope), solver.WithInitialStep(0), solver.WithScaleBounds(0, 1e30)}, cosineAlone...)
				s := c.make(append(opts, w.opts...)...)
				if w.apply > 0 {
					s = c.make(opts...)
				}
				rate, steps := c.warmupRate, c.warmupSteps // what they are until Apply
				if w.apply == 0 {
					rate, steps = w.rate, w.steps
				}
				p, late := vector("w", []float64{1}, []float64{0}), vector("late", []float64{1}, []float64{0})
				sum, sumLate := 0.0, 0.0
				for i := range 15 {
					if i == w.apply && i > 0 {
						must(s.Apply(w.opts...))
						rate, steps = w.rate, w.steps
					}
					m := model(p)
					if i >= 6 {
						m = model(p, late)
					}
					set(p.gradient, []float64{1}) // so that the cosine is 1, but for the first
					set(late.gradient, []float64{1})
					step(t, s, m)
					at := func(t int) float64 { return c.scaleRate + rate*math.Exp(-float64(t)/steps) }
					if scope == solver.Global && i >= 6 {
						continue // of two parameters the cosine depends on the solver
					}
					if i > 0 {
						sum += at(i)
					}
					if i > 6 {
						sumLate += at(i - 6)
					}
					for k, want := range []float64{sum, sumLate}[:len(m)] {
						if got := math.Log(learned(s)[k].Scale); math.Abs(got-want) > 1e-9 {
							t.Fatalf("%s/%v/%s: step %d: log s = %v of parameter %d, want %v", c.name, scope, name, i+1, got, k+1, want)
						}
					}
				}
			}
		}
	}
}

// Their sum is not finite, and the first cosine is 0.
func TestRatesOfTheScaleBeyondAllNumbersMakeStepsAllTheSame(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			s := c.make(append([]gorgonia.SolverOpt{solver.WithScaleScope(scope), solver.WithScaleRate(math.MaxFloat64), solver.WithScaleWarmup(math.MaxFloat64, 30)}, cosineAlone...)...)
			p := vector("w", []float64{1}, nil)
			for i, g := range []float64{1, 1, -1} {
				p.gradient = dense([]float64{g}, 1)
				step(t, s, model(p))
				if a := learned(s)[0]; i > 0 && a.Scale != []float64{0, 1e30, 1e-30}[i] {
					t.Errorf("%s/%v: step %d: scale %v", c.name, scope, i+1, a.Scale)
				}
			}
		}
	}
}

// With Global scope the steps are the solver's: a parameter that joins does not
// warm it up again.
func TestAGlobalScaleWarmsUpOnce(t *testing.T) {
	f := solver.NewFunnel(append([]gorgonia.SolverOpt{solver.WithScaleScope(solver.Global), solver.WithInitialStep(0), solver.WithScaleWarmup(1, 2)}, cosineAlone...)...)
	a, b := vector("a", []float64{1}, nil), vector("b", []float64{1}, nil)
	for i := range 100 {
		a.gradient, b.gradient = dense([]float64{1e-6}, 1), dense([]float64{1e-6}, 1)
		m := model(a)
		if i >= 60 {
			m = model(b)
		}
		before := 1.0
		if i > 0 {
			before = f.Adaptations()[0].Scale
		}
		step(t, f, m)
		want := 0.02 // γs, the cosine being 1
		if i == 60 {
			want = 0 // for b the velocity is 0
		}
		if got := math.Log(f.Adaptations()[0].Scale / before); i >= 40 && math.Abs(got-want) > 1e-8 {
			t.Fatalf("step %d: log s changes by %v, want %v", i+1, got, want)
		}
	}
}

// A parameter begins where it first has a gradient, in a step that may be refused.
func TestARefusedStepLeavesNothingOfABeginningBehind(t *testing.T) {
	train := func(refused bool) float64 {
		s := solver.NewFunnelAdam()
		late, early := vector("late", []float64{1, 2}, []float64{0, 0}), vector("early", []float64{1, 2}, []float64{0.1, 0.2})
		m := model(late, early)
		step(t, s, m)
		set(late.gradient, []float64{0.1, 0.2})
		if refused {
			set(early.gradient, []float64{1e200, 0})
			if err := s.Step(m); !errors.Is(err, solver.ErrNonFiniteStep) {
				t.Fatalf("error %v, want ErrNonFiniteStep", err)
			}
		}
		must(s.Apply(solver.WithInitialStep(0)))
		set(early.gradient, []float64{0.1, 0.2})
		step(t, s, m)
		return learned(s)[0].Scale
	}
	if got, want := train(true), train(false); got != want {
		t.Errorf("after a refused step the scale is %g, without it %g", got, want)
	}
}
