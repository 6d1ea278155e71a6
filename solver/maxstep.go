package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// longest is the largest scale that WithMaxStep allows parameters that share one, for all of them
// together or for each; +Inf if there is no limit.
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

// readMeanSquare sets R², the mean square of all values of the model, or 0 if that leaves the range
// of float64. So that large parameters do not stand for small ones, R is at most 30 times the root
// mean square of the smallest parameter, which counts as 0.03 at least.
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

// longestOf is longest for parameters taken together, given their reading: c_max ‖θ‖ / ‖u‖, where
// ‖θ‖ counts as at least 0.03 √n and ½ R n / √(n + 10).
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

// elementsOf returns the number of values of all parameters together.
func elementsOf(of []state) int {
	n := 0
	for _, p := range of {
		n += p.elements()
	}
	return n
}

const (
	leastValue = 0.03 // the least root mean square of a parameter's values
	fewValues  = 10.0 // the n that halves the minimum set by R²: the gradient of a few values is mostly noise
)
