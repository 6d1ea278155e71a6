package solver

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
)

var _ Adaptive = (*Augmented)(nil)

// ErrInert says that the inner solver has never changed a value, although its learning rate and
// gradients should have.
var ErrInert = errors.New("it changes no value, though it has gradients and a learning rate; take another solver")

// Augmented is any gorgonia.Solver with a learned scale s around it. With Δ the
// change that the inner solver makes to the values, and g the gradient as
// Gorgonia computed it:
//
//	s_{t+1} = s_t · exp((γs + γw w_t) c_t − γs k_t (1−w_t) min(|c_t|, c_k)²),  k_t = k t / (t + 1000)
//	          then at least κ times its mean so far, warm-ups apart, then at most c_max ‖θ_t‖ / ‖Δ_{t+1}‖; of Global
//	          scope, of any parameter
//	θ_{t+1} = θ_t + s_{t+1} Δ_{t+1}
//
// where c_t is −e_t · g_t / (‖e_t‖ ḡ), and ḡ and the weight w_t of the warm-up are as in Funnel's
// documentation, except that only two signals along d in a row restart the warm-up, and a restart
// does not raise the scale. Further,
//
//	d_{t+1} = 0.7 d_t + 0.3 Δ_{t+1}
//	d̄_{t+1} = 0.95 d̄_t + 0.05 d_{t+1}
//	ū_{t+1} = β_u (1−w_t) ū_t + 2.2 (1−β_u) d̄_{t+1}
//	e_{t+1} = ū_{t+1} + 0.3 q_{t+1} d_{t+1},  q_{t+1} = (d_t · Δ_{t+1} / (‖d_t‖ ‖Δ_{t+1}‖))⁴ of a parameter's sample
//
// all 0 at first. Where gradients have long been against ū_t, ū_t replaces e_t in e_t · g_t, as for
// a Funnel. The average is smooth because an inner solver may have no momentum: its last steps are
// then mostly noise, which the next gradient always opposes, so d counts only as far as consecutive
// steps are alike. s_0 = ρ ‖θ_0‖ / ‖Δ_1‖ makes the first step ρ times as long as the parameters,
// whatever inner's learning rate. The raw signal is the product −Δ_t · g_t. With
// WithStepAverage(0), and with signals other than Relative, d is Δ and e is d. The scale is clipped
// to its bounds after every update, and while it is 1 the values are inner's to the bit. With
// WithPaperStep s_0 = 1, and the first step is inner's.
//
// The scale does not affect inner's own state, such as a velocity. Δ is the difference of the
// values, so a change that inner loses to rounding cannot be scaled: where inner alone moves
// float32 weights by less than a millionth, take a Funnel.
//
// # What inner is given
//
// Inner works on stand-ins: one *gorgonia.Node for each parameter, with its name and shape, and
// copies of its value and gradient in row-major order; a scalar becomes a tensor of one element. So
// inner need not support every layout or scalars, and the model does not change until the step is
// certain to succeed. Inner must change the stand-ins' values in place, as Gorgonia's solvers do.
//
// Of the solvers of Gorgonia v0.9.18,
//
//   - VanillaSolver, Momentum, RMSPropSolver and AdamSolver work; on scalars
//     and views, too, where alone they may panic, refuse, or forget.
//   - AdaGradSolver works, but no option reaches it: its learning rate is 0.001.
//     The scale makes up for that.
//   - BarzilaiBorweinSolver works for float64 and refuses float32. When the
//     gradient is the same twice, as after convergence, it divides 0 by 0, and
//     Step returns ErrNonFiniteStep.
//   - AdamW does not work: it computes new values and drops them, so nothing
//     moves, and Step returns ErrInert.
//
// Those that work, except VanillaSolver, find their state by the place in the model, and panic when
// the model grows: give them the same parameters in the same order at every step. Do not augment an
// EGU: a scale above 1 can make its values negative. Wrap a distributed.Solver around an Augmented,
// not the reverse: inside, each rank would adapt to its own gradients and learn another scale.
// Inner must descend: the scale of one that ascends, with a negative learning rate, falls. An
// infinite gradient is an error unless inner clips: then it counts as the largest number. Clipping
// and the learning rate are also found in a solver that inner wraps and returns from a method
// Unwrap() gorgonia.Solver.
//
// Source: as Funnel's.
//
// Make one with Augment. An Augmented belongs to one goroutine at a time, and its inner solver to
// it alone. Its state of a parameter of n elements is d and the stand-in, 12 n bytes for float32
// and 24 n for float64, for as long as the parameter's memory lives, and ū, d̄ and e of a sample of
// the elements, as Funnel has ū.
type Augmented struct {
	adaptive adaptive
	inner    gorgonia.Solver

	// scratch, valid during Step
	standIns []gorgonia.ValueGrad // inner's model
}

// Augment returns inner with a learned scale around it. Options, all optional,
// with their defaults:
//
//	WithScaleRate                γs  0.03
//	WithScaleWarmup              γw  0.4, τ 30
//	WithInitialStep              ρ   0.02
//	WithMaxStep                  c_max 0.1
//	WithScaleFloor               κ   0.2
//	WithNoiseCorrection          k   0.3
//	WithNoiseLimit               c_k 0.3
//	WithGradientGrowth           h   0
//	WithScaleRestart             n   3
//	WithSignalPooling            n0  100
//	WithStepAverage              β_u 0.99
//	WithScaleBounds                  [1e-30, 1e+30]
//	WithScaleSignal                  Relative
//	WithScaleScope                   PerParameter
//
// Other options are ignored; give inner's to inner when you make it. Step reports an invalid value,
// or an inner that is nil, as a *HyperparameterError.
func Augment(inner gorgonia.Solver, opts ...gorgonia.SolverOpt) *Augmented {
	a := &Augmented{inner: inner}
	a.adaptive.init(augment, opts, func(v gorgonia.Value) state { return newAugmentedState(v, inner) })
	a.adaptive.between = a.stepInner
	a.adaptive.stepLength = (*adaptive).changeLength
	if param.IsNil(inner) {
		a.adaptive.refusal = &HyperparameterError{"Augment", nil, "a solver"}
	}
	return a
}

// Step lets inner make its step, scales the change, and zeroes the gradients. The model may be in
// any order, or a part of an earlier one, as far as inner allows that.
//
// A step happens whole or not at all: on an error, values, gradients and what has been learned are
// unchanged, and also when inner panics; the panic goes on. Only inner's own state cannot be
// restored once inner has been called. The error is a *HyperparameterError, a *ParameterError, or
// inner's own, wrapped, or unwraps to ErrInert or ErrNotMade.
func (a *Augmented) Step(model []gorgonia.ValueGrad) error {
	own, err := a.made()
	if err != nil {
		return err
	}
	return own.step(model)
}

// Apply changes hyperparameters of the scale between steps and keeps what has been learned. If one
// is invalid, it changes none and returns a *HyperparameterError. Change inner's on inner.
func (a *Augmented) Apply(opts ...gorgonia.SolverOpt) error {
	own, err := a.made()
	if err != nil {
		return err
	}
	if param.IsNil(a.inner) {
		return own.refusal
	}
	return own.apply(opts)
}

// Adaptations returns the scales that have been learned: of each parameter of the last step, and of
// each other whose memory lives, in the order in which Step first saw them. There are no gains.
func (a *Augmented) Adaptations() []Adaptation {
	own, err := a.made()
	if err != nil {
		return nil
	}
	return own.adaptations()
}

func (a *Augmented) made() (*adaptive, error) {
	if a == nil || a.adaptive.create == nil {
		return nil, notMade("an Augmented", "Augment")
	}
	return &a.adaptive, nil
}

func (a *Augmented) change(set func(*hyperparameters)) { a.adaptive.change(set) }

// stepInner lets inner make its step on the stand-ins.
func (a *Augmented) stepInner() error {
	bound := a.adaptive.parameters.Bound()
	a.standIns = a.standIns[:0]
	for _, p := range bound {
		a.standIns = append(a.standIns, p.(augmentedParameter).standIn())
	}
	defer clear(a.standIns)
	if err := a.inner.Step(a.standIns); err != nil {
		return a.blame(err)
	}
	if len(bound) > 0 && a.adaptive.moves() == 0 && a.inert(bound) {
		return fmt.Errorf("solver: %T, augmented: %w", a.inner, ErrInert)
	}
	return nil
}

// blame returns inner's error as a *ParameterError about the model where inner is a solver of this
// package and says which parameter is at fault, and else wraps it.
func (a *Augmented) blame(err error) error {
	_, ours := a.inner.(configurable)
	if e, ok := err.(*ParameterError); ok && ours {
		p := a.adaptive.parameters.Bound()[e.Position].(augmentedParameter)
		if len(e.Index) > 0 { // its index is in the stand-in's shape
			err = p.At(param.Number(e.Index, p.standIn().Shape()), e.Err)
		}
		return a.adaptive.parameters.Blame(e.Position, err)
	}
	return fmt.Errorf("solver: %T, augmented: %w", a.inner, err)
}

// inert reports whether inner has changed nothing although gradient descent would have, with
// inner's learning rate (1 at most) and gradients clipped to ±1. It returns false where the
// learning rate is unknown.
func (a *Augmented) inert(bound []state) bool {
	learnRate, ok := learnRateOf(a.inner)
	if !ok || !(learnRate > 0) {
		return false
	}
	would := false
	for _, p := range bound {
		p := p.(augmentedParameter)
		if p.changed() {
			return false
		}
		would = would || p.wouldChange(min(learnRate, 1))
	}
	return would
}

func (a *Augmented) saver() (saver, error) {
	_, err := a.made()
	return a, err
}

func (a *Augmented) savedKind() string { return a.adaptive.savedKind() }

func (a *Augmented) save(model []*namedValue) (*checkpoint.Solver, []*checkpoint.Tensor, error) {
	r, tensors, err := a.adaptive.save(model)
	if err != nil {
		return nil, nil, err
	}
	var standIns []*namedValue
	for _, v := range model {
		if p, ok := a.adaptive.parameters.Of(v.value); ok {
			standIns = append(standIns, v.standIn(p))
		}
	}
	inner, ofInner, err := saveSolver(a.inner, standIns)
	r.Inner = inner
	return r, append(tensors, inside(ofInner)...), err
}

func (a *Augmented) restore(r *checkpoint.Solver, model []*namedValue) ([]*checkpoint.Tensor, func() error, error) {
	next, tensors, err := a.adaptive.restored(r, model)
	if err != nil {
		return nil, nil, err
	}
	if r.Inner == nil {
		return nil, nil, fmt.Errorf("%w: no inner solver", ErrCorrupt)
	}
	var standIns []*namedValue
	for i, p := range next.states {
		p.Rename(next.of[i].name)
		standIns = append(standIns, next.of[i].standIn(p))
	}
	ofInner, installInner, err := restoreSolver(a.inner, r.Inner, standIns)
	return append(tensors, inside(ofInner)...), func() error {
		if err := installInner(); err != nil {
			return err
		}
		a.adaptive.become(next)
		return nil
	}, err
}

// inside marks the roles of tensors as those of an inner solver.
func inside(tensors []*checkpoint.Tensor) []*checkpoint.Tensor {
	for _, t := range tensors {
		t.Role = "inner." + t.Role
	}
	return tensors
}

// changeLength is ‖Δ‖ of the change that inner has made.
func (a *adaptive) changeLength(of []state, _ reading, _ float64) float64 {
	a.changes = a.changes[:0]
	for _, p := range of {
		a.changes = append(a.changes, p.(augmentedParameter).squaredChange())
	}
	return math.Sqrt(kernel.AddAscending(a.changes))
}
