package solver

import (
	"cmp"
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// augmentedParameter is the state of one parameter, of either dtype. A step
// calls prepare, standIn, then, when inner has changed that, the sums, start if
// it is the first, setScale and finish.
type augmentedParameter interface {
	scaled
	prepare() error
	standIn() *gorgonia.Node
	finish()
}

func newAugmentedParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) augmentedParameter {
	if dtype == tensor.Float32 {
		return newAugmentedState(newOperand(vg, access.Float32s))
	}
	return newAugmentedState(newOperand(vg, access.Float64s))
}

type augmentedState[T kernel.Float] struct {
	operand[T]
	descent []T     // −Δ of the last step
	scale   float64 // s of the last step
	steps   int

	// inner's parameter, nil if there are no elements, and its memory
	node                    *gorgonia.Node
	nodeValue, nodeGradient []T

	// of the step under way
	values, gradients []T
	measured          kernel.Sums
	nextScale         float64
	objective         kernel.Objective[T] // none
	measuring         kernel.FunnelPart[T]
}

func newAugmentedState[T kernel.Float](o operand[T]) *augmentedState[T] {
	n := o.shape.TotalSize()
	arrays := make([]T, 3*n)
	s := &augmentedState[T]{
		operand:      o,
		descent:      arrays[:n:n],
		scale:        1,
		nodeValue:    arrays[n : 2*n : 2*n],
		nodeGradient: arrays[2*n:],
		objective:    kernel.Objective[T]{PerBatch: 1, Clip: T(math.Inf(1))},
	}
	if n > 0 {
		s.node = newStandIn(o.name, o.shape, s.nodeValue, s.nodeGradient)
	}
	return s
}

// newStandIn is a node, since there are solvers that take nothing else. A scalar
// becomes a vector of one element: Gorgonia's solvers panic on a scalar whose
// gradient is a tensor, as graphs make them, and some keep no state of scalars.
func newStandIn[T kernel.Float](name string, shape tensor.Shape, value, gradient []T) *gorgonia.Node {
	if len(shape) == 0 {
		shape = tensor.Shape{1}
	}
	v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(value))
	g := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(gradient))
	return gorgonia.NewTensor(gorgonia.NewGraph(), v.Dtype(), len(shape),
		gorgonia.WithName(cmp.Or(name, "unnamed")), gorgonia.WithShape(shape...), gorgonia.WithValue(v), gorgonia.WithGrad(g))
}

// prepare reads the parameter, for the sums and for inner.
func (s *augmentedState[T]) prepare() error {
	s.values, s.gradients = s.value.Elements(), s.gradient.Elements()
	copy(s.nodeValue, s.values)
	copy(s.nodeGradient, s.gradients)
	s.measuring = kernel.FunnelPart[T]{Theta: s.values, Gradient: s.gradients, Direction: s.descent, Objective: &s.objective}
	s.measured = kernel.Measure(s.values, s.gradients, s.descent, &s.objective)
	return s.checkFinite(s.values, s.gradients, s.measured)
}

func (s *augmentedState[T]) sums() kernel.Sums { return s.measured }

func (s *augmentedState[T]) part() kernel.Part { return &s.measuring }

func (s *augmentedState[T]) start() (value, step float64, elements int) {
	n := len(s.values)
	return kernel.SquaredNorm(n, func(i int) T { return s.values[i] }),
		kernel.SquaredNorm(n, func(i int) T { return s.nodeValue[i] - s.values[i] }), n
}

func (s *augmentedState[T]) stepsMade() int { return s.steps }

func (s *augmentedState[T]) lastScale() float64 { return s.scale }

// setScale sets the scale of the step, and refuses a change that is not finite,
// or would not be once it is scaled.
func (s *augmentedState[T]) setScale(scale float64) error {
	s.nextScale = scale
	if i := kernel.OverflowAugmented(s.values, s.nodeValue, T(scale)); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *augmentedState[T]) standIn() *gorgonia.Node { return s.node }

func (s *augmentedState[T]) finish() {
	kernel.UpdateAugmented(s.values, s.nodeValue, s.descent, T(s.nextScale))
	clear(s.gradients)
	s.store()
	s.scale = s.nextScale
	s.steps++
}

func (s *augmentedState[T]) adaptation() Adaptation {
	return Adaptation{Name: s.name, Shape: slices.Clone(s.shape), Steps: s.steps, Scale: s.scale}
}

func (s *augmentedState[T]) fields(*hyperparameters) []field {
	return []field{{"descent", list[T](s.descent), anyFinite}}
}

func (s *augmentedState[T]) record() record { return record{Steps: s.steps, Scale: s.scale} }

func (s *augmentedState[T]) restore(r record) error {
	s.steps, s.scale = r.Steps, r.Scale
	return nil
}

func (s *augmentedState[T]) restored() {}
