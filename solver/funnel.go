package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ Adaptive = (*Funnel)(nil)

// Funnel is gradient descent with momentum whose step sizes tune themselves:
// one gain p per coordinate and one scale s per parameter (or for the whole
// step, see WithScaleScope), both learned by exponentiated-gradient updates
// while the network trains.
//
//	s_{t+1} = s_t · min(1, h G/ḡ) · exp((γs + γw w_t) c_t − γs k_t (1−w_t) min(|c_t|, c_k)²)
//	          then at least κ s̄ and, where w_t > w_{t−1}, w_t √(A/T · B/W) T / (T + 100), then at most c_max a_t ‖θ_t‖ / ‖ν_{t+1}‖
//	p_{t+1} = (p_t + λ (1 − p_t)) ⊙ exp(γp sign(m_{t−1}) ⊙ sign(g_t))
//	ν_{t+1} = μ_t ν_t + η (p_{t+1} ⊙ g_t),  μ_t = μ (1 − f w_t)
//	θ_{t+1} = θ_t − s_{t+1} ν_{t+1}
//	m_t     = β m_{t−1} + (1−β) g_t
//
// with ν_0 = 0, m_0 = 0, p_0 = 1, and s_0 = ρ ‖θ_0‖ / ‖ν_1‖, which makes the first step ρ times as
// long as the parameters (WithInitialStep). c_t is the signal of the scale: how far the gradient
// still points along the last step, weighted by the gradient's size relative to earlier ones,
//
//	c_t = ν_t · g_t / (‖ν_t‖ ḡ),  with ‖g_t‖ counted as 5 ḡ at most
//	w_t = max(w_{t−1} e^{−1/τ}, min(min(z_{t−1}, z_t, 5) / n − 1, 1), min(min(z_t / 1.5, 1.5 r_{t−1}) / n − 1, ½))
//	z_t = c_t / σ,  r_t = ‖g_t‖ / ḡ
//
// where w_0 = 1 is the weight of the warm-up. A warm-up begins again where two signals in a row are
// more than n times as large as usual, or one that is larger still follows a large gradient. σ² is
// the running mean of c² up to step t−1, with decay 0.99 and c² counted as 25 σ² at most; ḡ² is
// that of ‖g‖², with decay 0.9 and ‖g‖² counted as 25 ḡ² at most. t in s_{t+1} counts the steps
// that moved something.
//
// s̄ is the geometric mean of the scale so far outside of warm-ups, where a step weighs 1−w_t, A/T
// the arithmetic one, and B/W that in warm-ups, where a step weighs w_t; T and W are the sums of
// these weights. Where s̄ or A/T exceeds c_max a_t ‖θ_t‖ / ‖ν_{t+1}‖ it falls to that, by 1% a step
// at most: a scale that suited tiny gradients is too large for others.
//
// G is the largest ḡ so far, which it follows slowly after the first warm-up (WithGradientGrowth):
// where the gradient suddenly becomes many times as large, the scale falls at once. Where ḡ is
// below 10⁻⁵ of its largest since step τ, training has converged, and c_t counts as 0 at most in
// s_{t+1}: otherwise the scale would grow on what is left of the gradient until it threw the
// weights away. The longest step grows less than the parameter where all gradients grow, too, as
// when two networks drive each other, or a network drives its own target:
//
//	a_t = max(min(1, max(‖θ‖̄, 0.3 √N) / ‖θ_t‖), the largest ḡ_low/ḡ of all parameters)
//
// where ‖θ‖̄ is the running mean of ‖θ‖ with decay 0.999, and ḡ_low the recent minimum of ḡ, which
// rises towards ḡ by the fraction max(0.001, w_{t−1}⁴) a step. For a parameter of N elements, c_t
// is then drawn towards the mean c̄_t of all parameters' signals, because the signal of few
// elements is mostly noise:
//
//	c_t ← c_t + n0 / (N + n0) (c̄_t − c_t),  each weighing min(N, n0) in c̄_t
//
// That is the signal along the last step, and w_t is computed from it. In s_{t+1}, c_t stands for
// w_t times that signal plus 1−w_t times the signal along the step average ū, measured and pooled
// in the same way:
//
//	c^ū_t  = e_t · g_t / (‖e_t‖ ḡ),  e_t = ū_t + 0.3 ν_t
//	ū_{t+1} = β_t (1−w_t) ū_t + 3 (1−β_u) ν_{t+1},  ū_0 = 0
//	β_t     = max(β_u, 1 − 1/L_t),  L_t = min((1−w_t) L_{t−1} + 1, 10 / (1−β_u)),  L_{−1} = 0
//
// If there are 4,096 elements or more, ū covers a fixed sample of them. L is the number of steps
// since the warm-up; the average covers them all, at least a hundred and at most a thousand. Where
// gradients have long been against ū_t, as when steps go round in circles, the last step does not
// count: ū_t replaces e_t in e_t · g_t while ā is below −0.1,
//
//	ā ← ā + 0.01 (ū_t · g_t / (‖e_t‖ ‖g_t‖) − ā),  0 at first
//
// Where gradients have long been along ū_t, steps make progress, and the noise correction is
// reduced:
//
//	k_t = k min(max(1 − ā / 0.04, 0), 1)
//
// In a warm-up the momentum is less, because old gradients come from far away. Where a step is too
// short to change a value, its gain only decays: the gradient will be the same at the next step,
// and the gain would grow without end. Raw gains, and gains whose bounds exclude 1, do grow.
//
// p and s are clipped to their bounds after every update. sign(0) is 0, and c_t is 0 where a norm
// is 0. g is the gradient after l1 and l2 regularisation, division by the batch size and clipping,
// in this order. An element of ν or m below the smallest normal number of its type is set to 0
// within 16 steps, because arithmetic with such numbers is slow.
//
// # The learning rate
//
// Half the learning rate starts with twice the scale, and nothing else depends on it: η is only the
// unit of s, and every learning rate gives the same training, up to rounding. Setting a new one
// with Apply does change the steps: twice the rate makes them twice as long, and the scale goes on
// from there. With WithInitialStep(0), η is the paper's. η also matters to a raw scale signal,
// which is proportional to it, and to a scale at its bounds.
//
// # Beyond the paper
//
// The paper has s_{t+1} = s_t · exp(γs ν_t · g_t) and p_{t+1} = p_t ⊙ exp(γp m_{t−1} ⊙ g_t), and
// its authors' implementation the cosine and the signs in place of the products (WithScaleSignal,
// WithGainSignal). The rest is added so that no learning rate need be chosen: the first step
// (WithInitialStep, ρ); a faster scale at first (WithScaleWarmup, γw and τ); a signal that weighs
// gradients by size (Relative); a longest step (WithMaxStep, c_max and a_t); a floor under the
// scale (WithScaleFloor, κ); a correction for noise (WithNoiseCorrection, k, and WithNoiseLimit,
// c_k); a scale that falls where the gradient is suddenly larger than ever (WithGradientGrowth, h);
// a warm-up that begins again after a shift (WithScaleRestart, n); signals that are pooled
// (WithSignalPooling, n0) and measured along an average of steps (WithStepAverage, β_u); a momentum
// that grows in a warm-up (WithMomentumWarmup, f); gains that decay to 1 (WithGainDecay, λ), and
// that learn nothing where a value does not change. WithPaperStep removes all of it.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated
// Gradient Updates, 2022, arXiv 2202.00145.
//
// Make one with NewFunnel. A Funnel belongs to one goroutine at a time; two of them share nothing.
// Its state of a parameter of n elements is ν, m and p, 12 n bytes for float32 and 24 n for
// float64, for as long as the parameter's memory lives, and ū of a sample: n elements up to 4,095,
// then 2,000 to 4,000, or n/32.
type Funnel struct{ adaptive adaptive }

// NewFunnel returns a Funnel. Options, all optional, with their defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithMomentum    μ   0.9
//	WithGradientDecay        β   0.9
//	WithMomentumWarmup       f   0.25
//	WithGainRate             γp  0.025
//	WithGainDecay            λ   0.01
//	WithScaleRate            γs  0.02
//	WithScaleWarmup          γw  0.5, τ 30
//	WithInitialStep          ρ   0.01
//	WithMaxStep              c_max 0.05
//	WithScaleFloor           κ   0.25
//	WithNoiseCorrection      k   1
//	WithNoiseLimit           c_k 0.3
//	WithGradientGrowth       h   1.5
//	WithScaleRestart         n   3
//	WithSignalPooling        n0  1
//	WithStepAverage          β_u 0.99
//	WithGainBounds               [0.01, 100]
//	WithScaleBounds              [1e-30, 1e+30]
//	WithGainSignal               Normalized
//	WithScaleSignal              Relative
//	WithScaleScope               PerParameter
//	WithBiasCorrection           off
//	gorgonia.WithBatchSize       1
//	gorgonia.WithClip            off
//	gorgonia.WithL1Reg           off
//	gorgonia.WithL2Reg           off
//
// Gorgonia's other options are ignored. Step reports an invalid value as a *HyperparameterError.
func NewFunnel(opts ...gorgonia.SolverOpt) *Funnel { return newFunnel(funnel, opts) }

func newFunnel(k kind, opts []gorgonia.SolverOpt) *Funnel {
	f := new(Funnel)
	f.adaptive.init(k, opts, newFunnelState)
	f.adaptive.stepLength = (*adaptive).velocityLength
	return f
}

// Step adapts gains and scale, changes the value of every parameter of the model, and zeroes their
// gradients. The model may be in any order, or a part of an earlier one: what has been learned
// follows the memory of the value. A parameter that is listed twice steps once.
//
// A step happens whole or not at all: on an error, values, gradients and what has been learned are
// unchanged. The error is a *HyperparameterError or a *ParameterError, or unwraps to ErrNotMade.
func (f *Funnel) Step(model []gorgonia.ValueGrad) error {
	a, err := f.made()
	if err != nil {
		return err
	}
	return a.step(model)
}

// Apply changes hyperparameters between steps and keeps what has been learned. If one is invalid,
// it changes none and returns a *HyperparameterError. Gorgonia's options work through Apply alone:
// called on the solver, as gorgonia.WithLearnRate(0.1)(s), they do nothing.
func (f *Funnel) Apply(opts ...gorgonia.SolverOpt) error {
	a, err := f.made()
	if err != nil {
		return err
	}
	return a.apply(opts)
}

// Adaptations returns what has been learned about each parameter of the last step, and about each
// other whose memory lives, in the order in which Step first saw them.
func (f *Funnel) Adaptations() []Adaptation {
	a, err := f.made()
	if err != nil {
		return nil
	}
	return a.adaptations()
}

func (f *Funnel) made() (*adaptive, error) {
	if f == nil || f.adaptive.create == nil {
		return nil, notMade("a Funnel", "NewFunnel")
	}
	return &f.adaptive, nil
}

func (f *Funnel) saver() (saver, error) { return f.made() }

func (f *Funnel) change(set func(*hyperparameters)) { f.adaptive.change(set) }

// velocityLength is ‖ν_{t+1}‖, with gains of 1 and a warm-up of weight w:
//
//	‖μ ν + η g‖² = μ² ‖ν‖² + 2 μ η ν · g + η² ‖g‖²
func (a *adaptive) velocityLength(_ []state, now reading, w float64) float64 {
	s, of := &now.sums, &now.exponents
	mu := a.warmed(a.momentum, w)
	e := max(of.D, of.G) // half the exponent of the common factor of all three terms
	velocity := math.Ldexp(s.SquaredDirection, 2*(of.D-e))
	dot := math.Ldexp(s.Dot, of.D+of.G-2*e)
	gradient := math.Ldexp(s.SquaredGradient, 2*(of.G-e))
	squared := float64(mu*mu*velocity) + float64(2*mu*a.learnRate*dot) + float64(a.learnRate*a.learnRate*gradient)
	return math.Ldexp(math.Sqrt(max(squared, 0)), e)
}

// newFunnelState returns the state of a parameter that has made no step.
func newFunnelState(value gorgonia.Value) state {
	if value.Dtype() == tensor.Float32 {
		return newFunnelStateOf[float32](value)
	}
	return newFunnelStateOf[float64](value)
}

func newFunnelStateOf[T kernel.Float](value gorgonia.Value) *funnelState[T] {
	s := new(funnelState[T])
	s.gained, s.nu, s.m = newGained[T](value)
	return s
}

// funnelState is a Funnel's state of one parameter.
type funnelState[T kernel.Float] struct {
	gained[T]
	nu, m []T // velocity, gradient average

	// scratch, valid during Step
	step            kernel.FunnelStep[T]
	part, alongPart kernel.FunnelPart[T]
}

func (s *funnelState[T]) prepare(h *hyperparameters) (blocks int) {
	blocks = s.read(h, h.momentum)
	s.step = kernel.FunnelStep[T]{
		Objective:      s.objective,
		Gain:           gain[T](h, kernel.Power(h.gradientDecay, max(s.steps, 1))),
		LearnRate:      T(h.learnRate),
		Momentum:       T(h.warmed(h.momentum, 1)), // for first, which is called before w is known and needs w = 1
		GradientDecay:  T(h.gradientDecay),
		GradientWeight: T(1 - h.gradientDecay),
	}
	return blocks
}

func (s *funnelState[T]) measure(block int) {
	a, b := s.within(block)
	s.blockSums[block] = kernel.Measure(s.theta[a:b], s.gradient[a:b], s.nu[a:b], &s.objective)
	if s.averages {
		s.alongBlocks[block] = kernel.MeasureAverage(s.theta, s.gradient, s.mean, s.nu, s.sample, a, b, &s.objective)
	}
}

func (s *funnelState[T]) measured() (kernel.Sums, kernel.Part) {
	s.part = kernel.FunnelPart[T]{Theta: s.theta, Gradient: s.gradient, Direction: s.nu, Objective: &s.objective}
	return s.total, &s.part
}

func (s *funnelState[T]) measuredAverage() (kernel.Sums, kernel.Part) {
	s.alongPart = s.part
	s.alongPart.Mean, s.alongPart.Sample = s.mean, s.sample
	return s.along(s.total, len(s.theta), kernel.LastShare), &s.alongPart
}

// first returns ‖θ_0‖² and ‖ν‖².
func (s *funnelState[T]) first() (value, step float64) {
	return s.squaredFirst(func(i int) T { return s.step.First(s.gradient[i], s.theta[i], s.nu[i], s.m[i], s.p[i]) })
}

// setScale sets the step's scale and momentum, and refuses a step that would make a number
// non-finite. Mostly the sums already rule that out.
func (s *funnelState[T]) setScale(h *hyperparameters, scale float64) error {
	c := &s.step
	c.Scale, c.Momentum = T(scale), T(h.warmed(h.momentum, 1-s.kept))
	g := min(s.largestGradient(), float64(s.objective.Clip))
	nu := float64(c.Momentum)*math.Sqrt(s.total.SquaredDirection) + float64(c.LearnRate)*float64(c.Gain.Max)*g
	s.boundAverage(h, nu, largest[T]()/8)
	if limit := largest[T]() / 8; g < limit && float64(c.Gain.Max)*g < limit && nu < limit && s.total.MaxValue+float64(c.Scale)*nu < limit {
		return nil
	}
	if i := kernel.OverflowFunnel(s.theta, s.gradient, s.nu, s.m, s.p, c); i >= 0 {
		return s.At(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *funnelState[T]) update(block int) {
	a, b := s.within(block)
	kernel.UpdateFunnel(s.theta[a:b], s.gradient[a:b], s.nu[a:b], s.m[a:b], s.p[a:b], &s.step)
	flush := s.flushDue(block)
	s.updateAverage(a, b, s.nu, &s.progress, flush)
	if flush {
		kernel.FlushFunnel(s.nu[a:b], s.m[a:b])
	}
}

// Release drops the references to the parameter's memory.
func (s *funnelState[T]) Release() {
	s.part, s.alongPart = kernel.FunnelPart[T]{}, kernel.FunnelPart[T]{}
	s.gained.Release()
}

func (s *funnelState[T]) tensors(h *hyperparameters) []*checkpoint.Tensor {
	return append(s.gained.tensors(h),
		&checkpoint.Tensor{Role: "velocity", Data: checkpoint.Floats[T](s.nu), Least: checkpoint.AnyFinite},
		&checkpoint.Tensor{Role: "average", Data: checkpoint.Floats[T](s.m), Least: checkpoint.AnyFinite})
}

func (s *funnelState[T]) restore(r checkpoint.Parameter) error {
	s.gained.restore(r)
	return nil
}

func (s *funnelState[T]) restored() {}
