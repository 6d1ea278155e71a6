package output

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// Means writes a row for each solver and learn rate: mean ± standard deviation
// over the runs, most often of several seeds. Where solvers have several learn
// rates, a second table has a row for each solver: its best learn rate, and its
// tolerance of others. Runs of different protocols have tables of their own. A
// run that is there twice counts once: both must have come to the same, but a
// result stands for a failure.
func Means(w io.Writer, records []Record) error {
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

// once keeps one record of each run, as shards that overlap have several: a
// result if there is one, or else the first failure.
func once(records []Record) ([]Record, error) {
	at := map[string]int{}
	var kept []Record
	for _, r := range records {
		i, twice := at[r.Key()]
		switch {
		case !twice:
			at[r.Key()] = len(kept)
			kept = append(kept, r)
		case r.Error != "":
		case kept[i].Error != "":
			kept[i] = r
		case kept[i].result() != r.result():
			return nil, fmt.Errorf("%s with seed %d has different results in %s and in %s; give only one of the files, or delete the run from one",
				r.Spec, r.Seed, kept[i].File, r.File)
		}
	}
	return kept, nil
}

// result is what followed from the run: equal for equal results.
func (r Record) result() string {
	r.Spec, r.Settings, r.StepMS, r.SolverMS = "", nil, 0, 0 // the key has the solver, and times vary
	return identity(r)
}

// compared is the runs of one protocol.
type compared struct {
	Protocol
	curves []*curve
	failed []Record
}

// curve is a solver with its settings, at several learn rates.
type curve struct {
	name   string
	points []*point // by learn rate
}

// point is a curve at one learn rate.
type point struct {
	rate float64
	rows []Row // a seed each
}

// protocols sorts runs. Protocols and solvers are in the order in which they
// are met first.
func protocols(records []Record) []*compared {
	var all []*compared
	at := map[string]*compared{}
	for _, r := range records {
		key := identity(r.Protocol)
		p := at[key]
		if p == nil {
			p = &compared{Protocol: r.Protocol}
			at[key], all = p, append(all, p)
		}
		if r.Error != "" {
			p.failed = append(p.failed, r)
			continue
		}
		p.add(r.Row)
	}
	return all
}

func (p *compared) add(r Row) {
	name := r.withoutRate()
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

// withoutRate is the solver with all of its settings but the learn rate.
func (r *Row) withoutRate() string {
	name := r.Solver
	for _, key := range slices.Sorted(maps.Keys(r.Settings)) {
		if key != "lr" {
			name += ":" + key + "=" + r.Settings[key]
		}
	}
	return name
}

func (p *compared) write(w io.Writer) error {
	if err := write(w, p.means()); err != nil {
		return err
	}
	if slices.ContainsFunc(p.curves, func(c *curve) bool { return len(c.points) > 1 }) {
		fmt.Fprintln(w)
		if err := write(w, p.tolerances()); err != nil {
			return err
		}
	}
	for _, r := range p.failed {
		if _, err := fmt.Fprintf(w, "\nleft out: %s with seed %d, which failed: %s\n", r.Spec, r.Seed, r.Error); err != nil {
			return err
		}
	}
	return nil
}

// means has no column for what none of the runs has.
func (p *compared) means() [][]string {
	lines := [][]string{{"solver", "runs"}}
	var points []*point
	for _, c := range p.curves {
		for _, point := range c.points {
			points = append(points, point)
			lines = append(lines, []string{point.rows[0].Spec, fmt.Sprint(len(point.rows))})
		}
	}
	for _, c := range columns {
		cells, some := []string{c.title}, false
		for _, point := range points {
			xs := point.numbers(c.of)
			some = some || slices.ContainsFunc(xs, func(x float64) bool { return !Number(x).missing() })
			cells = append(cells, plusMinus(xs, c.format))
		}
		if some {
			lines = extend(lines, cells)
		}
	}
	cells, some := []string{"diverged"}, false
	for _, point := range points {
		n := point.diverged()
		some = some || n > 0
		cells = append(cells, fmt.Sprint(n))
	}
	if some {
		lines = extend(lines, cells)
	}
	return lines
}

// extend adds a column.
func extend(lines [][]string, column []string) [][]string {
	for i := range lines {
		lines[i] = append(lines[i], column[i])
	}
	return lines
}

func (p *point) numbers(of func(*Row) Number) []float64 {
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

func (p *point) accuracies() []float64 { return p.numbers(func(r *Row) Number { return r.Accuracy }) }

// plusMinus is the mean and the sample's standard deviation.
func plusMinus(xs []float64, format func(Number) string) string {
	mean, deviation := stat.MeanStdDev(xs, nil)
	if len(xs) == 1 || math.IsNaN(mean) {
		return cell(Number(mean), format)
	}
	return format(Number(mean)) + " ± " + format(Number(deviation))
}
