package solver

import "math"

// growthRate is the rate at which ‖θ‖̄ follows ‖θ‖, and ḡ_low rises to ḡ.
const growthRate = 0.001

// limitsGrowth reports whether the factor a of the longest step can be below 1.
func (h *hyperparameters) limitsGrowth() bool {
	return h.maxStep > 0 && h.freeGrowth > 0 && h.scaleSignal == Relative
}

// readGrowth sets grown, which is less the more all gradients have grown: the largest ḡ_low/ḡ of
// all scales. ḡ_low is the recent minimum of ḡ. It rises slowly, or quickly where w, the weight of
// the warm-up at the previous step, is large after a shift:
//
//	ḡ_low ← min(ḡ, ḡ_low + max(0.001, w⁴) (ḡ − ḡ_low))
//
// It is 1 where some parameter's gradient has not grown. Gradients of 0 are left out.
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

// followLow updates ḡ_low and returns ḡ_low/ḡ, or 0 where the gradient is 0.
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

// slowed is a, the factor of the longest step where a parameter and all gradients have grown
// recently, so that the two cannot drive each other without end:
//
//	max(min(1, max(‖θ‖̄, 0.3 √n) / ‖θ‖), ḡ_low/ḡ),  ‖θ‖̄ ← ‖θ‖̄ + 0.001 (‖θ‖ − ‖θ‖̄)
//
// ‖θ‖ is √countedSquare, as for the longest step.
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
