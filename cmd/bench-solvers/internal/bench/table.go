package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Table writes the scores on each problem, and then a summary. Lines have at most
// width characters, unless names are too long.
func (p *Plan) Table(w io.Writer, records []Record, width int) error {
	s := p.scores(records)
	groups := append(s.tuned(), s.contestants()...)
	names := []string{"problem"}
	for _, problem := range p.Problems {
		names = append(names, problem.Name)
	}
	tables := table.Blocks(names, groups, width)
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

// compares reports whether there are peers to compare with.
func (s *scores) compares() bool { return len(s.peers("adam"))+len(s.peers("momentum")) > 0 }

// tuned returns two columns for each kind of peer, with a title and a cell for each
// problem: the best score of the grid, and its learning rate.
func (s *scores) tuned() [][][]string {
	var groups [][][]string
	for _, kind := range tunable {
		if len(s.plan.Grid) == 0 || len(s.peers(kind)) == 0 {
			continue
		}
		values, rates := []string{kind}, []string{"at"}
		for _, p := range s.plan.Problems {
			best, score := s.best(p, kind)
			rate := ""
			if best != nil && !math.IsInf(score, 1) {
				rate = scientific(best.rate, -1)
			}
			values, rates = append(values, value(score)), append(rates, rate)
		}
		groups = append(groups, [][]string{values, rates})
	}
	return groups
}

// contestants returns two columns for each contestant: its scores, and its ratios to
// the best peer.
func (s *scores) contestants() [][][]string {
	var groups [][][]string
	for i := range s.plan.Contestants {
		c := &s.plan.Contestants[i]
		values, ratios := []string{c.Text}, []string{"ratio"}
		for _, p := range s.plan.Problems {
			values = append(values, value(s.score(p, c)))
			ratios = append(ratios, ratio(s.ratio(p, c, tunable...)))
		}
		group := [][]string{values}
		if s.compares() {
			group = append(group, ratios)
		}
		groups = append(groups, group)
	}
	return groups
}

// summary returns a line for each contestant: the mean and the worst of its ratios
// to the best peer, and to the best Adam.
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

// scientific formats 0.0003 as 3e-4, with so many decimals; -1 means as many as it
// needs.
func scientific(x float64, decimals int) string {
	return strings.NewReplacer("e-0", "e-", "e+0", "e").Replace(strconv.FormatFloat(x, 'e', decimals, 64))
}
