package kernel

import "math"

// Objective holds the options that turn the gradient that Gorgonia computed into g, the gradient of
// the step.
type Objective[T Float] struct {
	L1, L2   T // weights of the regularisation; 0: none
	PerBatch T // 1/batch; 1: none
	Clip     T // above 0; +Inf: none
}

// plain reports whether g is the gradient that Gorgonia computed.
func (o *Objective[T]) plain() bool {
	return o.L1 == 0 && o.L2 == 0 && o.PerBatch == 1 && !o.Clips()
}

// Clips reports whether infinite gradients are clipped.
func (o *Objective[T]) Clips() bool { return float64(o.Clip) <= math.MaxFloat64 }

// Gradient returns g.
func (o *Objective[T]) Gradient(gradient, theta T) T {
	if o.plain() {
		return gradient // to the bit: adding 0 would change the sign of −0
	}
	return o.apply(gradient, theta)
}

// apply is Gradient if an option is set.
func (o *Objective[T]) apply(g, theta T) T {
	g = g + T(o.L1*sign(theta))         // g ← g + l1 sign(θ)
	g = g + T(o.L2*theta)               // g ← g + l2 θ
	g = g * o.PerBatch                  // g ← g / batch
	return min(max(g, -o.Clip), o.Clip) // g ← min(max(g, −clip), clip)
}

// Bound returns an upper bound, up to rounding, of the magnitudes from which g is computed, given
// the largest magnitudes of the gradient and of the value.
func (o *Objective[T]) Bound(gradient, theta float64) float64 {
	return gradient + float64(o.L1) + float64(o.L2)*theta
}

// zero reports whether every g is 0, given the largest magnitudes of the gradient and of the value.
func (o *Objective[T]) zero(maxGradient, maxValue float64) bool {
	return maxGradient == 0 && (maxValue == 0 || o.L1 == 0 && o.L2 == 0)
}

// OverflowObjective returns the index of the first element whose g is not
// finite, or -1.
func OverflowObjective[T Float](theta, gradient []T, o *Objective[T]) int {
	for i := range theta {
		if !finite(o.Gradient(gradient[i], theta[i])) {
			return i
		}
	}
	return -1
}
