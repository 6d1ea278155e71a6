package solver_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// stream is gradients with noise, one of which is far larger than those before it,
// and two of which are 0.
func stream(steps, n int) (gradients [][]float64) {
	rng := rand.New(rand.NewPCG(61, 61))
	for i := range steps {
		g := random(rng, n)
		for k := range g {
			switch {
			case i == 12:
				g[k] *= 30
			case i == 17 || i == 18:
				g[k] = 0
			case i%3 > 0:
				g[k] += 0.5
			}
		}
		gradients = append(gradients, g)
	}
	return gradients
}

// With ρ and c_max, which are lengths relative to the values, out of the way.
func TestGainsAndScaleDoNotSeeTheGradientsSize(t *testing.T) {
	for _, c := range scaled[:2] {
		for _, scope := range scopes {
			for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
				run := func(factor float64) (all []float64) {
					s := c.make(solver.WithScaleScope(scope), solver.WithScaleFloor(0.9), solver.WithScaleRate(0.1),
						solver.WithInitialStep(0), solver.WithMaxStep(0), gorgonia.WithEps(1e-40))
					p := &param{"w", tensor.New(tensor.Of(dtype), tensor.WithShape(9)), tensor.New(tensor.Of(dtype), tensor.WithShape(9))}
					for _, g := range stream(40, 9) {
						for i := range g {
							g[i] *= factor
						}
						set(p.gradient, g)
						step(t, s, model(p))
						a := learned(s)[0]
						all = append(append(all, a.Scale), a.Gain...)
					}
					return all
				}
				want := run(1)
				for _, factor := range []float64{0x1p-20, 0.5, 0x1p17} {
					if !sameBits(run(factor), want) {
						t.Errorf("%s/%v/%v: gradients %v times as large: another gain or scale", c.name, scope, dtype, factor)
					}
				}
			}
		}
	}
}

// A training that is saved in its middle goes on with all that its scale follows
// from: the signal knows the size of earlier gradients, the floor earlier scales.
func TestACheckpointHasAllThatTheScaleFollowsFrom(t *testing.T) {
	for name, create := range map[string]func(...gorgonia.SolverOpt) solver.Adaptive{
		"Funnel":     func(o ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnel(o...) },
		"FunnelAdam": func(o ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnelAdam(o...) },
		"Augmented": func(o ...gorgonia.SolverOpt) solver.Adaptive {
			return solver.Augment(solver.NewFunnel(solver.WithScaleRate(0)), o...)
		},
	} {
		for _, scope := range scopes {
			for at := 1; at < 30; at++ {
				s := create(solver.WithScaleScope(scope), solver.WithScaleRate(0.2), solver.WithScaleFloor(0.9), solver.WithNoiseCorrection(1), solver.WithScaleRestart(0.3))
				resumed := create()
				p := []*param{vector("a", []float64{1, 2, 3}, make([]float64, 3)), vector("b", []float64{-1, 0.5}, make([]float64, 2))}
				q := []*param{vector("a", make([]float64, 3), make([]float64, 3)), vector("b", make([]float64, 2), make([]float64, 2))}
				advance := func(s gorgonia.Solver, ps []*param, g []float64) {
					set(ps[0].gradient, g[:3])
					set(ps[1].gradient, g[3:])
					step(t, s, model(ps...))
				}
				for i, g := range stream(40, 5) {
					if i == at {
						must(solver.Read(bytes.NewReader(written(t, p, s)), model(q...), resumed))
					}
					advance(s, p, g)
					if i >= at {
						advance(resumed, q, g)
						for k := range p {
							same := learned(s)[k].Scale == learned(resumed)[k].Scale
							if !same || !sameBits(floats(p[k].value), floats(q[k].value)) {
								t.Fatalf("%s/%v: saved after step %d: step %d differs", name, scope, at, i+1)
							}
						}
					}
				}
			}
		}
	}
}

// A step that is refused leaves no trace in what the scale follows from.
func TestARefusedStepTeachesTheScaleNothing(t *testing.T) {
	for _, c := range scaled {
		for _, scope := range scopes {
			var trained [2]string
			for k := range trained {
				s := c.make(solver.WithScaleScope(scope), solver.WithScaleRate(0.2), solver.WithScaleFloor(0.9))
				p := vector("w", []float64{1, 2, 3}, make([]float64, 3))
				for i, g := range stream(30, 3) {
					if k == 1 && i%5 == 3 {
						set(p.gradient, []float64{100, math.Inf(1), 1})
						if s.Step(model(p)) == nil {
							t.Fatal("an infinite gradient went through")
						}
					}
					set(p.gradient, g)
					step(t, s, model(p))
				}
				trained[k] = fmt.Sprint(learned(s)[0].Scale, floats(p.value))
			}
			if trained[0] != trained[1] {
				t.Errorf("%s/%v: with refused steps %s, without %s", c.name, scope, trained[1], trained[0])
			}
		}
	}
}

// A training goes on with restarts that it did not have, and without those it had.
func TestRestartsThatAreTurnedOnOrOffLeaveTheScaleWhereItIs(t *testing.T) {
	for _, c := range scaled {
		s, p, before := c.make(solver.WithScaleRestart(0)), vector("w", []float64{1, 2, 3, 4, 5}, make([]float64, 5)), 0.0
		for i, g := range stream(400, 5) {
			switch i {
			case 100, 300:
				must(s.Apply(solver.WithScaleRestart(3)))
			case 200:
				must(s.Apply(solver.WithScaleRestart(0)))
			}
			set(p.gradient, g)
			step(t, s, model(p))
			scale := learned(s)[0].Scale
			if i >= 100 && i%100 == 0 && !(math.Abs(math.Log(scale/before)) < 0.3) {
				t.Errorf("%s, step %d: the scale goes from %v to %v", c.name, i+1, before, scale)
			}
			before = scale
		}
	}
}

// quiet is a solver whose scale has fallen in a long time without a shift, and its mean.
// next makes a step towards a target and returns how far it was.
func quiet(t *testing.T, s solver.Adaptive) (next func(target, size float64) float64, mean float64) {
	rng := rand.New(rand.NewPCG(5, 5))
	w := vector("w", random(rng, 100), make([]float64, 100))
	next = func(target, size float64) float64 {
		gradient, square := random(rng, 100), 0.0
		for k, x := range floats(w.value) {
			gradient[k] = size * (x - target + 4*gradient[k])
			square += (x - target) * (x - target) / 100
		}
		set(w.gradient, gradient)
		step(t, s, model(w))
		return math.Sqrt(square)
	}
	for range 10_000 {
		next(1, 1)
		mean += learned(s)[0].Scale / 10_000
	}
	return next, mean
}

func TestTwoStepsAfterAShiftTheScaleIsAboveItsMean(t *testing.T) {
	for name, c := range map[string]struct {
		make   func() solver.Adaptive
		target float64
	}{
		"Funnel":                            {func() solver.Adaptive { return solver.NewFunnel() }, 15}, // the gradient is four times as large; where it is larger, the scale falls
		"Funnel whose scale falls later":    {func() solver.Adaptive { return solver.NewFunnel(solver.WithGradientGrowth(2)) }, 20},
		"Funnel with gradients of any size": {func() solver.Adaptive { return solver.NewFunnel(solver.WithGradientGrowth(0)) }, 40},
		"FunnelAdam":                        {func() solver.Adaptive { return solver.NewFunnelAdam() }, 40},
	} {
		s := c.make()
		next, mean := quiet(t, s)
		before := learned(s)[0].Scale
		if before > 0.4*mean {
			t.Fatalf("%s: the scale is %.2g and its mean %.2g, so that nothing is shown", name, before, mean)
		}
		next(c.target, 1)
		next(c.target, 1)
		if scale := learned(s)[0].Scale; scale <= mean {
			t.Errorf("%s: the scale goes from %.2g to %.2g in two steps; its mean is %.2g", name, before, scale, mean)
		}
	}
}

// A shift makes the gradient larger, too, which calls for no smaller scale.
func TestAScaleThatFallsAsGradientsGrowFindsAFarTargetAsSoon(t *testing.T) {
	for _, target := range []float64{10, 40, 200} {
		steps := func(growth float64) (n int) {
			next, _ := quiet(t, solver.NewFunnel(solver.WithGradientGrowth(growth)))
			for next(target, 1) > 0.1*target {
				if n++; n == 2000 {
					break
				}
			}
			return n
		}
		if limited, unlimited := steps(2), steps(0); limited == 2000 || float64(limited) > 1.1*float64(unlimited) {
			t.Errorf("the way to %v takes %d steps, and %d without the limit", target, limited, unlimited)
		}
	}
}

// amplified is a solver that sees gradients by times as large.
type amplified struct {
	gorgonia.Solver
	by float64
}

func (a *amplified) Step(model []gorgonia.ValueGrad) error {
	for _, p := range model {
		gradient, err := p.Grad()
		if err != nil {
			return err
		}
		x := floats(gradient)
		for k := range x {
			x[k] *= a.by
		}
		set(gradient, x)
	}
	return a.Solver.Step(model)
}

func TestALossThatGrowsAHundredfoldDoesNotThrowTheWeightsAway(t *testing.T) {
	after := func(opts ...gorgonia.SolverOpt) (soon, late float64) {
		s := &amplified{solver.NewFunnel(opts...), 1}
		g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(6, 6)), tensor.Float64, 16, 32, 32)
		next := onTape(t, g, cost, params, feed)
		for i := range 800 {
			if i == 400 {
				s.by = 100
			}
			now, err := next(s)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case 420 <= i && i < 520:
				soon += now / 100
			case i >= 700:
				late += now / 100
			}
		}
		return soon, late
	}
	limited, late := after()
	unlimited, _ := after(solver.WithGradientGrowth(0))
	t.Logf("loss %.2g soon after, %.2g without the limit; %.2g in the end", limited, unlimited, late)
	if !(late < 0.03) || !(limited < unlimited/1.5) {
		t.Errorf("the loss is %.2g soon after, and %.2g without the limit, want two thirds of that; it is %.2g in the end, want it below 0.03", limited, unlimited, late)
	}
}

func TestASingleLargeGradientLeavesTheScaleWhereItIs(t *testing.T) {
	for name, s := range map[string]solver.Adaptive{"Funnel": solver.NewFunnel(), "FunnelAdam": solver.NewFunnelAdam()} {
		next, _ := quiet(t, s)
		before := learned(s)[0].Scale
		next(1, 20)
		for range 10 {
			next(1, 1)
		}
		if scale := learned(s)[0].Scale; math.Abs(math.Log(scale/before)) > 0.3 {
			t.Errorf("%s: the scale goes from %.2g to %.2g", name, before, scale)
		}
	}
}

// A Funnel's velocity is long for some tens of steps after a huge gradient, and its longest step short.
func TestAfterOneHugeGradientAFunnelsScaleIsSoonWhatItWas(t *testing.T) {
	s := solver.NewFunnel()
	next, _ := quiet(t, s)
	mean := func() (scale float64) {
		for range 1000 {
			next(1, 1)
			scale += learned(s)[0].Scale / 1000
		}
		return scale
	}
	before := mean()
	next(1, 1000)
	for range 300 {
		next(1, 1)
	}
	after := mean()
	t.Logf("mean scale %.2g before, %.2g after", before, after)
	if after < before/4 {
		t.Errorf("the mean of the scale is %.2g before and %.2g after", before, after)
	}
}

// Where the floor is switched on late, the steps before count as if their scales had been as the
// first one under it.
func TestAFloorThatIsSwitchedOnLateLeavesTheScaleWhereItIs(t *testing.T) {
	for name, make := range map[string]func(...gorgonia.SolverOpt) solver.Adaptive{
		"Funnel":     func(o ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnel(o...) },
		"FunnelAdam": func(o ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnelAdam(o...) },
	} {
		for _, restart := range []float64{0, 3} {
			rng := rand.New(rand.NewPCG(4, 4))
			s := make(solver.WithScaleRestart(restart), solver.WithScaleFloor(0), solver.WithMaxStep(0), gorgonia.WithLearnRate(1e6))
			p := vector("p", random(rng, 100), random(rng, 100))
			next := func() float64 {
				set(p.gradient, random(rng, 100))
				step(t, s, model(p))
				return learned(s)[0].Scale
			}
			before := 0.0
			for range 300 {
				before = next()
			}
			if err := s.Apply(solver.WithScaleFloor(0.25)); err != nil {
				t.Fatal(err)
			}
			if after := next(); math.Abs(math.Log(after/before)) > 0.3 {
				t.Errorf("%s, restarts of %v: the scale goes from %.2g to %.2g", name, restart, before, after)
			}
		}
	}
}

// A burst of gradients comes while the floor keeps the scale up.
func TestTheLongestStepHoldsAgainstTheFloor(t *testing.T) {
	for name, make := range map[string]func(...gorgonia.SolverOpt) applicable{"Funnel": newFunnel, "Augment": newAugmented} {
		s := make(solver.WithGainRate(0), solver.WithScaleFloor(0.9), solver.WithMaxStep(0.05))
		rng := rand.New(rand.NewPCG(3, 3))
		w := vector("w", []float64{1, 1, 1, 1}, []float64{0, 0, 0, 0})
		for i := range 88 {
			gradient := random(rng, 4)
			if i >= 80 {
				for k := range gradient {
					gradient[k] *= math.Pow(10, float64(i-80))
				}
			}
			before := floats(w.value)
			set(w.gradient, gradient)
			step(t, s, model(w))
			moved, length := 0.0, 0.0
			for k, v := range floats(w.value) {
				moved, length = moved+(v-before[k])*(v-before[k]), length+before[k]*before[k]
			}
			if length = math.Max(math.Sqrt(length), 0.03*2); math.Sqrt(moved) > 0.0501*length {
				t.Fatalf("%s: step %d is %.3g long, and the parameters %.3g", name, i, math.Sqrt(moved), length)
			}
		}
	}
}

func TestAFirstGradientWhoseNormIsBeyondAllNumbersIsNoEnd(t *testing.T) {
	large := math.MaxFloat64 / 1.5
	p := vector("w", []float64{1, 2, 3}, []float64{large, large, large})
	s := solver.NewFunnel(gorgonia.WithLearnRate(1e-300))
	for range 3 {
		step(t, s, model(p))
		set(p.gradient, []float64{0.1, 0.2, 0.3})
	}
	must(solver.Write(io.Discard, model(p), s))
}

// A problem that is solved has gradients next to 0, and a FunnelAdam's scale is large on them. Then
// they are large again, and noise.
func TestAfterALongQuietASuddenGradientThrowsNothingAway(t *testing.T) {
	const elements, quiet = 200, 3000
	rng := rand.New(rand.NewPCG(4, 4))
	value := make([]float64, elements)
	for i := range value {
		value[i] = float64(i%5) - 2
	}
	for _, lr := range []float64{1e-6, 0.001, 1} {
		p := vector("p", value, make([]float64, elements))
		s := solver.NewFunnelAdam(gorgonia.WithLearnRate(lr))
		moved := func(i int) float64 { // in the step, relative to the length of the values
			noise, size := 0.7, math.Pow(0.99, float64(i))
			if i >= quiet {
				noise, size = 1, 1
			}
			g := make([]float64, elements)
			for k := range g {
				g[k] = size * ((1-noise)*float64(k%3-1) + noise*(2*rng.Float64()-1))
			}
			set(p.gradient, g)
			norm, length := distances(t, s, p)
			return length / norm
		}
		for i := range quiet {
			moved(i)
		}
		longest, last := 0.0, 0.0
		for i := range 300 {
			last = moved(quiet + i)
			longest = max(longest, last)
		}
		t.Logf("learning rate %v: the longest step is %.2g of the values, the last %.2g", lr, longest, last)
		if longest > 0.07 || last > 0.01 {
			t.Errorf("learning rate %v: the longest step is %.2g of the values, the last %.2g; want 0.07 and 0.01 at most", lr, longest, last)
		}
	}
}

// Gradients are noise around a mean, and do not depend on the values. Where the mean is 0, noise is
// taken off the scale. Where it is not, steps lead on, and nothing is.
func TestWhereStepsLeadOnNoiseIsNotTakenOffTheScale(t *testing.T) {
	const elements, settled, steps = 20, 200, 600
	for name, newSolver := range map[string]func(opts ...gorgonia.SolverOpt) solver.Adaptive{
		"Funnel":     func(opts ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnel(opts...) },
		"FunnelAdam": func(opts ...gorgonia.SolverOpt) solver.Adaptive { return solver.NewFunnelAdam(opts...) },
	} {
		grown := func(mean, k float64) float64 { // the logarithm of how much the scale has, once ā is known
			rng := rand.New(rand.NewPCG(5, 5))
			p, g := vector("p", make([]float64, elements), make([]float64, elements)), make([]float64, elements)
			s := newSolver(solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(k))
			before := 0.0
			for i := range steps {
				for j := range g {
					g[j] = mean*float64(j%3-1) + 2*rng.Float64() - 1
				}
				set(p.gradient, g)
				step(t, s, model(p))
				if i == settled {
					before = s.Adaptations()[0].Scale
				}
			}
			return math.Log(s.Adaptations()[0].Scale / before)
		}
		if with, without := grown(0.3, 1), grown(0.3, 0); math.Abs(with-without) > 1e-6 {
			t.Errorf("%s: where steps lead on, the logarithm of the scale grows by %v, and by %v without a noise correction; want the same", name, with, without)
		}
		if with, without := grown(0, 1), grown(0, 0); !(with < without-0.1) {
			t.Errorf("%s: on noise alone, the logarithm of the scale grows by %v, and by %v without a noise correction; want less", name, with, without)
		}
	}
}

func TestHugeRatesOfTheScaleDoNotStopTheTraining(t *testing.T) {
	for name, s := range map[string]gorgonia.Solver{
		"Funnel":     solver.NewFunnel(gorgonia.WithMomentum(0), solver.WithScaleRate(1e200), solver.WithNoiseCorrection(1e200), solver.WithStepAverage(0)),
		"FunnelAdam": solver.NewFunnelAdam(solver.WithScaleRate(math.MaxFloat64), solver.WithNoiseCorrection(math.MaxFloat64), solver.WithNoiseLimit(math.MaxFloat64)),
	} {
		p := vector("p", []float64{1, 2}, []float64{1, 1})
		for i := range 100 {
			copy(p.gradient.Data().([]float64), []float64{float64(i % 2), float64(1 - i%2)})
			if err := s.Step(model(p)); err != nil {
				t.Fatalf("%s, step %d: %v", name, i+1, err)
			}
		}
	}
}

// A scale that grows without end stays at its bound, and a training with it can be saved.
func TestAScaleBeyondAllNumbersCanBeSaved(t *testing.T) {
	for name, s := range map[string]solver.Adaptive{
		"Funnel":     solver.NewFunnel(solver.WithScaleSignal(solver.Raw), solver.WithMaxStep(0)),
		"FunnelAdam": solver.NewFunnelAdam(solver.WithScaleSignal(solver.Raw), solver.WithMaxStep(0)),
	} {
		p := vector("p", []float64{1, 2}, []float64{1, 1})
		for i := range 300 {
			copy(p.gradient.Data().([]float64), []float64{1e4, 1e4})
			if err := s.Step(model(p)); err != nil {
				t.Fatalf("%s, step %d: %v", name, i+1, err)
			}
		}
		var file bytes.Buffer
		if err := solver.Write(&file, model(p), s); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if err := solver.Read(&file, model(p), s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where all is learned, what is left of the gradient is next to nothing and often agrees: a
// scale that went on growing on it would throw the weights away in the end. That holds where a
// file is loaded, too.
func TestAScaleGrowsNoMoreWhereGradientsAreNextToNothing(t *testing.T) {
	const elements = 50
	for name, create := range map[string]func() solver.Adaptive{
		"Funnel":     func() solver.Adaptive { return solver.NewFunnel() },
		"FunnelAdam": func() solver.Adaptive { return solver.NewFunnelAdam() },
	} {
		rng, s := rand.New(rand.NewPCG(6, 6)), create()
		p := vector("p", random(rng, elements), make([]float64, elements))
		var scales []float64
		for i := range 1500 {
			g := random(rng, elements)
			for k := range g {
				g[k] = math.Pow(0.95, float64(i)) * (float64(k%3-1) + 2*g[k])
			}
			set(p.gradient, g)
			step(t, s, model(p))
			scales = append(scales, learned(s)[0].Scale)
			if i == 400 {
				var file bytes.Buffer
				must(solver.Write(&file, model(p), s))
				s = create()
				must(solver.Read(&file, model(p), s))
			}
		}
		t.Logf("%s: the scale is %.2g after 100 steps, %.2g after 300 and %.2g at the end", name, scales[99], scales[299], scales[1499])
		if scales[299] < 1.2*scales[99] {
			t.Errorf("%s: the scale is %.2g after 100 steps and %.2g after 300, so that nothing is shown", name, scales[99], scales[299])
		}
		if scales[1499] > 1.01*scales[299] {
			t.Errorf("%s: the scale goes from %.2g to %.2g on gradients that are next to nothing", name, scales[299], scales[1499])
		}
	}
}

// A network's layers and biases need steps of unlike length, however few values they have.
func TestSmallParametersFindScalesOfTheirOwn(t *testing.T) {
	for name, s := range map[string]solver.Adaptive{"Funnel": solver.NewFunnel(), "FunnelAdam": solver.NewFunnelAdam()} {
		rng := rand.New(rand.NewPCG(7, 7))
		agreeing := vector("agreeing", random(rng, 16), make([]float64, 16))
		noisy := vector("noisy", random(rng, 16), make([]float64, 16))
		for range 300 {
			g := random(rng, 16)
			for i := range g {
				g[i] += 1
			}
			set(agreeing.gradient, g)
			set(noisy.gradient, random(rng, 16))
			step(t, s, model(agreeing, noisy))
		}
		of := learned(s)
		t.Logf("%s: gradients agree: %.3g, are noise: %.3g", name, of[0].Scale, of[1].Scale)
		if !(of[0].Scale > 3*of[1].Scale) {
			t.Errorf("%s: the scale is %.3g where gradients agree and %.3g where they are noise", name, of[0].Scale, of[1].Scale)
		}
	}
}

// Between the walls of a valley most of a gradient goes against the step before it. What stays the
// same is the way along it, which shows in the sum of many steps: after some hundreds of them steps
// become longer again. Where there is no way along, they become ever shorter.
func TestStepsThatWallsThrowBackBecomeLongerWhereThereIsAWayAlongThem(t *testing.T) {
	const elements = 50
	for name, create := range map[string]func() solver.Adaptive{
		"Funnel":     func() solver.Adaptive { return solver.NewFunnel() },
		"FunnelAdam": func() solver.Adaptive { return solver.NewFunnelAdam() },
	} {
		for _, along := range []float64{0, 0.1} {
			rng, s := rand.New(rand.NewPCG(8, 8)), create()
			p := vector("p", random(rng, elements), make([]float64, elements))
			before, early := make([]float64, elements), 0.0
			for i := range 3000 {
				now, g := random(rng, elements), make([]float64, elements)
				for k := range g {
					g[k] = along*float64(k%3-1) + now[k] - 0.8*before[k]
				}
				before = now
				set(p.gradient, g)
				step(t, s, model(p))
				if i == 299 {
					early = learned(s)[0].Scale
				}
			}
			late := learned(s)[0].Scale
			t.Logf("%s, where %v of the gradient stays the same: the scale is %.2g after 300 steps and %.2g after 3000", name, along, early, late)
			if grows := late > early; grows != (along > 0) {
				t.Errorf("%s, where %v of the gradient stays the same: the scale goes from %.2g to %.2g", name, along, early, late)
			}
		}
	}
}

// The values of states that lead to one another in a ring each follow that of the next: all
// steps agree with those just before them, and go round in circles that grow with the steps. That
// they come back shows in the sum of many.
func TestStepsThatGoRoundInCirclesBecomeShorter(t *testing.T) {
	const states, discount = 10, 0.9
	for name, create := range map[string]func() solver.Adaptive{
		"Funnel":                  func() solver.Adaptive { return solver.NewFunnel() },
		"FunnelAdam":              func() solver.Adaptive { return solver.NewFunnelAdam() },
		"Augment around Adam":     func() solver.Adaptive { return solver.Augment(gorgonia.NewAdamSolver()) },
		"Augment around Momentum": func() solver.Adaptive { return solver.Augment(gorgonia.NewMomentum()) },
	} {
		for seed := range uint64(4) {
			rng, s := rand.New(rand.NewPCG(seed, 1)), create()
			truth, rewards := random(rng, states), make([]float64, states)
			for i := range rewards {
				rewards[i] = truth[i] - discount*truth[(i+1)%states]
			}
			p := vector("values", random(rng, states), make([]float64, states))
			begin := apart(floats(p.value), truth)
			for range 3000 {
				v, g := floats(p.value), make([]float64, states)
				for range 8 { // a batch
					i := rng.IntN(states)
					g[i] += (v[i] - rewards[i] - discount*v[(i+1)%states]) / 4
				}
				set(p.gradient, g)
				step(t, s, model(p))
			}
			end := apart(floats(p.value), truth)
			t.Logf("%s, seed %d: from a distance of %.2g to %.2g", name, seed, begin, end)
			if !(end < 0.01*begin) {
				t.Errorf("%s, seed %d: the distance goes from %.2g to %.2g", name, seed, begin, end)
			}
		}
	}
}

// apart is the distance of two points.
func apart(a, b []float64) (d float64) {
	for i := range a {
		d = math.Hypot(d, a[i]-b[i])
	}
	return d
}
