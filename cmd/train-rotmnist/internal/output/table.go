package output

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Width is the greatest length of a line in tables and texts, in characters.
const Width = 80

// column is one of the columns after the solver's.
type column struct {
	title, about string
	of           func(*results.Row) table.Number
	format       func(table.Number) string
}

// columns are all columns. The terminal shows those that fit.
var columns = []column{
	{"accuracy", "digits that were read right, each before it was learned from", func(r *results.Row) table.Number { return r.Accuracy }, table.Percent},
	{"after shift", "the same, in the first 100 steps after each jump of the angle", func(r *results.Row) table.Number { return r.AfterShift }, table.Percent},
	{"recovery", "steps from a jump until 90% are read right, mean over the jumps", func(r *results.Row) table.Number { return r.Recovery }, table.Decimals(1)},
	{"plateau", "the accuracy in the last 50 steps at each angle", func(r *results.Row) table.Number { return r.Plateau }, table.Percent},
	{"held-out", "digits kept from training, read right at the end of each angle", (*results.Row).MeanHeldOut, table.Percent},
	{"ms/step", "milliseconds that a training step takes, network and solver", func(r *results.Row) table.Number { return r.StepMS }, table.Decimals(2)},
	{"solver ms", "milliseconds of it that are the solver's", func(r *results.Row) table.Number { return r.SolverMS }, table.Decimals(3)},
	{"scale", "the learned scale at the end", func(r *results.Row) table.Number { return r.Scale }, table.Significant},
}

// skipped is a column only if batches were skipped.
var skipped = column{"skipped", "batches that were not learned from, for numbers that are not finite", func(r *results.Row) table.Number { return table.Number(r.Skipped) }, table.Decimals(0)}

// cell is a row's cell in the column.
func (c *column) cell(r *results.Row) string {
	switch x := c.of(r); {
	case c.title != "recovery" || r.Unrecovered == 0:
		return x.Cell(c.format)
	case x.Missing():
		return "never"
	default:
		return "≥" + x.Cell(c.format)
	}
}

// Definitions returns what each column of Cells after the first means.
func Definitions() (titled [][2]string) {
	for _, c := range columns {
		titled = append(titled, [2]string{c.title, c.about})
	}
	return titled
}

// Cells returns all cells of a table with a row for each run, line by line. The
// first line has the titles.
func Cells(rows []results.Row) [][]string { return cells(rows, columns) }

func cells(rows []results.Row, columns []column) [][]string {
	lines := [][]string{{"solver"}}
	for _, c := range columns {
		lines[0] = append(lines[0], c.title)
	}
	for i := range rows {
		line := []string{rows[i].Spec}
		for _, c := range columns {
			line = append(line, c.cell(&rows[i]))
		}
		lines = append(lines, line)
	}
	return lines
}

// Table writes the table of runs that have made so many steps. A run that ended
// earlier says so in place of its numbers, which cannot be compared: they cover
// fewer digits.
func Table(w io.Writer, rows []results.Row, steps int) error {
	return table.Write(w, arrange(rows, steps, shown(rows)))
}

// Legend writes what the columns of the table are, a line for each.
func Legend(w io.Writer, rows []results.Row) error {
	for _, c := range shown(rows) {
		if _, err := fmt.Fprintf(w, "%-11s  %s\n", c.title, c.about); err != nil {
			return err
		}
	}
	return nil
}

// longest is the greatest length of a name in a table. A longer one has a line of its own.
const longest = 24

// leftOut are the columns to drop first if a table is too wide.
var leftOut = []string{"plateau", "after shift"}

// shown returns the columns of the table that fit, without the scale, whose unit
// depends on the solver, and the solver's part of the time.
func shown(rows []results.Row) []column {
	var all []column
	for _, c := range columns {
		if c.title != "scale" && c.title != "solver ms" {
			all = append(all, c)
		}
	}
	if slices.ContainsFunc(rows, func(r results.Row) bool { return r.Skipped > 0 }) {
		all = append(all, skipped)
	}
	for _, title := range leftOut {
		width := -2
		for _, n := range table.Widths(arrange(rows, 0, all)) {
			width += 2 + n
		}
		if width <= Width {
			break
		}
		all = slices.DeleteFunc(all, func(c column) bool { return c.title == title })
	}
	return all
}

// arrange returns the lines of the table: an empty one between solvers that learn
// their step sizes and those that do not, and long names above their numbers.
func arrange(rows []results.Row, steps int, columns []column) [][]string {
	whole := cells(rows, columns)
	lines := whole[:1:1]
	for i, line := range whole[1:] {
		r := &rows[i]
		if i > 0 && spec.Adapts(r.Solver) != spec.Adapts(rows[i-1].Solver) {
			lines = append(lines, nil)
		}
		if utf8.RuneCountInString(r.Spec) > longest {
			lines = append(lines, []string{r.Spec})
			line[0] = ""
		}
		if end := ending(r, steps); end != "" {
			line = []string{line[0], end}
		}
		lines = append(lines, line)
	}
	return lines
}

// ending says how a run ended before the others did; "" if it did not.
func ending(r *results.Row, steps int) string {
	switch {
	case r.DivergedAt > 0:
		return fmt.Sprintf("diverged at step %d", r.DivergedAt)
	case r.StepsDone < steps:
		return fmt.Sprintf("failed at step %d", r.StepsDone+1)
	}
	return ""
}
