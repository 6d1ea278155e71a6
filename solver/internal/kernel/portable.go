package kernel

import "math"

// measurePortable reads part of a parameter and adds it to p.
func measurePortable[T Float](value, gradient, velocity []T, o *Objective[T], p *partials) {
	gradient, velocity = gradient[:len(value)], velocity[:len(value)]
	plain := o.plain()
	for i, v := range value {
		g := gradient[i]
		p.maxGradient = max(p.maxGradient, magnitude(g))
		p.maxValue = max(p.maxValue, magnitude(v))
		if !plain {
			g = o.gradient(g, v)
		}
		a, b, lane := float64(velocity[i]), float64(g), i%lanes
		p.dot[lane] += float64(a * b)
		p.velocity[lane] += float64(a * a)
		p.gradient[lane] += float64(b * b)
	}
}

// ExponentOfZero is below the exponent of every other number.
const ExponentOfZero = -1 << 16

// Exponents returns the exponents (as math.Frexp's) of the largest magnitudes
// of the velocity and of g, for MeasureScaled.
func Exponents[T Float](value, gradient, velocity []T, o *Objective[T]) (ofVelocity, ofGradient int) {
	var v, g uint64
	for i := range value {
		v = max(v, magnitude(velocity[i]))
		g = max(g, magnitude(o.gradient(gradient[i], value[i])))
	}
	return exponent(fromMagnitude[T](v)), exponent(fromMagnitude[T](g))
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
	var p partials
	for i := range value {
		a := scaled(velocity[i], ofVelocity)
		b := scaled(o.gradient(gradient[i], value[i]), ofGradient)
		lane := i % lanes
		p.dot[lane] += float64(a * b)
		p.velocity[lane] += float64(a * a)
		p.gradient[lane] += float64(b * b)
	}
	return sums[T](&p)
}

// updatePortable makes one step of Funnel for part of a parameter.
func updatePortable[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	n := len(value)
	gradient, velocity, average, gain = gradient[:n], velocity[:n], average[:n], gain[:n]
	plain := c.plain()
	for i := range value {
		g := gradient[i]
		if !plain {
			g = c.gradient(g, value[i])
		}
		value[i], velocity[i], average[i], gain[i] = c.next(value[i], g, velocity[i], average[i], gain[i])
		gradient[i] = 0
	}
}

// next is one step of Funnel for one element.
func (c *Coefficients[T]) next(value, g, velocity, average, gain T) (value1, velocity1, average1, gain1 T) {
	gain = min(max(gain*c.factor(average, g), c.GainMin), c.GainMax)
	velocity = T(c.Momentum*velocity) + T(c.LearnRate*T(gain*g))
	average = T(c.GradientDecay*average) + T(c.GradientShare*g)
	value = value - T(c.Scale*velocity)
	return value, velocity, average, gain
}

// factor is what the gain is multiplied by.
func (c *Coefficients[T]) factor(average, g T) T {
	switch {
	case c.RawGain:
		return Exp(c.GainRate * T(average*g))
	case average == 0 || g == 0:
		return 1
	case negative(average) == negative(g):
		return c.GainUp
	}
	return c.GainDown
}

// OverflowObjective is the place of the first element whose g is not finite,
// or -1.
func OverflowObjective[T Float](value, gradient []T, o *Objective[T]) int {
	for i, v := range value {
		if !finite(o.gradient(gradient[i], v)) {
			return i
		}
	}
	return -1
}

// Overflow is the place of the first element that Update would make
// non-finite, or -1.
func Overflow[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) int {
	for i := range value {
		v, w, m, p := c.next(value[i], c.gradient(gradient[i], value[i]), velocity[i], average[i], gain[i])
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
