package output

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/quantile"
)

// CSV writes a row for each step and solver. A field without a number is empty.
// With a scale for each parameter, the column scale has their geometric mean.
type CSV struct{ w *csv.Writer }

// NewCSV returns a CSV that begins with the header.
func NewCSV(w io.Writer) *CSV {
	c := AppendCSV(w)
	c.w.Write([]string{"solver", "step", "angle", "loss", "accuracy", "scale", "gain_01", "gain_25", "gain_50", "gain_75", "gain_99"})
	return c
}

// AppendCSV returns a CSV that goes on after rows that w has.
func AppendCSV(w io.Writer) *CSV { return &CSV{w: csv.NewWriter(w)} }

// Write adds a row. It is buffered, so an error may show only in Flush.
func (c *CSV) Write(s *experiment.Step) error {
	row := []string{s.Solver, strconv.Itoa(s.Number + 1), field(s.Angle), field(s.Loss), field(s.Accuracy)}
	as := s.Adaptations()
	row = append(row, field(experiment.Scale(as)))
	var gains [][]float64
	for _, a := range as {
		gains = append(gains, a.Gain)
	}
	for _, q := range quantile.Of(history.Probabilities[:], gains...) {
		row = append(row, field(q))
	}
	return c.w.Write(row)
}

// field returns a number with six digits; "" for NaN.
func field(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Flush writes the rows that are buffered.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}
