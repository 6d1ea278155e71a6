package solver

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ Adaptive = (*FunnelAdam)(nil)

// FunnelAdam is Adam whose step sizes tune themselves: one gain p per
// coordinate and one scale s per parameter (or for the whole step, see
// WithScaleScope), both learned by exponentiated-gradient updates while the
// network trains.
//
//	p_t = (p_{t−1} + λ (1 − p_{t−1})) ⊙ exp(γp sign(m_{t−1}) ⊙ sign(g_t))
//	s_t = s_{t−1} · exp((γs + γw w_t) c_t − γs k_t (1−w_t) min(|c_t|, c_k)²),
//	      then at least κ s̄ and, where w_t > w_{t−1}, min(2 w_t, 1) √(A/T · B/W) T / (T + 100),
//	      then at most c_max a_t ‖θ_{t−1}‖ / û_t,  û_t = η max(‖d_{t−1}‖, (1−β1) min(‖g_t‖/ḡ ‖d_{t−1}‖, √(n/(1−β2))))
//	m_t = β1_t m_{t−1} + (1−β1_t) p_t ⊙ g_t,  β1_t = β1 (1 − f w_t),  b_t = β1_t b_{t−1}
//	v_t = β2 v_{t−1} + (1−β2) g_t²
//	d_t = (m_t / (1 − b_t)) / (√(v_t / (1−β2^t)) + ε)
//	θ_t = θ_{t−1} − η s_t d_t
//
// with m_0 = 0, b_0 = 1, v_0 = 0, d_0 = 0, p_0 = 1 and s_0 = ρ ‖θ_0‖ / (η ‖d_1‖), which makes the
// first step ρ times as long as the parameters. The signal is c_t = d_{t−1} · g_t / (‖d_{t−1}‖ ḡ),
// pooled (WithSignalPooling), and at most 0 where ḡ is tiny. The weight w_t of the warm-up, the
// means s̄, A/T and B/W of the scale, a_t, k_t and the step average ū are as in Funnel's
// documentation, and so is the rule for steps too short to change a value. ū averages m here, and
// is divided as m is to make e. Where signals have long been below −0.1, κ counts up to twice
// (WithScaleFloor).
//
// û_t estimates, before the step, its length with a scale of 1: where the gradient is suddenly many
// times as large, so is d, up to a length set by the number n of values. s̄ and A/T fall to c_max
// a_t ‖θ_{t−1}‖ / û_t at once, not by 1% a step.
//
// t is the parameter's own step, counted from 1; in s_t it counts the steps that moved something
// and, with Global scope, the solver's. The raw signals are m_{t−1} ⊙ g_t for the gain and d_{t−1}
// · g_t for the scale. p and s are clipped to their bounds after every update. g is the gradient
// after l1 and l2 regularisation, division by the batch size and clipping, in this order. An
// element of m below the smallest normal number of its type is set to 0 within 16 steps, and so is
// one of v where m is 0, because arithmetic with such numbers is slow. With γp = γs = 0 it is
// gorgonia.AdamSolver.
//
// What Funnel's documentation says about the learning rate and about additions to the paper holds
// here, too, except that a raw scale signal does not depend on the learning rate.
//
// The state of a parameter of n elements is m, v and p, 12 n bytes for float32 and 24 n for
// float64, and ū of a sample, as for a Funnel; d_{t−1} is recomputed. In float32 a gradient beyond
// about 10^20 overflows v, and is refused as ErrNonFiniteStep: clip it.
//
// Source: as Funnel's; and Kingma, Ba, Adam: A Method for Stochastic
// Optimization, 2015, arXiv 1412.6980.
//
// Make one with NewFunnelAdam. A FunnelAdam belongs to one goroutine at a time; two of them share
// nothing. Its state of a parameter lives as long as the parameter's memory.
type FunnelAdam struct{ adaptive adaptive }

// NewFunnelAdam returns a FunnelAdam. Options, all optional, with their
// defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithBeta1       β1  0.9
//	gorgonia.WithBeta2       β2  0.999
//	gorgonia.WithEps         ε   1e-08
//	WithMomentumWarmup       f   0.25
//	WithGainRate             γp  0.02
//	WithGainDecay            λ   0.015
//	WithScaleRate            γs  0.05
//	WithScaleWarmup          γw  0.4, τ 20
//	WithInitialStep          ρ   0.03
//	WithMaxStep              c_max 0.035
//	WithScaleFloor           κ   0.25
//	WithNoiseCorrection      k   0.6
//	WithNoiseLimit           c_k 0.3
//	WithGradientGrowth       h   0
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
// β1 and β2 are at least 0 and below 1, ε is finite and at least 0. Other options, WithMomentum and
// WithGradientDecay among them, are ignored. Step reports an invalid value as a
// *HyperparameterError.
func NewFunnelAdam(opts ...gorgonia.SolverOpt) *FunnelAdam {
	f := new(FunnelAdam)
	f.adaptive.init(funnelAdam, opts, newAdamState)
	f.adaptive.stepLength = (*adaptive).directionLength
	return f
}

// Step adapts gains and scale, changes the value of every parameter of the
// model, and zeroes their gradients, or changes nothing and returns an error, as
// Funnel's does.
func (f *FunnelAdam) Step(model []gorgonia.ValueGrad) error {
	a, err := f.made()
	if err != nil {
		return err
	}
	return a.step(model)
}

// Apply changes hyperparameters between steps, as Funnel's does.
func (f *FunnelAdam) Apply(opts ...gorgonia.SolverOpt) error {
	a, err := f.made()
	if err != nil {
		return err
	}
	return a.apply(opts)
}

// Adaptations returns what has been learned about each parameter of the last step, and about each
// other whose memory lives, in the order in which Step first saw them.
func (f *FunnelAdam) Adaptations() []Adaptation {
	a, err := f.made()
	if err != nil {
		return nil
	}
	return a.adaptations()
}

func (f *FunnelAdam) made() (*adaptive, error) {
	if f == nil || f.adaptive.create == nil {
		return nil, notMade("a FunnelAdam", "NewFunnelAdam")
	}
	return &f.adaptive, nil
}

func (f *FunnelAdam) saver() (saver, error) { return f.made() }

func (f *FunnelAdam) change(set func(*hyperparameters)) { f.adaptive.change(set) }

// directionLength is û_t. d_t is unknown before the second pass, but seldom much longer than
// d_{t−1}, unless the gradient is suddenly many times as large: m and d then become (1−β1) ‖g‖/ḡ
// times as large, up to the length of d after a single gradient that follows none.
func (a *adaptive) directionLength(of []state, now reading, _ float64) float64 {
	length := math.Ldexp(math.Sqrt(now.sums.SquaredDirection), now.exponents.D)
	if a.foreseen && length > 0 {
		most := math.Sqrt(float64(elementsOf(of)) / (1 - a.beta2))
		length = max(length, float64((1-a.beta1)*min(float64(now.rise*length), most)))
	}
	return a.learnRate * length
}

// newAdamState returns the state of a parameter that has made no step.
func newAdamState(value gorgonia.Value) state {
	if value.Dtype() == tensor.Float32 {
		return newAdamStateOf[float32](value)
	}
	return newAdamStateOf[float64](value)
}

func newAdamStateOf[T kernel.Float](value gorgonia.Value) *adamState[T] {
	s := &adamState[T]{last: kernel.AdamDirection[T]{Eps: 1}} // d_0 = 0
	s.gained, s.m, s.v = newGained[T](value)
	return s
}

// adamState is a FunnelAdam's state of one parameter.
type adamState[T kernel.Float] struct {
	gained[T]
	m, v       []T                     // first and second moment
	maxM, maxV float64                 // upper bounds of |m| and v
	last       kernel.AdamDirection[T] // of the last step, unaffected by Apply
	start      float64                 // b, the weight of m_0 in m; 0 where it is β1^t

	// scratch, valid during Step
	learnRate       float64
	step            kernel.AdamStep[T]
	part, alongPart kernel.AdamPart[T]
	nextM, nextV    float64 // maxM and maxV after the step
	nextStart       float64
}

func (s *adamState[T]) prepare(h *hyperparameters) (blocks int) {
	blocks = s.read(h, h.beta1)
	s.learnRate = h.learnRate
	s.step = kernel.AdamStep[T]{
		Objective: s.objective,
		Gain:      gain[T](h, s.startAfter(h, max(s.steps, 1))),
		Beta2:     T(h.beta2),
		Weight2:   T(1 - h.beta2),
	}
	s.warm(h, 1) // for first, which is called before w is known and needs w = 1
	return blocks
}

// warm sets β1_t, b_t and the coefficients of d_t for the weight w of the step's warm-up.
func (s *adamState[T]) warm(h *hyperparameters, w float64) {
	t, beta := s.steps+1, h.warmed(h.beta1, w)
	start := kernel.Power(h.beta1, t)
	if s.nextStart = 0; h.momentumWarmup > 0 || s.start > 0 {
		start = float64(s.startAfter(h, s.steps) * beta)
		s.nextStart = start
	}
	s.step.Beta1, s.step.Weight1 = T(beta), T(1-beta)
	s.step.Direction = adamDirection[T](h, t, start)
}

// startAfter returns b after the steps made so far.
func (s *adamState[T]) startAfter(h *hyperparameters, steps int) float64 {
	if s.start > 0 {
		return s.start
	}
	return kernel.Power(h.beta1, steps)
}

// adamDirection returns the coefficients of d in a parameter's step t; start is b_t. Its ε is
// positive and finite in T, too, so that a coordinate that never had a gradient has d = 0/ε and not
// 0/0.
func adamDirection[T kernel.Float](h *hyperparameters, t int, start float64) kernel.AdamDirection[T] {
	correction := math.Sqrt(1 - kernel.Power(h.beta2, t))
	eps := max(T(min(h.eps*correction, largest[T]())), smallest[T]())
	return kernel.AdamDirection[T]{Correction: T(correction / (1 - start)), Eps: eps}
}

func (s *adamState[T]) measure(block int) {
	a, b := s.within(block)
	s.blockSums[block] = kernel.MeasureAdam(s.theta[a:b], s.gradient[a:b], s.m[a:b], s.v[a:b], &s.last, &s.objective)
	if s.averages {
		s.alongBlocks[block] = kernel.MeasureAverageAdam(s.theta, s.gradient, s.mean, s.m, s.v, s.sample, a, b, &s.last, &s.objective)
	}
}

func (s *adamState[T]) measured() (kernel.Sums, kernel.Part) {
	s.part = kernel.AdamPart[T]{Theta: s.theta, Gradient: s.gradient, M: s.m, V: s.v, Last: &s.last, Objective: &s.objective}
	return s.total, &s.part
}

func (s *adamState[T]) measuredAverage() (kernel.Sums, kernel.Part) {
	s.alongPart = s.part
	s.alongPart.Mean, s.alongPart.Sample = s.mean, s.sample
	return s.along(s.total, len(s.theta), kernel.LastShare), &s.alongPart
}

// first returns ‖θ_0‖² and ‖η d‖².
func (s *adamState[T]) first() (value, step float64) {
	return s.squaredFirst(func(i int) T {
		return T(s.learnRate) * s.step.First(s.gradient[i], s.theta[i], s.m[i], s.v[i], s.p[i])
	})
}

// setScale sets the step's scale and β1_t, and refuses a step that would make a number non-finite.
// Mostly the bounds already rule that out.
func (s *adamState[T]) setScale(h *hyperparameters, scale float64) error {
	s.warm(h, 1-s.kept)
	s.step.Rate = T(s.learnRate * scale)
	bounded := s.bounded()
	s.boundAverage(h, s.nextM, largest[T]()/8)
	if bounded {
		return nil
	}
	if i := kernel.OverflowAdam(s.theta, s.gradient, s.m, s.v, s.p, &s.step); i >= 0 {
		return s.At(i, ErrNonFiniteStep)
	}
	return nil
}

// bounded updates the upper bounds of |m| and v for the step, and reports whether they show that
// the step leaves all numbers finite.
func (s *adamState[T]) bounded() bool {
	const rounding = 1 + 0x1p-20 // more than the rounding error of one float32 step
	c, limit := &s.step, largest[T]()/8
	g := min(s.largestGradient(), float64(c.Clip))
	s.nextM = (float64(c.Beta1)*s.maxM + float64(c.Weight1)*float64(c.Gain.Max)*g) * rounding
	s.nextV = (float64(c.Beta2)*s.maxV + float64(c.Weight2)*g*g) * rounding
	m := max(1, float64(c.Direction.Correction)) * s.nextM
	d := m / float64(c.Direction.Eps)
	return float64(c.Gain.Max)*g < limit && m < limit && s.nextV < limit && d < limit && s.total.MaxValue+float64(c.Rate)*d < limit
}

func (s *adamState[T]) update(block int) {
	a, b := s.within(block)
	kernel.UpdateAdam(s.theta[a:b], s.gradient[a:b], s.m[a:b], s.v[a:b], s.p[a:b], &s.step)
	flush := s.flushDue(block)
	s.updateAverage(a, b, s.m, &s.progress, flush)
	if flush {
		kernel.FlushAdam(s.m[a:b], s.v[a:b])
	}
}

func (s *adamState[T]) finish() (moved bool) {
	s.last, s.start = s.step.Direction, s.nextStart
	// A committed step left m and v finite, whatever the bounds say.
	s.maxM, s.maxV = atMostLargest[T](s.nextM), atMostLargest[T](s.nextV)
	return s.gained.finish()
}

// atMostLargest returns x, or the largest number of T if x is larger or NaN.
func atMostLargest[T kernel.Float](x float64) float64 {
	if x <= largest[T]() {
		return x
	}
	return largest[T]()
}

// Release drops the references to the parameter's memory.
func (s *adamState[T]) Release() {
	s.part, s.alongPart = kernel.AdamPart[T]{}, kernel.AdamPart[T]{}
	s.gained.Release()
}

func (s *adamState[T]) tensors(h *hyperparameters) []*checkpoint.Tensor {
	return append(s.gained.tensors(h),
		&checkpoint.Tensor{Role: "first", Data: checkpoint.Floats[T](s.m), Least: checkpoint.AnyFinite},
		&checkpoint.Tensor{Role: "second", Data: checkpoint.Floats[T](s.v), Least: 0})
}

func (s *adamState[T]) save() checkpoint.Parameter {
	r := s.gained.save()
	r.Direction, r.Start = []float64{float64(s.last.Correction), float64(s.last.Eps)}, s.start
	return r
}

func (s *adamState[T]) restore(r checkpoint.Parameter) error {
	if len(r.Direction) != 2 {
		return errors.New("it lacks the coefficients of the last direction")
	}
	s.last = kernel.AdamDirection[T]{Correction: T(r.Direction[0]), Eps: T(r.Direction[1])}
	if !(s.last.Correction >= 0 && isFinite(float64(s.last.Correction)) && s.last.Eps > 0 && isFinite(float64(s.last.Eps))) {
		return fmt.Errorf("the coefficients of the last direction are %v", r.Direction)
	}
	if s.start = r.Start; !(0 <= s.start && s.start < 1) {
		return fmt.Errorf("the weight of its first moment's start is %v", r.Start)
	}
	s.gained.restore(r)
	return nil
}

func (s *adamState[T]) restored() {
	for i, m := range s.m {
		s.maxM, s.maxV = max(s.maxM, math.Abs(float64(m))), max(s.maxV, float64(s.v[i]))
	}
}
