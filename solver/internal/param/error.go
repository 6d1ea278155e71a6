package param

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"
)

// ParameterError says which parameter of a model is at fault, and why. Package
// solver exports it.
type ParameterError struct {
	Name     string // of the parameter, empty if it has none
	Position int    // in the model, counted from 0
	Index    []int  // of the first bad element; empty for a scalar, and where no element is to blame
	Err      error
}

func (e *ParameterError) Error() string {
	var b strings.Builder
	b.WriteString("solver: parameter ")
	if e.Name != "" {
		fmt.Fprintf(&b, "%q (number %d of the model)", e.Name, e.Position+1)
	} else {
		fmt.Fprintf(&b, "number %d of the model", e.Position+1)
	}
	if len(e.Index) > 0 {
		fmt.Fprintf(&b, ", at %d", e.Index)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

func (e *ParameterError) Unwrap() error { return e.Err }

// Blame returns err as a *ParameterError about one parameter of a model.
func Blame(err error, vg gorgonia.ValueGrad, position int) *ParameterError {
	e, ok := err.(*ParameterError)
	if !ok {
		e = &ParameterError{Err: err}
	}
	e.Name, e.Position = Name(vg), position
	return e
}
