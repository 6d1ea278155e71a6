package output

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// columns of the tables, after the solver's.
var columns = []struct {
	title  string
	of     func(*Row) Number
	format func(Number) string
}{
	{"accuracy", func(r *Row) Number { return r.Accuracy }, percent},
	{"after shift", func(r *Row) Number { return r.AfterShift }, percent},
	{"recovery", func(r *Row) Number { return r.Recovery }, decimals(1)},
	{"plateau", func(r *Row) Number { return r.Plateau }, percent},
	{"held-out", (*Row).meanHeldOut, percent},
	{"ms/step", func(r *Row) Number { return r.StepMS }, decimals(2)},
	{"solver ms", func(r *Row) Number { return r.SolverMS }, decimals(3)},
	{"scale", func(r *Row) Number { return r.Scale }, significant},
}

func percent(n Number) string { return fmt.Sprintf("%.2f%%", 100*float64(n)) }

func decimals(d int) func(Number) string {
	return func(n Number) string { return fmt.Sprintf("%.*f", d, float64(n)) }
}

func significant(n Number) string { return fmt.Sprintf("%.4g", float64(n)) }

// Table writes a row for each solver.
func Table(w io.Writer, rows []Row) error { return write(w, Cells(rows)) }

// Cells are the table's, line by line. The first has the titles.
func Cells(rows []Row) [][]string {
	lines := [][]string{{"solver"}}
	for _, c := range columns {
		lines[0] = append(lines[0], c.title)
	}
	for _, r := range rows {
		line := []string{r.Spec}
		for _, c := range columns {
			line = append(line, cell(c.of(&r), c.format))
		}
		lines = append(lines, line)
	}
	return lines
}

func cell(n Number, format func(Number) string) string {
	if n.missing() {
		return "–"
	}
	return format(n)
}

// write aligns the first column left and the others right.
func write(w io.Writer, lines [][]string) error {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, c := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, c := range line {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				b.WriteString(c + space)
			} else {
				b.WriteString("  " + space + c)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
