package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// funnelParameter is the state of one parameter, of either dtype. A step calls
// prepare, measureBlock for each block, sound, the sums, setScale, updateBlock
// for each block, and finish.
type funnelParameter interface {
	scaled
	prepare(*hyperparameters) (elements int)
	measureBlock(i int)
	sound() error
	updateBlock(i int)
	finish()
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
	if err := s.checkFinite(s.values, s.gradients, s.measured); err != nil {
		return err
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
