package output

import (
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"gonum.org/v1/gonum/stat"
)

// tolerances returns the second table, with a row for each solver.
func (p *compared) tolerances() [][]string {
	lines := [][]string{{"solver", "best lr", "accuracy", fmt.Sprintf("at %v", spec.DefaultLearnRate), "tolerance"}}
	for _, c := range p.curves {
		best, standard := c.best(), "–"
		for _, point := range c.points {
			if point.rate == spec.DefaultLearnRate {
				standard = plusMinus(point.accuracies(), table.Percent)
			}
		}
		b := c.points[best]
		lines = append(lines, []string{c.name, fmt.Sprint(b.rate), plusMinus(b.accuracies(), table.Percent), standard, c.tolerance()})
	}
	return lines
}

// best returns the index of the learning rate with the highest mean accuracy.
func (c *curve) best() int {
	best, highest := 0, math.Inf(-1)
	for i, p := range c.points {
		if mean := stat.Mean(p.accuracies(), nil); mean > highest {
			best, highest = i, mean
		}
	}
	return best
}

// near is how far below the best mean accuracy a learning rate is still tolerated:
// 2 points, with a margin for rounding.
const near = 0.02 + 1e-9

// tolerance returns over how many powers of ten of learning rate, around the best
// one and without a gap, the mean accuracy stays near its best. ≥ stands before it
// if the lowest or the highest learning rate tried is among them.
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
