package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// longest is the scale of the longest step that WithMaxStep allows, to all parameters
// together or to each; +Inf if there is no limit.
func (a *adaptive) longest(of []state, p *progress) float64 {
	if a.maxStep == 0 {
		return math.Inf(1)
	}
	if !a.capEach {
		return a.longestOf(of, p.now, 1-p.kept)
	}
	longest := math.Inf(1)
	for i, q := range of {
		sums, _ := q.measured()
		longest = min(longest, a.longestOf(of[i:i+1], reading{sums: sums}, 1-p.kept))
	}
	return longest
}

// readMeanSquare finds R², the mean of the squares of all values, 0 where that is beyond
// float64. Where parameters are of very unlike size, it says nothing of the small ones: so it
// is at most that of 30 times the smallest parameter's, whose values count as 0.03 at least.
func (a *adaptive) readMeanSquare(bound []state) {
	squares, smallest := a.values[:0], math.Inf(1)
	for _, p := range bound {
		sums, _ := p.measured()
		squares = append(squares, sums.SquaredValue)
		if n := p.elements(); n > 0 {
			smallest = min(smallest, sums.SquaredValue/float64(n))
		}
	}
	a.values, a.meanSquare = squares, 0
	if total := kernel.AddAscending(squares); kernel.InRange(total) {
		a.meanSquare = total / float64(elementsOf(bound))
	}
	if a.valueSpread > 0 {
		a.meanSquare = min(a.meanSquare, float64(a.valueSpread*a.valueSpread)*max(smallest, leastValue*leastValue))
	}
}

// longestOf is that of parameters together, of which this was read: c_max ‖θ‖ / ‖u‖, where
// ‖θ‖ counts as 0.03 √n and ½ R n / √(n + 10) at least.
func (a *adaptive) longestOf(of []state, now reading, w float64) float64 {
	step := a.stepLength(a, of, now, w)
	if step == 0 {
		return math.Inf(1)
	}
	return a.maxStep * math.Sqrt(a.countedSquare(of, now)) / step
}

// countedSquare is ‖θ‖² as it counts for the longest step.
func (a *adaptive) countedSquare(of []state, now reading) float64 {
	n := float64(elementsOf(of))
	least := max(leastValue*leastValue, float64(a.meanShare*a.meanShare*a.meanSquare)*(n/(n+fewValues)))
	return max(now.sums.SquaredValue, float64(least*n))
}

// elementsOf is how many values parameters have together.
func elementsOf(of []state) int {
	n := 0
	for _, p := range of {
		n += p.elements()
	}
	return n
}

const (
	leastValue = 0.03 // what each of n values counts as at least
	fewValues  = 10.0 // the n from which on half of R counts more than a little: the gradients of a few are mostly noise
)
