package solver

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ gorgonia.Solver = (*Augmented)(nil)

// Augmented is a solver of somebody else's whose step is multiplied by a
// learned scale s. With Δ the change that the inner solver makes to the values
// and g the gradient as Gorgonia computed it,
//
//	s_{t+1} = s_t · exp(γs cos(−Δ_t, g_t))
//	θ_{t+1} = θ_t + s_{t+1} Δ_{t+1}
//
// with Δ_0 = 0 and s_0 = 1, so that the first step is inner's. While the scale
// is 1 the values are inner's to the bit. What inner keeps, a velocity for
// instance, does not see the scale. Of a change that inner's own arithmetic
// rounds away nothing is left to be scaled.
//
// # What Gorgonia's solvers do inside
//
// Tried with Gorgonia v0.9.18. These train, alone and augmented:
//
//   - VanillaSolver.
//   - RMSPropSolver, except that it does not clip scalars.
//   - AdamSolver, where value and gradient are in one layout.
//   - Momentum, except that it forgets the velocity of scalars.
//   - AdaGradSolver, except that it ignores every option, the learn rate among
//     them, and forgets what it has summed up for scalars. The scale makes up
//     for the learn rate.
//   - BarzilaiBorweinSolver, for tensors of float64: it panics on those of
//     float32 and refuses scalars. Once a gradient has not changed between two
//     steps it divides 0 by 0, which an Augmented refuses and it does not.
//
// AdamW does not train: it never writes the values, and panics on scalars and
// on whatever is not a *gorgonia.Node. All but AdamW and VanillaSolver keep
// their state by place in the slice: give them the same model in the same
// order every time. EGU may be augmented, but a scale above 1 can take values
// below 0.
//
// # Steps
//
// Before inner is called everything is checked that can be. On an error,
// inner's or ours, values, gradients and scale are put back; so they are when
// inner panics, and the panic goes on. What inner itself keeps cannot be put
// back: if it was called, it has made its step. Values have to be written where
// they are, as Gorgonia's solvers do.
//
// Source: as Funnel's.
//
// Make one with Augment. An Augmented belongs to one goroutine at a time, and
// its inner solver to it.
type Augmented struct {
	scaling[augmentedParameter]
	inner gorgonia.Solver

	// of the step under way
	standIns []gorgonia.ValueGrad // inner's model
	places   []int                // of the stand-ins in ours
}

// Augment returns inner with a learned scale around it. Options of its own,
// all optional, with their defaults:
//
//	WithScaleRate                γs  0.1
//	WithScaleBounds                  [0.001, 1000]
//	WithScaleSignal                  Normalized
//	WithScaleScope                   Global
//
// All other options are inner's, whether given here, to Apply, or to inner
// before: gorgonia.WithLearnRate, regularisation, batch size and clipping, too.
// A value that an option cannot have is reported by Step, as a
// *HyperparameterError; so is an inner that is nil. Gorgonia's solvers take any
// value.
func Augment(inner gorgonia.Solver, opts ...gorgonia.SolverOpt) *Augmented {
	configure(inner, opts)
	return &Augmented{scaling: newScaling[augmentedParameter](defaults().with(opts)), inner: inner}
}

// configure applies options to inner, all but those of the scale around it.
func configure(inner gorgonia.Solver, opts []gorgonia.SolverOpt) {
	if isNil(inner) {
		return
	}
	switch s := inner.(type) {
	case *Augmented:
		configure(s.inner, opts)
	case configurable:
		h := s.configuration()
		*h = h.with(append(slices.Clone(opts), h.sameScale()))
	default:
		for _, opt := range opts {
			opt(s)
		}
	}
}

// apply is configure, but that a solver of ours may refuse.
func apply(inner gorgonia.Solver, opts []gorgonia.SolverOpt) error {
	if err := checkInner(inner); err != nil {
		return err
	}
	switch s := inner.(type) {
	case *Augmented:
		return apply(s.inner, opts)
	case interface {
		configurable
		Apply(...gorgonia.SolverOpt) error
	}:
		return s.Apply(append(slices.Clone(opts), s.configuration().sameScale())...)
	}
	configure(inner, opts)
	return nil
}

// sameScale is an option that undoes what options before it did to the scale.
func (h *hyperparameters) sameScale() gorgonia.SolverOpt {
	was := *h
	return option(func(h *hyperparameters) {
		h.scaleRate, h.scaleMin, h.scaleMax = was.scaleRate, was.scaleMin, was.scaleMax
		h.scaleSignal, h.scope = was.scaleSignal, was.scope
	})
}

// Apply changes hyperparameters between steps, its own and inner's, and keeps
// what has been learned. If one of them cannot be, it changes none and says
// which, as a *HyperparameterError.
func (a *Augmented) Apply(opts ...gorgonia.SolverOpt) error {
	h := a.hyperparameters.with(opts)
	if err := a.check(&h); err != nil {
		return err
	}
	if err := apply(a.inner, opts); err != nil {
		return err
	}
	a.hyperparameters = h
	return nil
}

func checkInner(inner gorgonia.Solver) error {
	if isNil(inner) {
		return &HyperparameterError{"Augment", nil, "a solver"}
	}
	return nil
}

func (a *Augmented) check(h *hyperparameters) error {
	if err := h.checkScale(); err != nil {
		return err
	}
	return a.checkScope(h.scope)
}

// Step lets inner make its step on stand-ins for the parameters, goes the same
// way scale times as far, and zeroes the gradients. The model may be in any
// order, and a part of what was given before, as far as inner allows it.
//
// On an error, values, gradients and what the scale has learned are as they
// were, and so they are when inner panics. The error is a *HyperparameterError,
// a *ParameterError, or inner's own, wrapped.
func (a *Augmented) Step(model []gorgonia.ValueGrad) error {
	if err := checkInner(a.inner); err != nil {
		return err
	}
	if err := a.check(&a.hyperparameters); err != nil {
		return err
	}
	if err := a.parameters.bind(model, newAugmentedParameter); err != nil {
		return err
	}
	scale, err := a.plan()
	if err != nil {
		return err
	}
	a.keep(scale)
	for _, p := range a.parameters.bound {
		p.finish()
	}
	return nil
}

// plan finds the scale of the step and lets inner make it on the stand-ins. If
// there is none, the parameters new to it are forgotten, even if inner panics
// or ends the goroutine.
func (a *Augmented) plan() (scale float64, err error) {
	planned := false
	defer func() {
		if !planned {
			a.parameters.forget()
		}
	}()
	bound := a.parameters.bound
	for i, p := range bound {
		if err := p.prepare(); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	if scale, err = a.nextScales(); err != nil {
		return 0, err
	}
	if err := a.stepInner(); err != nil {
		return 0, err
	}
	for i, p := range bound {
		if err := p.sound(); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	planned = true
	return scale, nil
}

// stepInner makes inner's step. Parameters without elements, on which
// Gorgonia's solvers panic, are left out.
func (a *Augmented) stepInner() error {
	a.standIns, a.places = a.standIns[:0], a.places[:0]
	for i, p := range a.parameters.bound {
		if n := p.standIn(); n != nil {
			a.standIns, a.places = append(a.standIns, n), append(a.places, i)
		}
	}
	err := a.inner.Step(a.standIns)
	if err == nil {
		return nil
	}
	if e := (*ParameterError)(nil); errors.As(err, &e) {
		return a.parameters.refuse(a.places[e.Position], e)
	}
	return fmt.Errorf("solver: %T, augmented: %w", a.inner, err)
}

// augmentedParameter is the state of one parameter, of either dtype. A step
// calls prepare, the sums, setScale, standIn, then, when inner has changed
// that, sound and finish.
type augmentedParameter interface {
	scaled
	prepare() error
	standIn() *gorgonia.Node
	sound() error
	finish()
}

func newAugmentedParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) augmentedParameter {
	if dtype == tensor.Float32 {
		return newAugmentedState(newOperand(vg, elements32))
	}
	return newAugmentedState(newOperand(vg, elements64))
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

// newStandIn is a node such as inner would meet in a graph. A scalar is a
// vector of one element: alone, Gorgonia's solvers panic on scalars whose
// gradient is a tensor, and keep no velocity of any.
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
	s.values, s.gradients = s.value.list(), s.gradient.list()
	copy(s.nodeValue, s.values)
	copy(s.nodeGradient, s.gradients)
	s.measured = kernel.Measure(s.values, s.gradients, s.descent, &s.objective)
	return s.checkFinite(s.values, s.gradients, s.measured)
}

func (s *augmentedState[T]) sums() kernel.Sums { return s.measured }

func (s *augmentedState[T]) direction(i int) T { return s.descent[i] }

func (s *augmentedState[T]) exponents() (direction, gradient int) {
	return kernel.Exponents(s.values, s.gradients, s.direction, &s.objective)
}

func (s *augmentedState[T]) scaledSums(direction, gradient int) kernel.Sums {
	return kernel.MeasureScaled(s.values, s.gradients, s.direction, &s.objective, direction, gradient)
}

func (s *augmentedState[T]) lastScale() float64 { return s.scale }

func (s *augmentedState[T]) setScale(scale float64) error {
	s.nextScale = scale
	return nil
}

func (s *augmentedState[T]) standIn() *gorgonia.Node { return s.node }

// sound refuses a change that is not finite, or would not be once it is scaled.
func (s *augmentedState[T]) sound() error {
	if i := kernel.OverflowRescale(s.values, s.nodeValue, T(s.nextScale)); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *augmentedState[T]) finish() {
	kernel.Rescale(s.values, s.nodeValue, s.descent, T(s.nextScale))
	clear(s.gradients)
	s.store()
	s.scale = s.nextScale
	s.steps++
}

func (s *augmentedState[T]) adaptation() Adaptation {
	return Adaptation{Name: s.name, Shape: slices.Clone(s.shape), Steps: s.steps, Scale: s.scale}
}
