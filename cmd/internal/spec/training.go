package spec

import (
	"errors"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Where goroutines give tensors back to Gorgonia's pool at once and it is full, one can
// wait for ever, as it asks for room before it sends, and another takes the room. The
// commands train networks side by side.
func init() { tensor.DontUsePool() }

// paced is a solver with a schedule of its own, such as a learning rate that decays.
type paced interface {
	gorgonia.Solver
	Pace(step, steps int) error
}

var _ paced = (*decaying)(nil)

// Pace is to be called before every step of a solver, with the step's number, from 0,
// and how many steps there are. It does nothing to one that is not paced.
func Pace(s gorgonia.Solver, step, steps int) error {
	if p, ok := s.(paced); ok {
		return p.Pace(step, steps)
	}
	return nil
}

// Refused tells whether a solver refused a step for numbers that are not finite.
func Refused(err error) bool {
	return errors.Is(err, solver.ErrNonFiniteGradient) || errors.Is(err, solver.ErrNonFiniteValue) || errors.Is(err, solver.ErrNonFiniteStep)
}
