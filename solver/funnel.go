package solver

import (
	"math"
	"runtime"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ gorgonia.Solver = (*Funnel)(nil)

// Funnel is gradient descent with momentum whose step sizes tune themselves:
// one gain p per coordinate and one scale s for the whole step, both learned
// by exponentiated-gradient updates while the network trains.
//
//	s_{t+1} = s_t · exp(γs ν_t · g_t)
//	p_{t+1} = p_t ⊙ exp(γp m_{t−1} ⊙ g_t)
//	ν_{t+1} = μ ν_t + η (p_{t+1} ⊙ g_t)
//	m_t     = β m_{t−1} + (1−β) g_t
//	θ_{t+1} = θ_t − s_{t+1} ν_{t+1}
//
// with ν_0 = 0, m_0 = 0, p_0 = 1, s_0 = 1, so that the first step is a plain
// gradient-descent step. By default both signals are normalized: the gain's is
// sign(m_{t−1}) ⊙ sign(g_t), the scale's the cosine ν_t · g_t / (‖ν_t‖ ‖g_t‖),
// 0 where either norm is. p and s are clipped to their bounds after every
// update. g is the gradient after l1 and l2 regularisation, division by the
// batch size and clipping, in this order.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated
// Gradient Updates, 2022, arXiv 2202.00145.
//
// Make one with NewFunnel. A Funnel belongs to one goroutine at a time; two of
// them share nothing. It keeps what it has learned of every parameter it has
// seen, and the parameter with it, for as long as it lives.
type Funnel struct {
	hyperparameters
	parameters registry[funnelParameter]
	scale      float64 // s of Global scope
	scopeMade  Scope   // of the first step

	// of the step under way
	team            team
	blocks          []block
	elements        int
	measure, update func(i int)  // of blocks[i]
	terms           [3][]float64 // of the sums over all parameters: ν·g, ‖ν‖², ‖g‖²
}

// block is a piece of a parameter that one core works on.
type block struct {
	of    funnelParameter
	index int
}

// alone is up to how many elements one core is as fast as several, measured:
// it takes that long to wake another.
var alone = 1 << 19

// NewFunnel returns a Funnel with the paper's method in the authors'
// normalized form. Options, all optional, with their defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithMomentum    μ   0.9
//	WithGainRate             γp  0.01
//	WithScaleRate            γs  0.1
//	WithGradientDecay        β   0.9
//	WithGainBounds               [0.01, 100]
//	WithScaleBounds              [0.001, 1000]
//	WithGainSignal               Normalized
//	WithScaleSignal              Normalized
//	WithScaleScope               Global
//	WithBiasCorrection           off
//	gorgonia.WithBatchSize       1
//	gorgonia.WithClip            off
//	gorgonia.WithL1Reg           off
//	gorgonia.WithL2Reg           off
//
// Gorgonia's other options mean nothing to a Funnel and are ignored. A value
// that an option cannot have is reported by Step, as a *HyperparameterError.
func NewFunnel(opts ...gorgonia.SolverOpt) *Funnel {
	return newFunnel(defaults(), opts)
}

func newFunnel(h hyperparameters, opts []gorgonia.SolverOpt) *Funnel {
	f := &Funnel{hyperparameters: h.with(opts), scale: 1}
	f.measure = func(i int) { f.blocks[i].of.measureBlock(f.blocks[i].index) }
	f.update = func(i int) { // backwards: what was measured last is still in the cache
		b := f.blocks[len(f.blocks)-1-i]
		b.of.updateBlock(b.index)
	}
	return f
}

func (f *Funnel) configuration() *hyperparameters { return &f.hyperparameters }

// Apply changes hyperparameters between steps and keeps what has been learned.
// If one of them cannot be, it changes none and says which, as a
// *HyperparameterError. Gorgonia's options work through Apply alone: called on
// a Funnel, as gorgonia.WithLearnRate(0.1)(f), they do nothing.
func (f *Funnel) Apply(opts ...gorgonia.SolverOpt) error {
	h := f.hyperparameters.with(opts)
	if err := h.checkFunnel(); err != nil {
		return err
	}
	if err := f.checkScope(h.scope); err != nil {
		return err
	}
	f.hyperparameters = h
	return nil
}

// checkScope refuses another scope than that of the steps made so far.
func (f *Funnel) checkScope(s Scope) error {
	if len(f.parameters.known) > 0 && s != f.scopeMade {
		return &HyperparameterError{"WithScaleScope", s, "what it was at the first step, " + f.scopeMade.String()}
	}
	return nil
}

func (h *hyperparameters) checkFunnel() error {
	if err := h.checkObjective(); err != nil {
		return err
	}
	return h.checkAdaptation()
}

// Step adapts gains and scale, changes the value of every parameter of the
// model, and zeroes their gradients. The model may be in any order, and a part
// of what was given before; what has been learned follows the parameter.
//
// A step happens whole or not at all: on an error, values, gradients and what
// has been learned are as they were. The error is a *HyperparameterError or a
// *ParameterError.
func (f *Funnel) Step(model []gorgonia.ValueGrad) error {
	if err := f.checkFunnel(); err != nil {
		return err
	}
	if err := f.checkScope(f.scope); err != nil {
		return err
	}
	if err := f.parameters.bind(model, newFunnelParameter); err != nil {
		return err
	}
	scale, err := f.plan()
	if err != nil {
		return err
	}
	f.scale, f.scopeMade = scale, f.scope
	f.share(f.update)
	for _, p := range f.parameters.bound {
		p.finish()
	}
	return nil
}

// share does work for all blocks, on as many cores as that pays for.
func (f *Funnel) share(work func(int)) {
	workers := runtime.GOMAXPROCS(0)
	if f.elements <= alone {
		workers = 1
	}
	f.team.do(len(f.blocks), workers, work)
}

// plan reads all parameters and finds the scale of the step, or why it cannot
// be made.
func (f *Funnel) plan() (scale float64, err error) {
	bound := f.parameters.bound
	f.blocks, f.elements = f.blocks[:0], 0
	for _, p := range bound {
		n := p.prepare(&f.hyperparameters)
		f.elements += n
		for k := range (n + kernel.Block - 1) / kernel.Block {
			f.blocks = append(f.blocks, block{p, k})
		}
	}
	f.share(f.measure)
	for i, p := range bound {
		if err := p.sound(); err != nil {
			return 0, f.parameters.refuse(i, err)
		}
	}
	scale = f.scale
	if f.scope == Global {
		scale = f.nextScale(f.scale, f.signal(bound))
	}
	for i, p := range bound {
		own := scale
		if f.scope == PerParameter {
			own = f.nextScale(p.lastScale(), f.signal(bound[i:i+1]))
		}
		if err := p.setScale(own); err != nil {
			return 0, f.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

// nextScale is s_{t+1}.
func (h *hyperparameters) nextScale(s, signal float64) float64 {
	if h.scaleRate > 0 {
		s *= kernel.Exp(h.scaleRate * signal)
	}
	return min(max(s, h.scaleMin), h.scaleMax)
}

// signal is what the scale of these parameters adapts to.
func (f *Funnel) signal(of []funnelParameter) float64 {
	if f.scaleRate == 0 {
		return 0
	}
	sums, exponent := f.sums(of)
	if f.scaleSignal == Raw {
		return math.Ldexp(sums.Dot, exponent)
	}
	if sums.Velocity == 0 || sums.Gradient == 0 {
		return 0
	}
	cosine := sums.Dot / (math.Sqrt(sums.Velocity) * math.Sqrt(sums.Gradient))
	return min(max(cosine, -1), 1)
}

// sums adds up the sums of several parameters. Where squares leave the range
// of float64 the vectors are scaled first; the inner product is then to be
// multiplied by 2^exponent.
func (f *Funnel) sums(of []funnelParameter) (_ kernel.Sums, exponent int) {
	total := f.add(of, funnelParameter.sums)
	if inRange(total.Velocity) && inRange(total.Gradient) {
		return total, 0
	}
	velocity, gradient := kernel.ExponentOfZero, kernel.ExponentOfZero
	for _, p := range of {
		v, g := p.exponents()
		velocity, gradient = max(velocity, v), max(gradient, g)
	}
	total = f.add(of, func(p funnelParameter) kernel.Sums { return p.scaledSums(velocity, gradient) })
	return total, velocity + gradient
}

// inRange says whether a sum of squares is neither rounded by underflow nor
// beyond overflow.
func inRange(square float64) bool { return square > 0x1p-900 && square < 0x1p1000 }

// add adds from the smallest term to the largest, so that the order of the
// parameters in the model does not show in the result.
func (f *Funnel) add(of []funnelParameter, sums func(funnelParameter) kernel.Sums) kernel.Sums {
	for k := range f.terms {
		f.terms[k] = f.terms[k][:0]
	}
	for _, p := range of {
		s := sums(p)
		f.terms[0] = append(f.terms[0], s.Dot)
		f.terms[1] = append(f.terms[1], s.Velocity)
		f.terms[2] = append(f.terms[2], s.Gradient)
	}
	var total [3]float64
	for k := range f.terms {
		slices.Sort(f.terms[k])
		for _, x := range f.terms[k] {
			total[k] += x
		}
	}
	return kernel.Sums{Dot: total[0], Velocity: total[1], Gradient: total[2]}
}

// funnelParameter is the state of one parameter, of either dtype. A step calls
// prepare, measureBlock for each block, sound, the sums, setScale, updateBlock
// for each block, and finish.
type funnelParameter interface {
	parameter
	prepare(*hyperparameters) (elements int)
	measureBlock(i int)
	sound() error
	sums() kernel.Sums
	exponents() (velocity, gradient int)
	scaledSums(velocity, gradient int) kernel.Sums
	lastScale() float64
	setScale(float64) error
	updateBlock(i int)
	finish()
	adaptation() Adaptation
}

func newFunnelParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) funnelParameter {
	if dtype == tensor.Float32 {
		return newFunnelState(newOperand(vg, elements32))
	}
	return newFunnelState(newOperand(vg, elements64))
}

type funnelState[T kernel.Float] struct {
	operand[T]
	velocity, average, gain []T     // ν, m, p
	scale                   float64 // s of the last step
	steps                   int

	// of the step under way
	values, gradients []T
	blocks            []kernel.Sums
	measured          kernel.Sums
	coefficients      kernel.Coefficients[T]
	nextScale         float64
}

func newFunnelState[T kernel.Float](o operand[T]) *funnelState[T] {
	n := 1
	for _, size := range o.shape {
		n *= size
	}
	state := make([]T, 3*n)
	s := &funnelState[T]{
		operand:  o,
		velocity: state[:n:n],
		average:  state[n : 2*n : 2*n],
		gain:     state[2*n:],
		scale:    1,
		blocks:   make([]kernel.Sums, (n+kernel.Block-1)/kernel.Block),
	}
	for i := range s.gain {
		s.gain[i] = 1
	}
	return s
}

func (s *funnelState[T]) prepare(h *hyperparameters) (elements int) {
	s.coefficients = coefficients[T](h, s.steps+1)
	s.values, s.gradients = s.value.list(), s.gradient.list()
	return len(s.values)
}

// extent is where the i-th block is in the lists.
func (s *funnelState[T]) extent(i int) (from, to int) {
	return i * kernel.Block, min((i+1)*kernel.Block, len(s.values))
}

func (s *funnelState[T]) measureBlock(i int) {
	a, b := s.extent(i)
	s.blocks[i] = kernel.Measure(s.values[a:b], s.gradients[a:b], s.velocity[a:b], &s.coefficients.Objective)
}

func (s *funnelState[T]) updateBlock(i int) {
	a, b := s.extent(i)
	kernel.Update(s.values[a:b], s.gradients[a:b], s.velocity[a:b], s.average[a:b], s.gain[a:b], &s.coefficients)
}

// sound adds up what the blocks measured and refuses what is not finite.
func (s *funnelState[T]) sound() error {
	s.measured = kernel.Sums{}
	for _, b := range s.blocks {
		s.measured.Add(b)
	}
	if !isFinite(s.measured.MaxGradient) {
		return s.checkGradient(s.gradients)
	}
	if !isFinite(s.measured.MaxValue) {
		return s.checkValue(s.values)
	}
	if s.coefficients.Bound(s.measured.MaxGradient, s.measured.MaxValue) < largest[T]()/8 {
		return nil
	}
	if i := kernel.OverflowObjective(s.values, s.gradients, &s.coefficients.Objective); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

// coefficients are those of a parameter's step t, all but the scale.
func coefficients[T kernel.Float](h *hyperparameters, t int) kernel.Coefficients[T] {
	rate := h.gainRate
	if h.biasCorrection && h.gainSignal == Raw {
		rate /= 1 - kernel.Power(h.gradientDecay, max(t-1, 1))
	}
	return kernel.Coefficients[T]{
		Objective:     objective[T](h),
		LearnRate:     T(h.learnRate),
		Momentum:      T(h.momentum),
		GradientDecay: T(h.gradientDecay),
		GradientShare: T(1 - h.gradientDecay),
		RawGain:       h.gainSignal == Raw && T(rate) > 0,
		GainRate:      T(min(rate, largest[T]())),
		GainFactor:    [2]T{T(min(kernel.Exp(h.gainRate), largest[T]())), T(kernel.Exp(-h.gainRate))},
		GainMin:       T(h.gainMin),
		GainMax:       T(h.gainMax),
	}
}

func objective[T kernel.Float](h *hyperparameters) kernel.Objective[T] {
	clip := math.Inf(1)
	if h.clip > 0 {
		clip = max(h.clip, math.SmallestNonzeroFloat32) // above 0 in T, too
	}
	return kernel.Objective[T]{L1: T(h.l1), L2: T(h.l2), PerBatch: T(1 / max(h.batch, 1)), Clip: T(clip)}
}

func (s *funnelState[T]) sums() kernel.Sums { return s.measured }

func (s *funnelState[T]) exponents() (velocity, gradient int) {
	return kernel.Exponents(s.values, s.gradients, s.velocity, &s.coefficients.Objective)
}

func (s *funnelState[T]) scaledSums(velocity, gradient int) kernel.Sums {
	return kernel.MeasureScaled(s.values, s.gradients, s.velocity, &s.coefficients.Objective, velocity, gradient)
}

func (s *funnelState[T]) lastScale() float64 { return s.scale }

// setScale sets the scale of the step and refuses one that would make a number
// non-finite. Mostly the sums already show that it does not.
func (s *funnelState[T]) setScale(scale float64) error {
	c := &s.coefficients
	s.nextScale, c.Scale = scale, T(scale)
	g := c.Bound(s.measured.MaxGradient, s.measured.MaxValue) // at least |g|
	v := float64(c.Momentum)*math.Sqrt(s.measured.Velocity) + float64(c.LearnRate)*float64(c.GainMax)*g
	if limit := largest[T]() / 8; g < limit && float64(c.GainMax)*g < limit && v < limit && s.measured.MaxValue+float64(c.Scale)*v < limit {
		return nil
	}
	if i := kernel.Overflow(s.values, s.gradients, s.velocity, s.average, s.gain, c); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *funnelState[T]) finish() {
	s.store()
	s.scale = s.nextScale
	s.steps++
}

// largest is the largest number of T.
func largest[T kernel.Float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return math.MaxFloat32
	}
	return math.MaxFloat64
}

func isFinite(x float64) bool { return x-x == 0 }
