package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// lengthOfZero is what every value counts as where all of them are 0.
const lengthOfZero = 0.01

// initialScale is s_0 = ρ ‖θ_0‖ / ‖u‖ of those bound parameters that have not
// moved yet.
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

// firstLength is that of the first step, relative to the parameters'.
func (h *hyperparameters) firstLength() float64 {
	if h.maxStep > 0 {
		return min(h.initialStep, h.maxStep)
	}
	return h.initialStep
}

// longestFirst is s_0 of a parameter whose own length allows no more: what is a short step to
// all of them together may be a long one to a small one,
//
//	‖s_0 u‖ ≤ 30 ρ max(‖θ_0‖, 0.03 √n)
//
// It is +Inf where parameters have a scale together, and where ‖u‖² is beyond float64.
func (a *adaptive) longestFirst(of []state, p *progress) float64 {
	if a.valueSpread == 0 || !kernel.InRange(p.now.step) {
		return math.Inf(1)
	}
	value := max(p.now.value, leastValue*leastValue*float64(elementsOf(of)))
	return float64(a.valueSpread*a.firstLength()) * math.Sqrt(value) / math.Sqrt(p.now.step)
}

// starts says whether a parameter makes its first step. One that has not moved
// yet goes on not to while its gradient is 0.
func starts(p state) bool {
	at := p.progressed()
	sums, _ := p.measured()
	return at.steps == 0 || at.moves() == 0 && sums.MaxGradient > 0
}
