package solver

import (
	"fmt"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"gorgonia.org/gorgonia"
)

var _ gorgonia.Solver = (*Augmented)(nil)

// Augmented is any gorgonia.Solver with a learned scale s around it. With Δ the
// change that the inner solver makes to the values, and g the gradient as
// Gorgonia computed it:
//
//	s_{t+1} = s_t · exp((γs + γw e^{−t/τ}) cos(−Δ_t, g_t))
//	θ_{t+1} = θ_t + s_{t+1} Δ_{t+1}
//
// with Δ_0 = 0 and s_0 = ρ ‖θ_0‖ / ‖Δ_1‖, which makes the first step ρ times as
// long as the parameters are, whatever inner's learn rate is. The cosine is 0
// where either norm is; the raw signal is the product −Δ_t · g_t. The scale is
// clipped to its bounds after every update, and while it is 1 the values are
// inner's to the bit. With WithPaperStep s_0 = 1, and the first step is inner's.
//
// What inner keeps, a velocity for instance, does not see the scale. Δ is read
// off the values, so a change that inner loses to rounding cannot be scaled:
// where inner alone moves float32 weights by less than a millionth, take a
// Funnel.
//
// # What inner is given
//
// Inner works on stand-ins: one *gorgonia.Node for each parameter, with its
// name and shape, and copies of its value and gradient in row-major order; a
// scalar is a tensor of one element. So layouts and scalars that inner cannot
// take do not matter, and what it does to the stand-ins does not show until the
// step is certain. It must change their values in place, as Gorgonia's solvers
// do.
//
// Of the solvers of Gorgonia v0.9.18,
//
//   - VanillaSolver, Momentum, RMSPropSolver and AdamSolver work; on scalars
//     and views, too, where alone they may panic, refuse, or forget.
//   - AdaGradSolver works, but no option reaches it: its learn rate is 0.001.
//     The scale makes up for that.
//   - BarzilaiBorweinSolver works for float64 and refuses float32. When the
//     gradient is the same twice, as after convergence, it divides 0 by 0, and
//     Step returns ErrNonFiniteStep.
//   - AdamW does not work: it computes new values and drops them, so nothing
//     moves.
//
// Those that work, but for VanillaSolver, keep what they know by the place in
// the model, and panic when it grows: give them the same parameters in the same
// order at every step. An EGU loses what it is for: with a scale above 1 a value
// can fall below 0.
//
// Source: as Funnel's.
//
// Make one with Augment. An Augmented belongs to one goroutine at a time, and
// its inner solver to it alone. For each parameter it has seen it keeps Δ and
// the stand-in, three times the parameter's memory, for as long as it lives.
type Augmented struct {
	augmentedScaling
	inner   gorgonia.Solver
	refusal error // inner's, of the options it was made with

	// of the step under way
	standIns []gorgonia.ValueGrad // inner's model
	places   []int                // of the stand-ins in ours
}

// By this name go doc knows that it is not exported.
type augmentedScaling = scaling[augmentedParameter]

// Augment returns inner with a learned scale around it. Options of its own,
// all optional, with their defaults:
//
//	WithScaleRate                γs  0.1
//	WithScaleWarmup              γw  1, τ 30
//	WithInitialStep              ρ   0.01
//	WithScaleBounds                  [1e-9, 1e9]
//	WithScaleSignal                  Normalized
//	WithScaleScope                   Global
//
// All other options are inner's, here and in Apply, and mean there what they
// mean to inner: gorgonia.WithLearnRate, WithBatchSize, WithClip, WithL1Reg,
// WithL2Reg and the rest. A value that an option cannot have is reported by
// Step, as a *HyperparameterError, and so is an inner that is nil. Gorgonia's
// solvers take any value. An inner with a method Apply, as ours have, gets its
// options through that.
func Augment(inner gorgonia.Solver, opts ...gorgonia.SolverOpt) *Augmented {
	return &Augmented{
		augmentedScaling: newScaling[augmentedParameter](defaults().with(opts)),
		inner:            inner, refusal: configure(inner, opts),
	}
}

// configure applies options to inner, all but those of the scale around it.
func configure(inner gorgonia.Solver, opts []gorgonia.SolverOpt) error {
	if access.IsNil(inner) {
		return nil // Step says so
	}
	switch s := inner.(type) {
	case *Augmented:
		return configure(s.inner, opts)
	case configurable:
		h := s.configuration()
		*h = h.with(append(slices.Clone(opts), h.sameScale()))
	case applier:
		return s.Apply(opts...)
	default:
		for _, opt := range opts {
			opt(s)
		}
	}
	return nil
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
	return configure(inner, opts)
}

// applier is a solver that takes options itself: one that is around another of
// Gorgonia's, where they would not reach it.
type applier interface {
	Apply(...gorgonia.SolverOpt) error
}

// sameScale is an option that undoes what options before it did to the scale.
func (h *hyperparameters) sameScale() gorgonia.SolverOpt {
	was := *h
	return option(func(h *hyperparameters) {
		h.scaleRate, h.warmupRate, h.warmupSteps = was.scaleRate, was.warmupRate, was.warmupSteps
		h.initialStep, h.scaleMin, h.scaleMax = was.initialStep, was.scaleMin, was.scaleMax
		h.scaleSignal, h.scope = was.scaleSignal, was.scope
	})
}

// Apply changes hyperparameters between steps, its own and inner's, and keeps
// what has been learned. If one of them cannot be, it changes none and says
// which, as a *HyperparameterError. Gorgonia's options work through Apply
// alone: called on an Augmented they do nothing.
func (a *Augmented) Apply(opts ...gorgonia.SolverOpt) error {
	h := a.hyperparameters.with(opts)
	if err := a.check(&h); err != nil {
		return err
	}
	if err := apply(a.inner, opts); err != nil {
		return err
	}
	a.hyperparameters, a.refusal = h, nil
	return nil
}

func checkInner(inner gorgonia.Solver) error {
	if access.IsNil(inner) {
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

// Adaptations returns what has been learned about each parameter, in the order
// in which Step first met them: the scale, and no gains.
func (a *Augmented) Adaptations() []Adaptation { return a.augmentedScaling.Adaptations() }

// Step lets inner make its step, goes the same way scale times as far, and
// zeroes the gradients. The model may be in any order, and a part of what was
// given before, as far as inner allows that.
//
// A step happens whole or not at all: on an error, values, gradients and what
// has been learned are as they were. So they are when inner panics, and the
// panic goes on. Only what inner itself keeps cannot be put back once inner has
// been called. The error is a *HyperparameterError, a *ParameterError, or
// inner's own, wrapped.
func (a *Augmented) Step(model []gorgonia.ValueGrad) error {
	if err := checkInner(a.inner); err != nil {
		return err
	}
	if a.refusal != nil {
		return a.refusal
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
	if err := a.stepInner(); err != nil {
		return 0, err
	}
	if scale, err = a.nextScales(); err != nil {
		return 0, err
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
	if err := a.inner.Step(a.standIns); err != nil {
		return a.blame(err)
	}
	return nil
}

// blame says whose err is: a parameter's, if inner is a solver of ours and says
// so, else inner's.
func (a *Augmented) blame(err error) error {
	_, ours := a.inner.(configurable)
	if e, ok := err.(*ParameterError); ok && ours {
		return a.parameters.refuse(a.places[e.Position], e)
	}
	return fmt.Errorf("solver: %T, augmented: %w", a.inner, err)
}
