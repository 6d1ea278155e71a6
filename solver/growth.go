package solver

import "math"

// growthRate is how fast ‖θ‖̄ follows ‖θ‖, and ḡ_low follows ḡ upwards.
const growthRate = 0.001

// limitsGrowth says whether the longest step may grow less than its parameters do.
func (h *hyperparameters) limitsGrowth() bool {
	return h.maxStep > 0 && h.freeGrowth > 0 && h.scaleSignal == Relative
}

// readGrowth finds how far the gradients of a step have grown of late: the largest ḡ_low/ḡ of
// all scales, where ḡ_low is the smallest ḡ of late, or since a shift, with the weight w of a
// warm-up that began again,
//
//	ḡ_low ← min(ḡ, ḡ_low + max(0.001, w⁴) (ḡ − ḡ_low))
//
// It is 1 where the gradient of some parameter has not grown. Those that are 0 say nothing.
func (a *adaptive) readGrowth(bound []state) {
	a.grown = 1
	if !a.limitsGrowth() || !a.adaptsScale() {
		return
	}
	grown := 0.0
	if a.scope == Global {
		grown = a.progress.followLow()
	} else {
		for _, p := range bound {
			grown = max(grown, p.progressed().followLow())
		}
	}
	if grown > 0 {
		a.grown = grown
	}
}

// followLow finds ḡ_low of the step, and returns ḡ_low/ḡ, or 0 where the gradient is 0.
func (p *progress) followLow() float64 {
	next := &p.next
	if p.now.rise == 0 || next.GradientNorm == 0 {
		return 0
	}
	if next.GradientLow == 0 {
		next.GradientLow = next.GradientNorm
	}
	square := next.Warmup * next.Warmup
	rate := max(growthRate, square*square)
	next.GradientLow = min(next.GradientNorm, next.GradientLow+float64(rate*(next.GradientNorm-next.GradientLow)))
	return next.GradientLow / next.GradientNorm
}

// slowed is a, the share of the longest step that is left where parameters and all gradients
// have grown of late, so that neither can drive the other without end:
//
//	max(min(1, max(‖θ‖̄, 0.3 √n) / ‖θ‖), ḡ_low/ḡ),  ‖θ‖̄ ← ‖θ‖̄ + 0.001 (‖θ‖ − ‖θ‖̄)
//
// ‖θ‖ counts as it does for the longest step.
func (a *adaptive) slowed(of []state, p *progress) float64 {
	square := a.countedSquare(of, p.now)
	if !a.limitsGrowth() || math.IsInf(square, 1) {
		return 1
	}
	length, next := math.Sqrt(square), &p.next
	if next.ValueLength == 0 {
		next.ValueLength = length
	}
	next.ValueLength += float64(growthRate * (length - next.ValueLength))
	free := a.freeGrowth * math.Sqrt(float64(elementsOf(of)))
	return max(min(1, max(next.ValueLength, free)/length), a.grown)
}
