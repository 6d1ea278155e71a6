package output

import (
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver"
	"gonum.org/v1/gonum/stat"
)

// shares of the gains whose quantiles are written.
var shares = []float64{0.01, 0.25, 0.5, 0.75, 0.99}

// CSV writes a row for each step and solver. Columns that a solver has nothing
// for are empty. With a scale for each parameter, the column scale is their
// geometric mean.
type CSV struct {
	w     *csv.Writer
	gains []float64
}

// NewCSV writes the header.
func NewCSV(w io.Writer) *CSV {
	c := AppendCSV(w)
	c.w.Write([]string{"solver", "step", "angle", "loss", "accuracy", "scale", "gain_01", "gain_25", "gain_50", "gain_75", "gain_99"})
	return c
}

// AppendCSV goes on after rows that are there.
func AppendCSV(w io.Writer) *CSV { return &CSV{w: csv.NewWriter(w)} }

// Write adds a row. An error may show only in Flush.
func (c *CSV) Write(s *experiment.Step) error {
	row := []string{s.Solver, strconv.Itoa(s.Number + 1), field(s.Angle), field(s.Loss), field(s.Accuracy)}
	as := s.Adaptations()
	row = append(row, field(experiment.Scale(as)))
	for _, q := range c.quantiles(as) {
		row = append(row, field(q))
	}
	return c.w.Write(row)
}

// quantiles are those of all gains of a solver.
func (c *CSV) quantiles(as []solver.Adaptation) []float64 {
	qs := make([]float64, len(shares))
	c.gains = c.gains[:0]
	for _, a := range as {
		c.gains = append(c.gains, a.Gain...)
	}
	slices.Sort(c.gains)
	for i, share := range shares {
		qs[i] = math.NaN()
		if len(c.gains) > 0 {
			qs[i] = stat.Quantile(share, stat.Empirical, c.gains, nil)
		}
	}
	return qs
}

// field is a number that parses back to itself, to six digits; empty if there
// is none.
func field(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Flush writes what is buffered.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}
