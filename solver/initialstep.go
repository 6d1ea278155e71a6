package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// lengthOfZero is the assumed size of each value where all of them are 0.
const lengthOfZero = 0.01

// initialScale is s_0 = ρ ‖θ_0‖ / ‖u‖ over the bound parameters that have not moved yet.
func (a *adaptive) initialScale() float64 {
	begin := a.initialStep > 0 && a.adaptsScale()
	values, steps := a.values[:0], a.firstSteps[:0]
	total := 0
	for _, p := range a.parameters.Bound() {
		now := &p.progressed().now
		if now.value, now.step = 0, 0; begin && starts(p) {
			now.value, now.step = p.first()
			values, steps = append(values, now.value), append(steps, now.step)
			total += p.elements()
		}
	}
	a.values, a.firstSteps = values, steps
	if !begin {
		return 1
	}
	value, step := kernel.AddAscending(values), kernel.AddAscending(steps)
	if value == 0 {
		value = lengthOfZero * lengthOfZero * float64(total)
	}
	if !kernel.InRange(value) || !kernel.InRange(step) {
		return 1
	}
	return a.firstLength() * math.Sqrt(value) / math.Sqrt(step)
}

// firstLength is the length of the first step relative to the parameters'.
func (h *hyperparameters) firstLength() float64 {
	if h.maxStep > 0 {
		return min(h.initialStep, h.maxStep)
	}
	return h.initialStep
}

// longestFirst limits a parameter's s_0 by its own length, since a step that is short relative to
// all parameters may be long for a small one:
//
//	‖s_0 u‖ ≤ 30 ρ max(‖θ_0‖, 0.03 √n)
//
// It is +Inf where parameters share a scale, where this is not a first step, and where ‖u‖² leaves
// the range of float64.
func (a *adaptive) longestFirst(of []state, p *progress) float64 {
	if a.valueSpread == 0 || !kernel.InRange(p.now.step) {
		return math.Inf(1)
	}
	value := max(p.now.value, leastValue*leastValue*float64(elementsOf(of)))
	return float64(a.valueSpread*a.firstLength()) * math.Sqrt(value) / math.Sqrt(p.now.step)
}

// starts reports whether this is a parameter's first step: the first of all, or one with a gradient
// if none before it moved anything.
func starts(p state) bool {
	at := p.progressed()
	sums, _ := p.measured()
	return at.steps == 0 || at.moves() == 0 && sums.MaxGradient > 0
}
