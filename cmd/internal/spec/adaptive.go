package spec

import (
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// applier is a solver that takes options between steps. Gorgonia's own options,
// called on a solver that is not Gorgonia's, do nothing; Apply takes them.
type applier interface {
	Apply(...gorgonia.SolverOpt) error
}

// Adaptations returns what a solver has learned about step sizes; nil if it
// learns none.
func Adaptations(s gorgonia.Solver) []solver.Adaptation {
	if a, ok := Undecayed(s).(solver.Adaptive); ok {
		return a.Adaptations()
	}
	return nil
}

// Undecayed returns the solver without the decaying learning rate that New may have
// put around it. solver.Save and solver.Load need it: the decay follows from the
// step's number and has no state.
func Undecayed(s gorgonia.Solver) gorgonia.Solver {
	if d, ok := s.(*decaying); ok {
		return d.Solver
	}
	return s
}

// apply changes options of a solver between steps.
func apply(s gorgonia.Solver, opts ...gorgonia.SolverOpt) error {
	if a, ok := s.(applier); ok {
		return a.Apply(opts...)
	}
	for _, opt := range opts {
		opt(s)
	}
	return nil
}
