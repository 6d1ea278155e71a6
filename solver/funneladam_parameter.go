package solver

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func newAdamParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) adaptiveParameter {
	if dtype == tensor.Float32 {
		return newAdamState(newOperand(vg, access.Float32s))
	}
	return newAdamState(newOperand(vg, access.Float64s))
}

type adamState[T kernel.Float] struct {
	adaptiveState[T]
	first, second       []T                     // m, v
	maxFirst, maxSecond float64                 // at least every |m| and v
	last                kernel.AdamDirection[T] // of the step before, whatever Apply has changed since

	// of the step under way
	learnRate             float64
	coefficients          kernel.AdamStep[T]
	measuring             kernel.AdamPart[T]
	nextFirst, nextSecond float64 // what maxFirst and maxSecond will be
}

func newAdamState[T kernel.Float](o operand[T]) *adamState[T] {
	s := &adamState[T]{last: kernel.AdamDirection[T]{Eps: 1}} // d_0 = 0
	s.adaptiveState, s.first, s.second = newAdaptiveState(o)
	s.firstStep = func(i int) T { return T(s.learnRate) * s.coefficients.First(s.gradients[i], s.values[i]) } // η d_1
	return s
}

func (s *adamState[T]) prepare(h *hyperparameters) (elements int) {
	elements = s.read(h)
	t := s.steps + 1
	s.learnRate = h.learnRate
	s.coefficients = kernel.AdamStep[T]{
		Objective: s.objective,
		Gain:      gains[T](h, h.beta1, t),
		Beta1:     T(h.beta1),
		Beta2:     T(h.beta2),
		Weight1:   T(1 - h.beta1),
		Weight2:   T(1 - h.beta2),
		Direction: direction[T](h, t),
	}
	s.measuring = kernel.AdamPart[T]{Theta: s.values, Gradient: s.gradients, M: s.first, V: s.second, Last: &s.last, Objective: &s.objective}
	return elements
}

// direction is that of a parameter's step t. Its ε is above 0 and finite in T,
// too, so that a coordinate that never had a gradient has d = 0/ε and not 0/0.
func direction[T kernel.Float](h *hyperparameters, t int) kernel.AdamDirection[T] {
	correction := math.Sqrt(1 - kernel.Power(h.beta2, t))
	eps := max(T(min(h.eps*correction, largest[T]())), smallest[T]())
	return kernel.AdamDirection[T]{Correction: T(correction / (1 - kernel.Power(h.beta1, t))), Eps: eps}
}

func (s *adamState[T]) part() kernel.Part { return &s.measuring }

func (s *adamState[T]) measureBlock(i int) {
	a, b := s.extent(i)
	s.blocks[i] = kernel.MeasureAdam(s.values[a:b], s.gradients[a:b], s.first[a:b], s.second[a:b], &s.last, &s.objective)
}

func (s *adamState[T]) updateBlock(i int) {
	a, b := s.extent(i)
	kernel.UpdateAdam(s.values[a:b], s.gradients[a:b], s.first[a:b], s.second[a:b], s.gain[a:b], &s.coefficients)
}

// setScale sets the scale of the step and refuses one that would make a number
// non-finite. Mostly bounds already show that it does not.
func (s *adamState[T]) setScale(scale float64) error {
	s.nextScale, s.coefficients.Rate = scale, T(s.learnRate*scale)
	if s.bounded() {
		return nil
	}
	if i := kernel.OverflowAdam(s.values, s.gradients, s.first, s.second, s.gain, &s.coefficients); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

// bounded finds what |m| and v are at most after the step, and says whether
// that shows that the step keeps all numbers finite.
func (s *adamState[T]) bounded() bool {
	const rounding = 1 + 0x1p-20 // above what float32 makes of one step
	c, limit := &s.coefficients, largest[T]()/8
	g := min(s.largestGradient(), float64(c.Clip))
	s.nextFirst = (float64(c.Beta1)*s.maxFirst + float64(c.Weight1)*float64(c.Gain.Max)*g) * rounding
	s.nextSecond = (float64(c.Beta2)*s.maxSecond + float64(c.Weight2)*g*g) * rounding
	m := max(1, float64(c.Direction.Correction)) * s.nextFirst
	d := m / float64(c.Direction.Eps)
	return float64(c.Gain.Max)*g < limit && m < limit && s.nextSecond < limit && d < limit && s.measured.MaxValue+float64(c.Rate)*d < limit
}

func (s *adamState[T]) finish() {
	s.adaptiveState.finish()
	s.last = s.coefficients.Direction
	// A step that was made kept m and v finite, whatever the bounds say.
	s.maxFirst, s.maxSecond = finiteBound[T](s.nextFirst), finiteBound[T](s.nextSecond)
}

func finiteBound[T kernel.Float](x float64) float64 {
	if x <= largest[T]() {
		return x
	}
	return largest[T]()
}

func (s *adamState[T]) fields(h *hyperparameters) []field {
	return append(s.adaptiveState.fields(h),
		field{"first", list[T](s.first), anyFinite},
		field{"second", list[T](s.second), 0})
}

func (s *adamState[T]) record() record {
	r := s.adaptiveState.record()
	r.Direction = []float64{float64(s.last.Correction), float64(s.last.Eps)}
	return r
}

func (s *adamState[T]) restore(r record) error {
	if len(r.Direction) != 2 {
		return errors.New("it lacks the coefficients of the last direction")
	}
	s.last = kernel.AdamDirection[T]{Correction: T(r.Direction[0]), Eps: T(r.Direction[1])}
	if !(s.last.Correction >= 0 && isFinite(float64(s.last.Correction)) && s.last.Eps > 0 && isFinite(float64(s.last.Eps))) {
		return fmt.Errorf("the coefficients of the last direction are %v", r.Direction)
	}
	return s.adaptiveState.restore(r)
}

func (s *adamState[T]) restored() {
	for i, m := range s.first {
		s.maxFirst, s.maxSecond = max(s.maxFirst, math.Abs(float64(m))), max(s.maxSecond, float64(s.second[i]))
	}
}
