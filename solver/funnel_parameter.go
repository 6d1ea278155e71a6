package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func newFunnelParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) adaptiveParameter {
	if dtype == tensor.Float32 {
		return newFunnelState(newOperand(vg, access.Float32s))
	}
	return newFunnelState(newOperand(vg, access.Float64s))
}

type funnelState[T kernel.Float] struct {
	adaptiveState[T]
	velocity, average []T // ν, m

	// of the step under way
	coefficients kernel.FunnelStep[T]
	measuring    kernel.FunnelPart[T]
}

func newFunnelState[T kernel.Float](o operand[T]) *funnelState[T] {
	s := new(funnelState[T])
	s.adaptiveState, s.velocity, s.average = newAdaptiveState(o)
	s.firstStep = func(i int) T { return s.coefficients.First(s.gradients[i], s.values[i]) } // ν_1
	return s
}

func (s *funnelState[T]) prepare(h *hyperparameters) (elements int) {
	elements = s.read(h)
	s.coefficients = kernel.FunnelStep[T]{
		Objective:      s.objective,
		Gain:           gains[T](h, h.gradientDecay, s.steps+1),
		LearnRate:      T(h.learnRate),
		Momentum:       T(h.momentum),
		GradientDecay:  T(h.gradientDecay),
		GradientWeight: T(1 - h.gradientDecay),
	}
	s.measuring = kernel.FunnelPart[T]{Theta: s.values, Gradient: s.gradients, Direction: s.velocity, Objective: &s.objective}
	return elements
}

func (s *funnelState[T]) part() kernel.Part { return &s.measuring }

func (s *funnelState[T]) measureBlock(i int) {
	a, b := s.extent(i)
	s.blocks[i] = kernel.Measure(s.values[a:b], s.gradients[a:b], s.velocity[a:b], &s.objective)
}

func (s *funnelState[T]) updateBlock(i int) {
	a, b := s.extent(i)
	kernel.UpdateFunnel(s.values[a:b], s.gradients[a:b], s.velocity[a:b], s.average[a:b], s.gain[a:b], &s.coefficients)
}

// setScale sets the scale of the step and refuses one that would make a number
// non-finite. Mostly the sums already show that it does not.
func (s *funnelState[T]) setScale(scale float64) error {
	c := &s.coefficients
	s.nextScale, c.Scale = scale, T(scale)
	g := s.largestGradient()
	v := float64(c.Momentum)*math.Sqrt(s.measured.SquaredDirection) + float64(c.LearnRate)*float64(c.Gain.Max)*g
	if limit := largest[T]() / 8; g < limit && float64(c.Gain.Max)*g < limit && v < limit && s.measured.MaxValue+float64(c.Scale)*v < limit {
		return nil
	}
	if i := kernel.OverflowFunnel(s.values, s.gradients, s.velocity, s.average, s.gain, c); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *funnelState[T]) fields(h *hyperparameters) []field {
	return append(s.adaptiveState.fields(h),
		field{"velocity", list[T](s.velocity), anyFinite},
		field{"average", list[T](s.average), anyFinite})
}
