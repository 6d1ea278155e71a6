package solver

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ gorgonia.Solver = (*EGU)(nil)

// EGU is the unnormalised exponentiated-gradient update, for parameters that
// cannot be negative: mixture weights, rates, nonnegative factors.
//
//	θ ← θ ⊙ exp(−η g)
//
// It is gradient descent on φ where θ = e^φ, with the factor e^φ folded into the step size. A value
// of 0 stays 0, a positive one stays positive except for underflow, and a negative one is an error.
// The exponent of one step saturates at about ±87 in float32 and ±708 in float64. g is the gradient
// after l1 and l2 regularisation, division by the batch size and clipping, in this order.
//
// Source: Kivinen, Warmuth, Exponentiated Gradient versus Gradient Descent for
// Linear Predictors, 1997; and as Funnel's.
//
// An EGU belongs to one goroutine at a time; two of them share nothing.
type EGU struct {
	hyperparameters
	checked    bool  // the hyperparameters have passed check since they last changed
	refusal    error // the error of an option given to NewEGU
	parameters *param.Registry[eguParameter]
}

// NewEGU returns an EGU. It takes these options of Gorgonia's:
//
//	WithLearnRate  η  0.001  [0, ∞)
//	WithBatchSize     1      (−∞, ∞), of which only numbers above 1 divide the gradient
//	WithClip          off    [0, ∞], 0 being off
//	WithL1Reg         off    [0, ∞)
//	WithL2Reg         off    [0, ∞)
//
// Other options are ignored. Step reports an invalid value as a *HyperparameterError.
func NewEGU(opts ...gorgonia.SolverOpt) *EGU {
	e := &EGU{parameters: param.NewRegistry[eguParameter]()}
	e.hyperparameters, e.refusal = defaults(egu).with(opts)
	return e
}

func (e *EGU) made() error {
	if e == nil || e.parameters == nil {
		return notMade("an EGU", "NewEGU")
	}
	return nil
}

func (e *EGU) change(set func(*hyperparameters)) {
	set(&e.hyperparameters)
	e.checked = false
}

// Apply changes hyperparameters between steps. If one is invalid, it changes none and returns a
// *HyperparameterError.
func (e *EGU) Apply(opts ...gorgonia.SolverOpt) error {
	if err := e.made(); err != nil {
		return err
	}
	h, err := e.hyperparameters.with(opts)
	if err == nil {
		err = h.check(egu)
	}
	if err != nil {
		return err
	}
	e.hyperparameters, e.checked, e.refusal = h, true, nil
	return nil
}

// Step changes the value of every parameter of the model and zeroes their
// gradients, or, on an error, changes nothing. A parameter that is listed twice
// steps once. The error is a *HyperparameterError or a *ParameterError, or unwraps
// to ErrNotMade.
func (e *EGU) Step(model []gorgonia.ValueGrad) error {
	if err := e.made(); err != nil {
		return err
	}
	if err := e.ready(); err != nil {
		return err
	}
	if err := e.parameters.Bind(model, newEGUParameter); err != nil {
		return err
	}
	defer e.parameters.Release()
	for i, p := range e.parameters.Bound() {
		if err := p.check(&e.hyperparameters); err != nil {
			return e.parameters.Blame(i, err)
		}
	}
	for _, p := range e.parameters.Bound() {
		p.update()
	}
	return nil
}

// ready checks the hyperparameters if they have changed.
func (e *EGU) ready() error {
	if e.refusal == nil && !e.checked {
		if err := e.hyperparameters.check(egu); err != nil {
			return err
		}
		e.checked = true
	}
	return e.refusal
}

func (e *EGU) saver() (saver, error) { return e, e.made() }

func (e *EGU) savedKind() string { return string(egu) }

func (e *EGU) save([]*namedValue) (*checkpoint.Solver, []*checkpoint.Tensor, error) {
	if err := e.ready(); err != nil {
		return nil, nil, err
	}
	h, err := e.hyperparameters.save()
	return &checkpoint.Solver{Hyperparameters: h}, nil, err
}

func (e *EGU) restore(r *checkpoint.Solver, _ []*namedValue) ([]*checkpoint.Tensor, func() error, error) {
	h, err := restoreHyperparameters(r.Hyperparameters, egu)
	return nil, func() error {
		e.hyperparameters, e.checked, e.refusal = h, true, nil
		return nil
	}, err
}

// eguParameter is a parameter of an EGU, of either dtype. It has no learned state.
type eguParameter interface {
	param.State
	check(*hyperparameters) error
	update()
}

func newEGUParameter(value gorgonia.Value) eguParameter {
	if value.Dtype() == tensor.Float32 {
		return &eguState[float32]{Binding: param.NewBinding[float32](value)}
	}
	return &eguState[float64]{Binding: param.NewBinding[float64](value)}
}

type eguState[T kernel.Float] struct {
	param.Binding[T]

	// scratch, valid during Step
	theta, gradient []T
	learnRate       T
	objective       kernel.Objective[T]
}

// check reads the parameter and refuses a step that cannot be made.
func (s *eguState[T]) check(h *hyperparameters) error {
	s.learnRate, s.objective = T(h.learnRate), objective[T](h)
	s.theta, s.gradient = s.Value.List(), s.Gradient.List()
	if err := s.CheckGradient(s.gradient, s.objective.Clips()); err != nil {
		return err
	}
	if err := s.CheckValue(s.theta); err != nil {
		return err
	}
	for i, v := range s.theta {
		if v < 0 {
			return s.At(i, fmt.Errorf("%w: %v", ErrNegative, v))
		}
	}
	if i := kernel.OverflowEGU(s.theta, s.gradient, s.learnRate, &s.objective); i >= 0 {
		return s.At(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *eguState[T]) update() {
	kernel.UpdateEGU(s.theta, s.gradient, s.learnRate, &s.objective)
	s.Store()
}

// Release drops the references to the parameter's memory.
func (s *eguState[T]) Release() {
	s.theta, s.gradient = nil, nil
	s.Binding.Release()
}
