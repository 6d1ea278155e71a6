package solver

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var _ gorgonia.Solver = (*EGU)(nil)

// EGU is the unnormalised exponentiated-gradient update, for parameters that
// cannot be negative: mixture weights, rates, nonnegative factors.
//
//	θ ← θ ⊙ exp(−η g)
//
// It is gradient descent on φ where θ = e^φ, with the factor e^φ folded into
// the step size. A value of 0 stays 0, one above 0 stays above it but for
// underflow, one below 0 is an error. The exponent of one step saturates at
// about ±87 in float32 and ±708 in float64. g is the gradient after l1 and l2
// regularisation, division by the batch size and clipping, in this order.
//
// Source: Kivinen, Warmuth, Exponentiated Gradient versus Gradient Descent for
// Linear Predictors, 1997; and as Funnel's.
//
// An EGU belongs to one goroutine at a time; two of them share nothing.
type EGU struct {
	hyperparameters
	parameters registry[eguParameter]
}

// NewEGU returns an EGU. It takes gorgonia.WithLearnRate (η, default 0.001),
// WithBatchSize, WithClip, WithL1Reg and WithL2Reg; other options mean nothing
// to it and are ignored. A value that an option cannot have is reported by
// Step, as a *HyperparameterError.
func NewEGU(opts ...gorgonia.SolverOpt) *EGU {
	return &EGU{hyperparameters: defaults().with(opts)}
}

func (e *EGU) configuration() *hyperparameters { return &e.hyperparameters }

// Apply changes hyperparameters between steps. If one of them cannot be, it
// changes none and says which, as a *HyperparameterError.
func (e *EGU) Apply(opts ...gorgonia.SolverOpt) error {
	h := e.hyperparameters.with(opts)
	if err := h.checkObjective(); err != nil {
		return err
	}
	e.hyperparameters = h
	return nil
}

// Step changes the value of every parameter of the model and zeroes their
// gradients, or, on an error, changes nothing. The error is a
// *HyperparameterError or a *ParameterError.
func (e *EGU) Step(model []gorgonia.ValueGrad) error {
	if err := e.checkObjective(); err != nil {
		return err
	}
	if err := e.parameters.bind(model, newEGUParameter); err != nil {
		return err
	}
	for i, p := range e.parameters.bound {
		if err := p.check(&e.hyperparameters); err != nil {
			return e.parameters.refuse(i, err)
		}
	}
	for _, p := range e.parameters.bound {
		p.update()
	}
	return nil
}

// eguParameter is a parameter of an EGU, of either dtype.
type eguParameter interface {
	parameter
	check(*hyperparameters) error
	update()
}

func newEGUParameter(vg gorgonia.ValueGrad, dtype tensor.Dtype) eguParameter {
	if dtype == tensor.Float32 {
		return &eguState[float32]{operand: newOperand(vg, access.Float32s)}
	}
	return &eguState[float64]{operand: newOperand(vg, access.Float64s)}
}

type eguState[T kernel.Float] struct {
	operand[T]

	// of the step under way
	values, gradients []T
	learnRate         T
	objective         kernel.Objective[T]
}

// check reads the parameter and refuses a step that cannot be made.
func (s *eguState[T]) check(h *hyperparameters) error {
	s.learnRate, s.objective = T(h.learnRate), objective[T](h)
	s.values, s.gradients = s.value.Elements(), s.gradient.Elements()
	if err := s.checkGradient(s.gradients); err != nil {
		return err
	}
	if err := s.checkValue(s.values); err != nil {
		return err
	}
	for i, v := range s.values {
		if v < 0 {
			return s.at(i, fmt.Errorf("%w: %v", ErrNegative, v))
		}
	}
	if i := kernel.OverflowEGU(s.values, s.gradients, s.learnRate, &s.objective); i >= 0 {
		return s.at(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *eguState[T]) update() {
	kernel.UpdateEGU(s.values, s.gradients, s.learnRate, &s.objective)
	s.store()
}
