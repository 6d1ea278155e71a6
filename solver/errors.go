package solver

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/param"
)

// What can be wrong with a parameter. Step reports it in a *ParameterError;
// tell the causes apart with errors.Is.
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

	// ErrShared is a value or a gradient that has memory in common with another. Of
	// views with gaps, such as columns, those that begin in one place are found.
	ErrShared = param.ErrShared

	// ErrNegative is a value below 0, which an EGU does not take.
	ErrNegative = errors.New("value below 0; the exponentiated-gradient update is for values of at least 0")

	// ErrNonFiniteGradient is NaN in a gradient, or Inf in one that gorgonia.WithClip
	// does not clip. The gradient has it until somebody clears it: drop the batch with
	// ZeroGrad.
	ErrNonFiniteGradient = param.ErrNonFiniteGradient

	// ErrNonFiniteValue is NaN or Inf in a value before the step.
	ErrNonFiniteValue = param.ErrNonFiniteValue

	// ErrNonFiniteStep is a step that would make a value, or the solver's state of
	// it, NaN or Inf.
	ErrNonFiniteStep = errors.New("the step would make it NaN or Inf; clip the gradient, or make the step shorter")
)

// ErrNotMade is a solver that no constructor made: a nil pointer or a zero value.
var ErrNotMade = errors.New("the solver is nil or a zero value")

// What can be wrong with a checkpoint. Tell the causes apart with errors.Is.
var (
	// ErrCorrupt is a checkpoint that is truncated or altered.
	ErrCorrupt = checkpoint.ErrCorrupt

	// ErrForeign is a file that Save did not write.
	ErrForeign = checkpoint.ErrForeign

	// ErrDifferent is a sound checkpoint, but not of this model and this kind of
	// solver. Dimensions of size 1 do not count in a shape.
	ErrDifferent = checkpoint.ErrDifferent

	// ErrVersion is a checkpoint that a later version of this package wrote.
	ErrVersion = checkpoint.ErrVersion

	// ErrName is a parameter whose name no checkpoint can contain. It is in a
	// *ParameterError.
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

// HyperparameterError says which option got a value it cannot have.
type HyperparameterError struct {
	Option string // the option's name, such as WithMomentum
	Value  any
	Want   string // what the value must be
}

func (e *HyperparameterError) Error() string {
	return fmt.Sprintf("solver: %s: %v is not allowed; it must be %s", e.Option, e.Value, e.Want)
}

// notMade is the error of a solver that no constructor made.
func notMade(what, constructor string) error {
	return fmt.Errorf("solver: %s is made with %s: %w", what, constructor, ErrNotMade)
}
