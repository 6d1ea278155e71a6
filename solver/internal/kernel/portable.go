package kernel

import "math"

// Measure reads one parameter.
func Measure[T Float](value, gradient, velocity []T, o *Objective[T]) Sums {
	gradient, velocity = gradient[:len(value)], velocity[:len(value)]
	var dot, vv, gg partial
	var maxGradient, maxValue T
	none := o.none()
	for i, v := range value {
		g := gradient[i]
		maxGradient = larger(maxGradient, g)
		maxValue = larger(maxValue, v)
		if !none {
			g = o.gradient(g, v)
		}
		a, b, lane := float64(velocity[i]), float64(g), i%lanes
		dot[lane] += float64(a * b)
		vv[lane] += float64(a * a)
		gg[lane] += float64(b * b)
	}
	return Sums{
		Dot: dot.total(), Velocity: vv.total(), Gradient: gg.total(),
		MaxGradient: float64(maxGradient), MaxValue: float64(maxValue),
	}
}

// larger is the larger of a ≥ 0 and |x|, and NaN once either is.
func larger[T Float](a, x T) T { return max(a, x, -x) }

// ExponentOfZero is below the exponent of every other number.
const ExponentOfZero = -1 << 16

// Exponents returns the exponents (as math.Frexp's) of the largest magnitudes
// of the velocity and of g, for MeasureScaled.
func Exponents[T Float](value, gradient, velocity []T, o *Objective[T]) (ofVelocity, ofGradient int) {
	var v, g T
	for i := range value {
		v = larger(v, velocity[i])
		g = larger(g, o.gradient(gradient[i], value[i]))
	}
	return exponent(float64(v)), exponent(float64(g))
}

func exponent(x float64) int {
	if x == 0 {
		return ExponentOfZero
	}
	_, e := math.Frexp(x)
	return e
}

// MeasureScaled is the sums of Measure with the velocity divided by
// 2^ofVelocity and g by 2^ofGradient, for numbers whose squares a float64
// does not hold.
func MeasureScaled[T Float](value, gradient, velocity []T, o *Objective[T], ofVelocity, ofGradient int) Sums {
	var dot, vv, gg partial
	for i := range value {
		a := scaled(velocity[i], ofVelocity)
		b := scaled(o.gradient(gradient[i], value[i]), ofGradient)
		lane := i % lanes
		dot[lane] += float64(a * b)
		vv[lane] += float64(a * a)
		gg[lane] += float64(b * b)
	}
	return Sums{Dot: dot.total(), Velocity: vv.total(), Gradient: gg.total()}
}

// next is one step of Funnel for one element.
func (c *Coefficients[T]) next(value, g, velocity, average, gain T) (value1, velocity1, average1, gain1 T) {
	g = c.gradient(g, value)
	gain = min(max(gain*c.factor(average, g), c.GainMin), c.GainMax)
	velocity = T(c.Momentum*velocity) + T(c.LearnRate*T(gain*g))
	average = T(c.GradientDecay*average) + T(c.GradientShare*g)
	value = value - T(c.Scale*velocity)
	return value, velocity, average, gain
}

func (c *Coefficients[T]) factor(average, g T) T {
	switch {
	case c.RawGain:
		return Exp(c.GainRate * T(average*g))
	case average > 0 && g > 0, average < 0 && g < 0:
		return c.GainUp
	case average > 0 && g < 0, average < 0 && g > 0:
		return c.GainDown
	}
	return 1
}

// Update makes one step of Funnel, and zeroes the gradient.
func Update[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	for i := range value {
		value[i], velocity[i], average[i], gain[i] =
			c.next(value[i], gradient[i], velocity[i], average[i], gain[i])
		gradient[i] = 0
	}
}

// Overflow is the place of the first element that Update would make
// non-finite, or -1.
func Overflow[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) int {
	for i := range value {
		v, w, m, p := c.next(value[i], gradient[i], velocity[i], average[i], gain[i])
		if !finite(v) || !finite(w) || !finite(m) || !finite(p) {
			return i
		}
	}
	return -1
}

// UpdateEGU makes one step of the exponentiated-gradient update,
// θ ← θ ⊙ exp(−η g), and zeroes the gradient.
func UpdateEGU[T Float](value, gradient []T, learnRate T, o *Objective[T]) {
	for i, v := range value {
		value[i] = v * Exp(-learnRate*o.gradient(gradient[i], v))
		gradient[i] = 0
	}
}

// OverflowEGU is the place of the first element that UpdateEGU would make
// non-finite, or -1.
func OverflowEGU[T Float](value, gradient []T, learnRate T, o *Objective[T]) int {
	for i, v := range value {
		if !finite(v * Exp(-learnRate*o.gradient(gradient[i], v))) {
			return i
		}
	}
	return -1
}
