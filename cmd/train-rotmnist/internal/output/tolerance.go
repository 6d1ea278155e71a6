package output

import (
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"gonum.org/v1/gonum/stat"
)

// tolerances has a row for each solver.
func (p *compared) tolerances() [][]string {
	lines := [][]string{{"solver", "best lr", "accuracy", fmt.Sprintf("at %v", solvers.DefaultLearnRate), "tolerance"}}
	for _, c := range p.curves {
		best, standard := c.best(), "–"
		for _, point := range c.points {
			if point.rate == solvers.DefaultLearnRate {
				standard = plusMinus(point.accuracies(), percent)
			}
		}
		b := c.points[best]
		lines = append(lines, []string{c.name, fmt.Sprint(b.rate), plusMinus(b.accuracies(), percent), standard, c.tolerance()})
	}
	return lines
}

// best is the learn rate with the highest mean accuracy, by its place.
func (c *curve) best() int {
	best, highest := 0, math.Inf(-1)
	for i, p := range c.points {
		if mean := stat.Mean(p.accuracies(), nil); mean > highest {
			best, highest = i, mean
		}
	}
	return best
}

// near is how far from the best mean accuracy a learn rate is still tolerated:
// 2 points, and a little for rounding.
const near = 0.02 + 1e-9

// tolerance is over how many powers of ten of learn rate the mean accuracy
// stays near its best: those around the best one, without a gap. It is at least
// that many if a learn rate at the edge of those tested is among them.
func (c *curve) tolerance() string {
	best := c.best()
	least := stat.Mean(c.points[best].accuracies(), nil) - near
	good := func(i int) bool { return c.points[i].rate > 0 && stat.Mean(c.points[i].accuracies(), nil) >= least }
	low, high := best, best
	for low > 0 && good(low-1) {
		low--
	}
	for high < len(c.points)-1 && good(high+1) {
		high++
	}
	if len(c.points) == 1 || !good(best) {
		return "–"
	}
	text := fmt.Sprintf("%.2g", math.Log10(c.points[high].rate/c.points[low].rate))
	if low == 0 || high == len(c.points)-1 {
		text = "≥" + text
	}
	return text
}
