package solver

import (
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// adaptiveState is what every adaptiveParameter has: gains and a scale.
type adaptiveState[T kernel.Float] struct {
	operand[T]
	gain      []T     // p
	scale     float64 // s of the last step
	steps     int
	firstStep func(i int) T // with a scale of 1, but for its sign

	// of the step under way
	values, gradients []T
	objective         kernel.Objective[T]
	blocks            []kernel.Sums
	measured          kernel.Sums
	nextScale         float64
}

// newAdaptiveState returns the state of a parameter that has made no step, and
// two lists of zeros, as long as the parameter, for what else there is to keep
// of it.
func newAdaptiveState[T kernel.Float](o operand[T]) (_ adaptiveState[T], a, b []T) {
	n := 1
	for _, size := range o.shape {
		n *= size
	}
	state := make([]T, 3*n)
	s := adaptiveState[T]{
		operand: o,
		gain:    state[2*n:],
		scale:   1,
		blocks:  make([]kernel.Sums, (n+kernel.Block-1)/kernel.Block),
	}
	for i := range s.gain {
		s.gain[i] = 1
	}
	return s, state[:n:n], state[n : 2*n : 2*n]
}

// read gets the lists of the step.
func (s *adaptiveState[T]) read(h *hyperparameters) (elements int) {
	s.objective = objective[T](h)
	s.values, s.gradients = s.value.Elements(), s.gradient.Elements()
	return len(s.values)
}

// extent is where the i-th block is in the lists.
func (s *adaptiveState[T]) extent(i int) (from, to int) {
	return i * kernel.Block, min((i+1)*kernel.Block, len(s.values))
}

// sound adds up what the blocks measured and refuses what is not finite.
func (s *adaptiveState[T]) sound() error {
	s.measured = kernel.Sums{}
	for _, b := range s.blocks {
		s.measured.Add(b)
	}
	if err := s.checkFinite(s.values, s.gradients, s.measured); err != nil {
		return err
	}
	if s.largestGradient() < largest[T]()/8 {
		return nil
	}
	if i := kernel.OverflowObjective(s.values, s.gradients, &s.objective); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

// largestGradient is at least every |g|, but for rounding.
func (s *adaptiveState[T]) largestGradient() float64 {
	return s.objective.Bound(s.measured.MaxGradient, s.measured.MaxValue)
}

func (s *adaptiveState[T]) sums() kernel.Sums { return s.measured }

func (s *adaptiveState[T]) start() (value, step float64, elements int) {
	n := len(s.values)
	return kernel.SquaredNorm(n, func(i int) T { return s.values[i] }), kernel.SquaredNorm(n, s.firstStep), n
}

func (s *adaptiveState[T]) stepsMade() int { return s.steps }

func (s *adaptiveState[T]) lastScale() float64 { return s.scale }

func (s *adaptiveState[T]) finish() {
	s.store()
	s.scale = s.nextScale
	s.steps++
}

func (s *adaptiveState[T]) adaptation() Adaptation {
	gain := make([]float64, len(s.gain))
	for i, p := range s.gain {
		gain[i] = float64(p)
	}
	return Adaptation{Name: s.name, Shape: slices.Clone(s.shape), Steps: s.steps, Scale: s.scale, Gain: gain}
}

func (s *adaptiveState[T]) fields(h *hyperparameters) []field {
	return []field{{"gain", list[T](s.gain), leastFactor(h.gainMin)}}
}

func (s *adaptiveState[T]) record() record { return record{Steps: s.steps, Scale: s.scale} }

func (s *adaptiveState[T]) restore(r record) error {
	s.steps, s.scale = r.Steps, r.Scale
	return nil
}

func (s *adaptiveState[T]) restored() {}

func objective[T kernel.Float](h *hyperparameters) kernel.Objective[T] {
	clip := math.Inf(1)
	if h.clip > 0 {
		clip = max(h.clip, math.SmallestNonzeroFloat32) // above 0 in T, too
	}
	return kernel.Objective[T]{L1: T(h.l1), L2: T(h.l2), PerBatch: T(1 / max(h.batch, 1)), Clip: T(clip)}
}

// gains are those of a parameter's step t, whose gradient average has this
// decay.
func gains[T kernel.Float](h *hyperparameters, decay float64, t int) kernel.Gain[T] {
	rate := h.gainRate
	if h.biasCorrection && h.gainSignal == Raw {
		rate /= 1 - kernel.Power(decay, max(t-1, 1))
	}
	return kernel.Gain[T]{
		Rate:  T(min(rate, largest[T]())),
		Up:    T(min(kernel.Exp(h.gainRate), largest[T]())),
		Down:  T(kernel.Exp(-h.gainRate)),
		Min:   T(h.gainMin),
		Max:   T(h.gainMax),
		Decay: T(h.gainDecay),
		Raw:   h.gainSignal == Raw && T(rate) > 0,
	}
}

// largest is the largest number of T.
func largest[T kernel.Float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return math.MaxFloat32
	}
	return math.MaxFloat64
}

// smallest is the smallest number of T above 0.
func smallest[T kernel.Float]() T {
	if _, single := any(T(0)).(float32); single {
		return T(math.SmallestNonzeroFloat32)
	}
	x := math.SmallestNonzeroFloat64
	return T(x)
}

func isFinite(x float64) bool { return x >= -math.MaxFloat64 && x <= math.MaxFloat64 }
