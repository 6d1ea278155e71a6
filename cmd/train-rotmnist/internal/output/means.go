package output

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"gonum.org/v1/gonum/stat"
)

// Means writes a row for each solver and learning rate: mean ± standard deviation
// over the runs, most often of several seeds. Where solvers have several learning
// rates, a second table has a row for each solver: its best learning rate, and its
// tolerance of others. Runs of different protocols have tables of their own. A run
// that occurs twice counts once: its results must agree, but a result replaces a
// failure or an incomplete run. Those are left out of the means and listed.
func Means(w io.Writer, records []results.Record) error {
	records, err := once(records)
	if err != nil {
		return err
	}
	all := protocols(records)
	for i, p := range all {
		if len(all) > 1 {
			fmt.Fprintf(w, "%s%s: %s, %s\n\n", strings.Repeat("\n", min(i, 1)), p.Data, p.Stream(), p.Model())
		}
		if err := p.write(w); err != nil {
			return err
		}
	}
	return nil
}

// once returns one record of each run, since shards that overlap have several: a
// result or, without one, the first failure.
func once(records []results.Record) ([]results.Record, error) {
	place := map[string]int{}
	var unique []results.Record
	for _, r := range records {
		i, twice := place[r.Key()]
		switch {
		case !twice:
			place[r.Key()] = len(unique)
			unique = append(unique, r)
		case whyLeftOut(&r) != "":
		case whyLeftOut(&unique[i]) != "":
			unique[i] = r
		case outcome(unique[i]) != outcome(r):
			return nil, fmt.Errorf("%s with seed %d has different results in %s and in %s; give only one of the files, or delete the run from one",
				r.Spec, r.Seed, unique[i].File, r.File)
		}
	}
	return unique, nil
}

// outcome is equal for equal results. Times are left out, since they vary.
func outcome(r results.Record) string {
	r.Spec, r.Settings, r.StepMS, r.SolverMS = "", nil, 0, 0 // the key has the solver
	r.Unrecovered = 0                                        // earlier versions did not count it
	return results.Identity(r)
}

// compared has the runs of one protocol.
type compared struct {
	results.Protocol
	curves  []*curve
	leftOut []results.Record
}

// curve has the runs of a solver with one choice of settings, at several learning
// rates.
type curve struct {
	name   string
	points []*point // by learning rate
}

// point is the runs at one learning rate.
type point struct {
	rate float64
	rows []results.Row // a seed each
}

// protocols groups runs by protocol and solver, in the order in which these first
// appear.
func protocols(records []results.Record) []*compared {
	var all []*compared
	at := map[string]*compared{}
	for _, r := range records {
		key := results.Identity(r.Protocol)
		p := at[key]
		if p == nil {
			p = &compared{Protocol: r.Protocol}
			at[key], all = p, append(all, p)
		}
		if whyLeftOut(&r) == "" {
			p.add(r.Row)
		} else {
			p.leftOut = append(p.leftOut, r)
		}
	}
	return all
}

// whyLeftOut says why a run is not in the means; "" if it is. Runs that diverged
// are, so that their learning rate does not look good; a column counts them.
func whyLeftOut(r *results.Record) string {
	switch all := r.TotalSteps(); {
	case r.Error != "":
		return "failed: " + r.Error
	case r.StepsDone > 0 && r.StepsDone < all && r.DivergedAt == 0:
		return fmt.Sprintf("made %d of %d steps", r.StepsDone, all)
	}
	return ""
}

func (p *compared) add(r results.Row) {
	name := r.WithoutRate()
	i := slices.IndexFunc(p.curves, func(c *curve) bool { return c.name == name })
	if i < 0 {
		i = len(p.curves)
		p.curves = append(p.curves, &curve{name: name})
	}
	c := p.curves[i]
	k, found := slices.BinarySearchFunc(c.points, r.LearnRate, func(p *point, rate float64) int {
		return cmp.Compare(p.rate, rate)
	})
	if !found {
		c.points = slices.Insert(c.points, k, &point{rate: r.LearnRate})
	}
	c.points[k].rows = append(c.points[k].rows, r)
}

func (p *compared) write(w io.Writer) error {
	if len(p.curves) > 0 {
		if err := p.writeTables(w); err != nil {
			return err
		}
	}
	for i, r := range p.leftOut {
		if i > 0 || len(p.curves) > 0 {
			fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "left out: %s with seed %d, which %s\n", r.Spec, r.Seed, whyLeftOut(&r)); err != nil {
			return err
		}
	}
	return nil
}

func (p *compared) writeTables(w io.Writer) error {
	for i, lines := range p.means() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := table.Write(w, lines); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(p.curves, func(c *curve) bool { return len(c.points) > 1 }) {
		fmt.Fprintln(w)
		return table.Write(w, p.tolerances())
	}
	return nil
}

// means returns the first table, divided to fit the width. Columns without any
// number are left out, and so are scales, which are in different units.
func (p *compared) means() [][][]string {
	names, runs, diverged := []string{"solver"}, []string{"runs"}, []string{"diverged"}
	var points []*point
	some := 0 // runs that diverged
	for _, c := range p.curves {
		for _, point := range c.points {
			points = append(points, point)
			names = append(names, point.rows[0].Spec)
			runs = append(runs, fmt.Sprint(len(point.rows)))
			diverged = append(diverged, fmt.Sprint(point.diverged()))
			some += point.diverged()
		}
	}
	groups := [][][]string{{runs}}
	for _, c := range columns {
		column, known := []string{c.title}, false
		for _, point := range points {
			xs := point.numbers(c.of)
			column = append(column, c.mean(point, xs))
			known = known || column[len(column)-1] != "–"
		}
		if known && c.title != "scale" {
			groups = append(groups, [][]string{column})
		}
	}
	if some > 0 {
		groups = append(groups, [][]string{diverged})
	}
	return table.Blocks(names, groups, Width)
}

// mean returns the cell of a point.
func (c *column) mean(p *point, xs []float64) string {
	if c.title == "recovery" && slices.ContainsFunc(p.rows, func(r results.Row) bool { return r.Unrecovered > 0 }) {
		recovered := slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
		switch never := len(xs) - len(recovered); {
		case len(recovered) == 0:
			return "never"
		case never > 0:
			return fmt.Sprintf("never in %d", never)
		}
		return "≥" + plusMinus(xs, c.format)
	}
	return plusMinus(xs, c.format)
}

func (p *point) numbers(of func(*results.Row) table.Number) []float64 {
	var xs []float64
	for i := range p.rows {
		xs = append(xs, float64(of(&p.rows[i])))
	}
	return xs
}

func (p *point) diverged() (n int) {
	for _, r := range p.rows {
		if r.DivergedAt > 0 {
			n++
		}
	}
	return n
}

func (p *point) accuracies() []float64 {
	return p.numbers(func(r *results.Row) table.Number { return r.Accuracy })
}

// plusMinus shows the mean and the sample's standard deviation.
func plusMinus(xs []float64, format func(table.Number) string) string {
	mean, deviation := stat.MeanStdDev(xs, nil)
	if len(xs) == 1 || math.IsNaN(mean) {
		return table.Number(mean).Cell(format)
	}
	return format(table.Number(mean)) + " ± " + format(table.Number(deviation))
}
