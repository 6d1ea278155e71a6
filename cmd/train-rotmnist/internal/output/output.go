// Package output writes results: the tables for people, and the CSV.
package output

import (
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
)

// NewRow returns the results of a run with a solver.
func NewRow(s spec.Spec, r *experiment.Result) results.Row {
	row := Unmade(s)
	row.StepsDone, row.HeldOut, row.Skipped, row.DivergedAt = r.Steps, r.HeldOut, r.Skipped, r.DivergedAt
	row.Accuracy, row.AfterShift, row.Recovery = table.Number(r.Accuracy), table.Number(r.AfterShift), table.Number(r.Recovery)
	row.Unrecovered = r.Unrecovered
	row.Plateau, row.Scale = table.Number(r.Plateau), table.Number(r.Scale)
	row.StepMS, row.SolverMS = table.Number(r.StepMS), table.Number(r.SolverMS)
	return row
}

// Unmade returns the row of a run that was not made: only the solver is known.
func Unmade(s spec.Spec) results.Row {
	row := results.Missing()
	row.Solver, row.Settings, row.LearnRate, row.Spec = s.Name, s.Settings, s.LearnRate(), s.Text
	return row
}
