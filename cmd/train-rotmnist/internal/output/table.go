package output

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/gonum/stat"
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
func Table(w io.Writer, rows []Row) error {
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
	return write(w, lines)
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

// Means writes a row for each solver over several summaries, most often of
// several seeds: mean ± standard deviation. The summaries must be of one
// experiment.
func Means(w io.Writer, summaries []Summary) error {
	var specs []string
	rows := map[string][]Row{}
	type run struct {
		spec string
		seed uint64
	}
	seen := map[run]bool{}
	for i, s := range summaries {
		if err := sameExperiment(&summaries[0], &summaries[i]); err != nil {
			return err
		}
		for _, r := range s.Results {
			if seen[run{r.Spec, s.Seed}] {
				return fmt.Errorf("%s with seed %d is in two summaries; give each run once", r.Spec, s.Seed)
			}
			seen[run{r.Spec, s.Seed}] = true
			if len(rows[r.Spec]) == 0 {
				specs = append(specs, r.Spec)
			}
			rows[r.Spec] = append(rows[r.Spec], r)
		}
	}
	lines := [][]string{{"solver", "runs"}}
	for _, c := range columns {
		lines[0] = append(lines[0], c.title)
	}
	for _, spec := range specs {
		line := []string{spec, fmt.Sprint(len(rows[spec]))}
		for _, c := range columns {
			var xs []float64
			for _, r := range rows[spec] {
				xs = append(xs, float64(c.of(&r)))
			}
			line = append(line, plusMinus(xs, c.format))
		}
		lines = append(lines, line)
	}
	return write(w, lines)
}

// sameExperiment says what keeps two summaries from being of one experiment.
func sameExperiment(a, b *Summary) error {
	switch {
	case a.Data != b.Data:
		return fmt.Errorf("the summaries are of different data, %s and %s", a.Data, b.Data)
	case a.Steps != b.Steps || a.Batch != b.Batch || a.Drift != b.Drift || !slices.Equal(a.Angles, b.Angles) || !slices.Equal(a.Hidden, b.Hidden):
		return fmt.Errorf("the summaries are of different streams or networks: steps %d and %d, batch %d and %d, angles %v and %v, hidden layers %v and %v",
			a.Steps, b.Steps, a.Batch, b.Batch, a.Angles, b.Angles, a.Hidden, b.Hidden)
	}
	return nil
}

// plusMinus is the mean and the sample's standard deviation.
func plusMinus(xs []float64, format func(Number) string) string {
	mean, deviation := stat.MeanStdDev(xs, nil)
	if len(xs) == 1 || math.IsNaN(mean) {
		return cell(Number(mean), format)
	}
	return format(Number(mean)) + " ± " + format(Number(deviation))
}
