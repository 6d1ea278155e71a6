package spec

import (
	"errors"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Gorgonia's pool can block for ever when goroutines return tensors at once and it
// is nearly full: each checks for room before it sends, and another may take the
// room in between. The commands train networks side by side.
func init() { tensor.DontUsePool() }

// paced is a solver with a schedule of its own, such as a learning rate that decays.
type paced interface {
	gorgonia.Solver
	Pace(step, steps int) error
}

var _ paced = (*decaying)(nil)

// Pace must be called before every step of a solver, with the step's number, from 0,
// and the number of steps in all. It does nothing to a solver that is not paced.
func Pace(s gorgonia.Solver, step, steps int) error {
	if p, ok := s.(paced); ok {
		return p.Pace(step, steps)
	}
	return nil
}

// Refused reports whether a solver refused a step because of numbers that are not
// finite.
func Refused(err error) bool {
	return errors.Is(err, solver.ErrNonFiniteGradient) || errors.Is(err, solver.ErrNonFiniteValue) || errors.Is(err, solver.ErrNonFiniteStep)
}
