package solver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/access"
)

// What can be wrong with a parameter. Step reports it in a *ParameterError;
// tell the causes apart with errors.Is.
var (
	ErrNoValue     = access.ErrNoValue
	ErrNoGradient  = access.ErrNoGradient
	ErrUnsupported = access.ErrUnsupported
	ErrMismatch    = access.ErrMismatch
	ErrRepeated    = errors.New("it is in the model twice")
	ErrShared      = errors.New("memory that is not its own")
	ErrNegative    = errors.New("value below 0; the exponentiated-gradient update is for values of at least 0")

	// ErrNonFiniteGradient is NaN or Inf in a gradient. The gradient keeps it
	// until somebody clears it: drop the batch with ZeroGrad.
	ErrNonFiniteGradient = errors.New("NaN or Inf in the gradient; ZeroGrad clears it, to skip the batch")

	// ErrNonFiniteValue is NaN or Inf in a value before the step.
	ErrNonFiniteValue = errors.New("NaN or Inf in the value; it was there before the step")

	// ErrNonFiniteStep is a step that would make a value, or what the solver
	// keeps of it, NaN or Inf.
	ErrNonFiniteStep = errors.New("the step would make it NaN or Inf; clip the gradient, or make the step shorter")
)

// What can be wrong with a checkpoint. Tell the causes apart with errors.Is.
var (
	// ErrCorrupt is a file to be given up: truncated, altered, or no checkpoint.
	ErrCorrupt = errors.New("not a checkpoint, or a damaged one")

	// ErrDifferent is a sound checkpoint, but not of this model and this kind of
	// solver.
	ErrDifferent = errors.New("a checkpoint of another model or solver")

	// ErrVersion is a checkpoint that a newer release of this package wrote.
	ErrVersion = errors.New("a checkpoint of a newer version")

	// ErrName is a parameter that no checkpoint can keep, since it keeps them by
	// name. It is in a *ParameterError.
	ErrName = errors.New("a checkpoint cannot keep it by its name")
)

// ParameterError says which parameter made Step, Save or Load refuse, and why. It unwraps to
// one of the Err variables.
type ParameterError struct {
	Name     string // of the parameter, empty if it has none
	Position int    // in the model given to Step, counted from 0
	Index    []int  // of the first bad element; empty for a scalar, and where no element is to blame
	Err      error
}

func (e *ParameterError) Error() string {
	var b strings.Builder
	b.WriteString("solver: parameter ")
	if e.Name != "" {
		fmt.Fprintf(&b, "%q ", e.Name)
	}
	fmt.Fprintf(&b, "(number %d of the model)", e.Position+1)
	if len(e.Index) > 0 {
		fmt.Fprintf(&b, ", at %d", e.Index)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

func (e *ParameterError) Unwrap() error { return e.Err }

// HyperparameterError says which option got a value it cannot have.
type HyperparameterError struct {
	Option string // the option's name, such as WithMomentum
	Value  any
	Want   string // what the value must be
}

func (e *HyperparameterError) Error() string {
	return fmt.Sprintf("solver: %s: %v is not allowed; it must be %s", e.Option, e.Value, e.Want)
}
