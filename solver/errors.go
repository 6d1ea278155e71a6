package solver

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/param"
)

// Faults of a parameter. Step reports them in a *ParameterError; tell them apart with errors.Is.
var (
	// ErrNoValue is a parameter that is nil or has no value.
	ErrNoValue = param.ErrNoValue

	// ErrNoGradient is a parameter whose gradient no machine has computed.
	ErrNoGradient = param.ErrNoGradient

	// ErrUnsupported is a value or a gradient that is not of float32 or float64
	// in memory that Go can reach.
	ErrUnsupported = param.ErrUnsupported

	// ErrMismatch is a gradient whose shape or dtype is not the value's, or a
	// value whose shape is not what it was. Dimensions of size 1 do not count.
	ErrMismatch = param.ErrMismatch

	// ErrShared is a value or a gradient that shares memory with another. Views with gaps, such as
	// columns, are compared only by where they begin.
	ErrShared = param.ErrShared

	// ErrNegative is a value below 0, which an EGU does not take.
	ErrNegative = errors.New("value below 0; the exponentiated-gradient update is for values of at least 0")

	// ErrNonFiniteGradient is NaN in a gradient, or Inf in one that gorgonia.WithClip does not
	// clip. The gradient keeps it until it is cleared: skip the batch with ZeroGrad.
	ErrNonFiniteGradient = param.ErrNonFiniteGradient

	// ErrNonFiniteValue is NaN or Inf in a value before the step.
	ErrNonFiniteValue = param.ErrNonFiniteValue

	// ErrNonFiniteStep is a step that would make a value, or the solver's state of the parameter,
	// NaN or Inf.
	ErrNonFiniteStep = errors.New("the step would make it NaN or Inf; clip the gradient, or make the step shorter")
)

// ErrNotMade is a solver that no constructor made: a nil pointer or a zero value.
var ErrNotMade = errors.New("the solver is nil or a zero value")

// Faults of a checkpoint. Tell them apart with errors.Is.
var (
	// ErrCorrupt is a checkpoint that is truncated or altered.
	ErrCorrupt = checkpoint.ErrCorrupt

	// ErrForeign is a file that Save did not write.
	ErrForeign = checkpoint.ErrForeign

	// ErrDifferent is an intact checkpoint of another model or another kind of solver. Dimensions
	// of size 1 do not count in a shape.
	ErrDifferent = checkpoint.ErrDifferent

	// ErrVersion is a checkpoint that a later version of this package wrote.
	ErrVersion = checkpoint.ErrVersion

	// ErrName is a parameter whose name cannot be used in a checkpoint. It is in a *ParameterError.
	ErrName = errors.New("a checkpoint cannot contain it by its name")
)

// ParameterError says which parameter made Step, Save or Load refuse, and why. It
// unwraps to one of the Err variables. Its fields are
//
//	Name     string // of the parameter, empty if it has none
//	Position int    // in the model, counted from 0
//	Index    []int  // of the first bad element; empty for a scalar, and where no element is to blame
//	Err      error
type ParameterError = param.ParameterError

// HyperparameterError says which option was given an invalid value.
type HyperparameterError struct {
	Option string // the option's name, such as WithMomentum
	Value  any
	Want   string // what the value must be
}

func (e *HyperparameterError) Error() string {
	return fmt.Sprintf("solver: %s: %v is not allowed; it must be %s", e.Option, e.Value, e.Want)
}

// notMade returns the error of a solver that no constructor made.
func notMade(what, constructor string) error {
	return fmt.Errorf("solver: %s is made with %s: %w", what, constructor, ErrNotMade)
}
