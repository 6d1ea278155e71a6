package output

import (
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// columns are those of the tables after the solver's.
var columns = []struct {
	title  string
	of     func(*results.Row) table.Number
	format func(table.Number) string
}{
	{"accuracy", func(r *results.Row) table.Number { return r.Accuracy }, table.Percent},
	{"after shift", func(r *results.Row) table.Number { return r.AfterShift }, table.Percent},
	{"recovery", func(r *results.Row) table.Number { return r.Recovery }, table.Decimals(1)},
	{"plateau", func(r *results.Row) table.Number { return r.Plateau }, table.Percent},
	{"held-out", (*results.Row).MeanHeldOut, table.Percent},
	{"ms/step", func(r *results.Row) table.Number { return r.StepMS }, table.Decimals(2)},
	{"solver ms", func(r *results.Row) table.Number { return r.SolverMS }, table.Decimals(3)},
	{"scale", func(r *results.Row) table.Number { return r.Scale }, table.Significant},
}

// Table writes the table of a comparison, with a row for each solver.
func Table(w io.Writer, rows []results.Row) error { return table.Write(w, Cells(rows)) }

// Cells returns the table's cells, line by line. The first line has the titles.
func Cells(rows []results.Row) [][]string {
	lines := [][]string{{"solver"}}
	for _, c := range columns {
		lines[0] = append(lines[0], c.title)
	}
	for _, r := range rows {
		line := []string{r.Spec}
		for _, c := range columns {
			line = append(line, c.of(&r).Cell(c.format))
		}
		lines = append(lines, line)
	}
	return lines
}
