package solvers

import "gorgonia.org/gorgonia"

// Keepable is what solver.Save and solver.Load are to be given for a solver that
// New has made.
func Keepable(s gorgonia.Solver) gorgonia.Solver {
	if d, ok := s.(*decaying); ok {
		return d.Solver
	}
	return s
}
