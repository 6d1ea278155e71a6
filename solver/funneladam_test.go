package solver_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// still makes a solver that adapts nothing.
var still = []gorgonia.SolverOpt{solver.WithGainRate(0), solver.WithScaleRate(0)}

func TestWithBothRatesZeroFunnelAdamIsAdam(t *testing.T) {
	opts := []gorgonia.SolverOpt{
		gorgonia.WithLearnRate(0.05), gorgonia.WithBeta1(0.8), gorgonia.WithBeta2(0.99), gorgonia.WithEps(1e-3),
		gorgonia.WithBatchSize(4), gorgonia.WithClip(0.2), gorgonia.WithL1Reg(0.01), gorgonia.WithL2Reg(0.1),
	}
	for _, p := range precisions {
		t.Run(p.dtype.String(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(21, 21))
			start := random(rng, 60)
			f, a := solver.NewFunnelAdam(append(opts, still...)...), gorgonia.NewAdamSolver(opts...)
			var ps [2]*param
			for k := range ps {
				ps[k] = &param{value: tensor.New(tensor.Of(p.dtype), tensor.WithShape(5, 12)), gradient: tensor.New(tensor.Of(p.dtype), tensor.WithShape(5, 12))}
				set(ps[k].value, start)
			}
			for i := range 200 {
				g := random(rng, 60)
				set(ps[0].gradient, g)
				set(ps[1].gradient, g)
				step(t, f, model(ps[0]))
				step(t, a, model(ps[1]))
				within(t, i, "value", floats(ps[0].value), floats(ps[1].value), p.tolerance)
			}
		})
	}
}

// within compares with a tolerance relative to the values a problem started
// from, which were about 1.
func within(t *testing.T, step int, what string, got, want []float64, tolerance float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= tolerance) {
			t.Fatalf("step %d: %s[%d] = %.15g, want %.15g, %.1e away", step+1, what, i, got[i], want[i], d)
		}
	}
}

// A network trains with Adam. FunnelAdam goes along on a copy of the parameters
// that gets the same gradients, so that nothing tells them apart but their own
// rounding in float32. Gorgonia takes 1−β2 from a rounded β2, which changes v by
// 1.3e-5 of itself and a step by half of that: after 200 steps of 0.001, 1.3e-6
// and some rounding of the values.
func TestWithBothRatesZeroFunnelAdamIsAdamOnARealNetwork(t *testing.T) {
	long(t)
	f, copies := solver.NewFunnelAdam(still...), map[gorgonia.ValueGrad]*param{}
	along := func(i int, params []gorgonia.ValueGrad, adam func()) {
		var ps []*param
		for _, vg := range params {
			gradient, err := vg.Grad()
			must(err)
			if copies[vg] == nil {
				copies[vg] = &param{value: vg.Value().(*tensor.Dense).Clone().(*tensor.Dense)}
			}
			copies[vg].gradient = gradient.(*tensor.Dense).Clone().(*tensor.Dense)
			ps = append(ps, copies[vg])
		}
		step(t, f, model(ps...))
		adam()
		for k, vg := range params {
			within(t, i, fmt.Sprintf("parameter %d", k), floats(ps[k].value), floats(vg.Value()), 5e-6)
		}
	}
	losses := trainMLP(t, gorgonia.NewAdamSolver(), along)
	late := 0.0
	for _, loss := range losses[180:] {
		late += loss / 20
	}
	if late > losses[0]/2 {
		t.Errorf("loss %v, then %v: the network has learned nothing", losses[0], late)
	}

	// Each on its own way, they come by the same losses. (Where a gradient is all
	// rounding error Adam goes as far as anywhere, so weights come apart.)
	alone := func(_ int, _ []gorgonia.ValueGrad, step func()) { step() }
	within(t, 199, "loss", trainMLP(t, solver.NewFunnelAdam(still...), alone), losses, 0.01)
}

// trainMLP makes 200 steps on the stream of synthetic digits, each by calling
// around with what makes it.
func trainMLP(t *testing.T, s gorgonia.Solver, around func(i int, params []gorgonia.ValueGrad, step func())) (losses []float64) {
	t.Helper()
	const batch, steps = 16, 200
	schedule, err := mnist.Jumps([]float64{0}, steps)
	must(err)
	stream, err := mnist.NewStream(mnist.Synthetic(steps*batch, 1), schedule, batch, 1)
	must(err)
	defer stream.Close()
	net, err := mnist.NewMLP([]int{32}, batch, 1)
	must(err)
	defer net.Close()
	for b := stream.Next(); b != nil; b = stream.Next() {
		must(net.Run(b.Images, b.Labels))
		losses = append(losses, net.Loss())
		around(b.Step, net.Model(), func() { step(t, s, net.Model()) })
	}
	return losses
}

// plainAdam is a FunnelAdam as its equations are written, with d in an array.
type plainAdam struct {
	eta, beta1, beta2, eps, gainRate, scaleRate     float64
	raw, corrected                                  bool
	initialStep, warmupRate, warmupSteps, gainDecay float64
	maxStep, floor, correction, momentumWarmup      float64
	relative                                        bool
	scale, squaredNorm, sum                         float64 // s, ḡ², A
	rise                                            float64 // ‖g‖ / ḡ
	low, length                                     float64 // ḡ_low, ‖θ‖̄
	steps                                           int
}

type plainParameter struct {
	value, gradient, m, v, p, d []float64
	start                       float64 // b
	t                           int
}

func newPlainParameter(value []float64) *plainParameter {
	n := len(value)
	return &plainParameter{start: 1, value: slices.Clone(value), m: make([]float64, n), v: make([]float64, n), p: slices.Repeat([]float64{1}, n), d: make([]float64, n)}
}

func (a *plainAdam) step(ps ...*plainParameter) {
	var dot, dd, gg float64
	for _, q := range ps {
		for i, g := range q.gradient {
			dot, dd, gg = dot+q.d[i]*g, dd+q.d[i]*q.d[i], gg+g*g
		}
	}
	if !a.raw {
		if dot /= math.Sqrt(dd * gg); dd == 0 {
			dot = 0
		}
	}
	if a.relative {
		if a.steps == 0 {
			a.squaredNorm = gg
		}
		a.rise = math.Sqrt(gg / a.squaredNorm)
		ratio := math.Min(a.rise, 5)
		a.squaredNorm *= 0.9 + 0.1*ratio*ratio
		dot *= ratio
	}
	if a.steps == 0 && a.initialStep > 0 {
		a.scale = a.initialScale(ps)
	}
	w := 0.0
	if a.warmupRate > 0 {
		w = math.Exp(-float64(a.steps) / a.warmupSteps)
	}
	a.scale *= math.Exp((a.scaleRate+a.warmupRate*w)*dot - a.scaleRate*a.correction*(1-w)*dot*dot)
	a.steps++
	a.limit(ps, dd)
	for _, q := range ps {
		q.t++
		beta1 := a.beta1 * (1 - a.momentumWarmup*w)
		if q.start *= beta1; a.momentumWarmup == 0 {
			q.start = math.Pow(a.beta1, float64(q.t))
		}
		for i, g := range q.gradient {
			q.p[i] = (q.p[i] + a.gainDecay*(1-q.p[i])) * math.Exp(a.gainRate*a.gainSignal(q, i))
			q.m[i] = beta1*q.m[i] + (1-beta1)*q.p[i]*g
			q.v[i] = a.beta2*q.v[i] + (1-a.beta2)*g*g
			m, v := q.m[i]/(1-q.start), q.v[i]/(1-math.Pow(a.beta2, float64(q.t)))
			q.d[i] = m / (math.Sqrt(v) + a.eps)
			q.value[i] -= a.eta * a.scale * q.d[i]
		}
	}
}

// limit applies the longest step and the floor.
func (a *plainAdam) limit(ps []*plainParameter, squaredDirection float64) {
	squared, n, longest := 0.0, 0, math.Inf(1)
	for _, q := range ps {
		for _, v := range q.value {
			squared, n = squared+v*v, n+1
		}
	}
	if length := math.Sqrt(math.Max(squared, 0.03*0.03*float64(n))); a.maxStep > 0 && squaredDirection > 0 {
		direction := math.Sqrt(squaredDirection)
		ahead := (1 - a.beta1) * math.Min(a.rise*direction, math.Sqrt(float64(n)/(1-a.beta2)))
		longest = a.maxStep * length / (a.eta * math.Max(direction, ahead))
		if a.relative {
			longest *= a.slowed(length, math.Sqrt(float64(n)))
		}
	}
	a.scale = math.Min(a.scale, longest)
	if a.steps > 1 {
		a.sum = math.Min(a.sum, float64(a.steps-1)*longest)
	}
	a.sum += a.scale
	a.scale = math.Min(math.Max(a.scale, a.floor*a.sum/float64(a.steps)), longest)
}

// slowed is the share of the longest step that is left where values and gradients grow.
func (a *plainAdam) slowed(length, root float64) float64 {
	norm := math.Sqrt(a.squaredNorm)
	if a.low == 0 {
		a.low = norm
	}
	if a.length == 0 {
		a.length = length
	}
	a.low = math.Min(norm, 0.999*a.low+0.001*norm)
	a.length = 0.999*a.length + 0.001*length
	return math.Min(1, math.Max(math.Max(a.length, 0.3*root)/length, a.low/norm))
}

// initialScale is s_0: the first step of Adam is η g / (|g| + ε).
func (a *plainAdam) initialScale(ps []*plainParameter) float64 {
	var value, step float64
	for _, q := range ps {
		for i, g := range q.gradient {
			u := a.eta * g / (math.Abs(g) + a.eps)
			value, step = value+q.value[i]*q.value[i], step+u*u
		}
	}
	length := a.initialStep
	if a.maxStep > 0 {
		length = math.Min(length, a.maxStep)
	}
	return length * math.Sqrt(value/step)
}

func (a *plainAdam) gainSignal(q *plainParameter, i int) float64 {
	x := q.m[i] * q.gradient[i]
	switch {
	case a.corrected:
		return x / (1 - math.Pow(a.beta1, float64(max(q.t-1, 1))))
	case a.raw:
		return x
	case x == 0:
		return 0
	}
	return math.Copysign(1, x)
}

// A parameter joins late, and hyperparameters change: d of the step before is
// what it was when it was made.
func TestFunnelAdamIsItsEquationsWhateverApplyChanges(t *testing.T) {
	for name, c := range map[string]struct {
		plain plainAdam
		opts  []gorgonia.SolverOpt
	}{
		"our defaults, without restarts, limit and step average, and with one scale": {plainAdam{momentumWarmup: 0.25, gainRate: 0.01, scaleRate: 0.05, initialStep: 0.03, warmupRate: 0.4, warmupSteps: 20, gainDecay: 0.015, maxStep: 0.035, floor: 0.25, correction: 0.3, relative: true},
			[]gorgonia.SolverOpt{solver.WithScaleScope(solver.Global), solver.WithGainRate(0.01), solver.WithScaleRestart(0), solver.WithStepAverage(0), solver.WithNoiseCorrection(0.3), solver.WithNoiseLimit(5)}},
		"our own, raw":       {plainAdam{momentumWarmup: 0.5, gainRate: 0.1, scaleRate: 0.01, initialStep: 0.5, warmupRate: 0.01, warmupSteps: 5, gainDecay: 0.3, raw: true, maxStep: 0.035, floor: 0.25}, []gorgonia.SolverOpt{solver.WithMomentumWarmup(0.5), solver.WithScaleScope(solver.Global), solver.WithRawSignals(), solver.WithGainRate(0.1), solver.WithScaleRate(0.01), solver.WithInitialStep(0.5), solver.WithScaleWarmup(0.01, 5), solver.WithGainDecay(0.3)}},
		"normalized":         {plainAdam{gainRate: 0.003, scaleRate: 0.1}, []gorgonia.SolverOpt{solver.WithPaperStep(), solver.WithGainRate(0.003)}},
		"raw":                {plainAdam{gainRate: 0.1, scaleRate: 0.01, raw: true}, []gorgonia.SolverOpt{solver.WithPaperStep(), solver.WithRawSignals(), solver.WithGainRate(0.1), solver.WithScaleRate(0.01)}},
		"raw bias-corrected": {plainAdam{gainRate: 0.1, scaleRate: 0.01, raw: true, corrected: true}, []gorgonia.SolverOpt{solver.WithPaperStep(), solver.WithRawSignals(), solver.WithBiasCorrection(), solver.WithGainRate(0.1), solver.WithScaleRate(0.01)}},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(22, 22))
			f, a := solver.NewFunnelAdam(c.opts...), c.plain
			a.eta, a.beta1, a.beta2, a.eps, a.scale = 0.001, 0.9, 0.999, 1e-8, 1
			var ps []*param
			var qs []*plainParameter
			for i := range 30 {
				switch i {
				case 0, 6:
					v := random(rng, 8)
					ps, qs = append(ps, vector("w", v, v)), append(qs, newPlainParameter(v))
				case 12:
					a.eta, a.beta1, a.beta2, a.eps = 0.02, 0.5, 0.9, 0.1
					must(f.Apply(gorgonia.WithLearnRate(0.02), gorgonia.WithBeta1(0.5), gorgonia.WithBeta2(0.9), gorgonia.WithEps(0.1)))
				}
				for k := range ps {
					qs[k].gradient = random(rng, 8)
					set(ps[k].gradient, qs[k].gradient)
				}
				step(t, f, model(ps...))
				a.step(qs...)
				for k, adaptation := range f.Adaptations() {
					compare(t, i, "scale", []float64{adaptation.Scale}, []float64{a.scale}, 1e-12)
					compare(t, i, "gain", adaptation.Gain, qs[k].p, 1e-12)
					within(t, i, "value", floats(ps[k].value), qs[k].value, 1e-12)
				}
			}
		})
	}
}

func TestFunnelAdamWithNegligibleEpsDoesNotSeeTheGradientsSize(t *testing.T) {
	run := func(factor float64) (floats64 []float64) {
		rng := rand.New(rand.NewPCG(23, 23))
		f := solver.NewFunnelAdam(gorgonia.WithEps(1e-300))
		p := vector("w", random(rng, 30), make([]float64, 30))
		for range 50 {
			g := random(rng, 30)
			for i := range g {
				g[i] *= factor
			}
			set(p.gradient, g)
			step(t, f, model(p))
		}
		a := f.Adaptations()[0]
		return append(append(a.Gain, a.Scale), floats(p.value)...)
	}
	want := run(1)
	for _, factor := range []float64{0x1p40, 0x1p-40, 0x1p300, 0x1p-300} {
		if !sameBits(run(factor), want) {
			t.Errorf("gradients %v times as large: another gain, scale or value", factor)
		}
	}
}

// With an ε so large that d is proportional to m, the cosine does not depend on
// it, whatever becomes of the square of d.
func TestTheScaleOfFunnelAdamSurvivesSquaresOutOfRange(t *testing.T) {
	var scales []float64
	for _, eps := range []float64{1e100, 1e200} {
		rng := rand.New(rand.NewPCG(24, 24))
		f := solver.NewFunnelAdam(solver.WithPaperStep(), gorgonia.WithEps(eps))
		p := vector("w", random(rng, 30), nil)
		for range 20 {
			p.gradient = dense(random(rng, 30), 30)
			step(t, f, model(p))
		}
		scales = append(scales, f.Adaptations()[0].Scale)
	}
	if scales[0] == 1 || !closeTo(scales[0], scales[1], 1e-12) {
		t.Errorf("scales %v, want the same, and not 1", scales)
	}
}

func TestACoordinateWithoutGradientStaysWhereItIs(t *testing.T) {
	for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, eps := range []float64{1e-8, 1e-45, 1e-60, 5e-324, 1e300} {
			f := solver.NewFunnelAdam(gorgonia.WithEps(eps), gorgonia.WithLearnRate(1))
			p := &param{"w", tensor.New(tensor.Of(dtype), tensor.WithShape(9)), tensor.New(tensor.Of(dtype), tensor.WithShape(9))}
			for range 3 {
				step(t, f, model(p))
			}
			if !sameBits(floats(p.value), make([]float64, 9)) {
				t.Errorf("%v, ε = %v: %v", dtype, eps, floats(p.value))
			}
		}
	}
}

func TestAGradientWhoseSquareOverflowsIsRefusedUnlessItIsClipped(t *testing.T) {
	fresh := func() *param { return &param{"w", dense([]float32{1, 2}, 2), dense([]float32{1, 1e25}, 2)} }
	var pe *solver.ParameterError
	if err := solver.NewFunnelAdam().Step(model(fresh())); !errors.Is(err, solver.ErrNonFiniteStep) || !errors.As(err, &pe) || !slices.Equal(pe.Index, []int{1}) {
		t.Errorf("error %v, want ErrNonFiniteStep at [1]", err)
	}
	step(t, solver.NewFunnelAdam(gorgonia.WithClip(1)), model(fresh()))
}
