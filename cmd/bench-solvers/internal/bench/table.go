package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Table writes how the contestants did on each problem, and then on the whole,
// in lines of at most so many columns where names are short enough.
func (p *Plan) Table(w io.Writer, records []Record, width int) error {
	s := p.scores(records)
	groups := append(s.tuned(), s.contestants()...)
	names := column{"problem"}
	for _, problem := range p.Problems {
		names = append(names, problem.Name)
	}
	tables := arrange(names, groups, width)
	if s.compares() {
		tables = append(tables, s.summary())
	}
	for i, lines := range tables {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := table.Write(w, lines); err != nil {
			return err
		}
	}
	return nil
}

// compares tells whether there are peers to have ratios to.
func (s *scores) compares() bool { return len(s.peers("adam"))+len(s.peers("momentum")) > 0 }

// column is a title and a cell for each problem.
type column []string

// tuned are the scores of the best of the grid, and their learning rates.
func (s *scores) tuned() [][]column {
	var groups [][]column
	for _, kind := range tunable {
		if len(s.plan.Grid) == 0 || len(s.peers(kind)) == 0 {
			continue
		}
		values, rates := column{kind}, column{"at"}
		for _, p := range s.plan.Problems {
			best, score := s.best(p, kind)
			rate := ""
			if best != nil && !math.IsInf(score, 1) {
				rate = scientific(best.rate, -1)
			}
			values, rates = append(values, value(score)), append(rates, rate)
		}
		groups = append(groups, []column{values, rates})
	}
	return groups
}

// contestants are the scores of each, and their ratios to the best tuned peer.
func (s *scores) contestants() [][]column {
	var groups [][]column
	for i := range s.plan.Contestants {
		c := &s.plan.Contestants[i]
		values, ratios := column{c.Text}, column{"ratio"}
		for _, p := range s.plan.Problems {
			values = append(values, value(s.score(p, c)))
			ratios = append(ratios, ratio(s.ratio(p, c, tunable...)))
		}
		group := []column{values}
		if s.compares() {
			group = append(group, ratios)
		}
		groups = append(groups, group)
	}
	return groups
}

// summary has a line for each contestant: its ratios on the whole, to the best tuned
// peer and to the best Adam.
func (s *scores) summary() [][]string {
	lines := [][]string{{"ratio, geometric mean", "to the best", "worst", "", "to adam", "worst", "", "problems"}}
	for i := range s.plan.Contestants {
		c := &s.plan.Contestants[i]
		line := []string{c.Text}
		var n int
		for _, kinds := range [][]string{tunable, {"adam"}} {
			mean, worst, where, with := s.whole(c, kinds...)
			if with == 0 {
				mean, worst = math.NaN(), math.NaN()
			}
			line, n = append(line, ratio(mean), ratio(worst), where), max(n, with)
		}
		lines = append(lines, append(line, strconv.Itoa(n)))
	}
	return lines
}

// arrange puts groups of columns side by side, and under each other where a line would be
// longer than width. The names stand first in each.
func arrange(names column, groups [][]column, width int) [][][]string {
	var tables [][][]string
	var columns []column
	used := 0
	flush := func() {
		if len(columns) > 0 {
			tables = append(tables, transpose(append([]column{names}, columns...)))
		}
		columns, used = nil, names.width()
	}
	flush()
	for _, group := range groups {
		more := 0
		for _, c := range group {
			more += 2 + c.width()
		}
		if used+more > width {
			flush()
		}
		columns, used = append(columns, group...), used+more
	}
	flush()
	return tables
}

func (c column) width() int {
	return utf8.RuneCountInString(slices.MaxFunc(c, func(a, b string) int {
		return utf8.RuneCountInString(a) - utf8.RuneCountInString(b)
	}))
}

func transpose(columns []column) [][]string {
	lines := make([][]string, len(columns[0]))
	for _, c := range columns {
		for i, cell := range c {
			lines[i] = append(lines[i], cell)
		}
	}
	return lines
}

func value(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 0):
		return "diverged"
	}
	return fmt.Sprintf("%.3g", x)
}

func ratio(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case x >= mostRatio:
		return fmt.Sprintf("≥%d", mostRatio)
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x < 0.1:
		return scientific(x, 0)
	}
	return fmt.Sprintf("%.2f", x)
}

// scientific is 3e-4 for 0.0003. It has so many decimals, -1 for as many as there are.
func scientific(x float64, decimals int) string {
	return strings.NewReplacer("e-0", "e-", "e+0", "e").Replace(strconv.FormatFloat(x, 'e', decimals, 64))
}
