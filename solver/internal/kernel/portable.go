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
		p.add(i, float64(velocity[i]), float64(g))
	}
}

// measureAdamPortable reads part of a parameter and adds it to p.
func measureAdamPortable[T Float](value, gradient, first, second []T, d *Direction[T], o *Objective[T], p *partials) {
	n := len(value)
	gradient, first, second = gradient[:n], first[:n], second[:n]
	plain, way := o.plain(), *d
	for i, v := range value {
		g := gradient[i]
		p.maxGradient = max(p.maxGradient, magnitude(g))
		p.maxValue = max(p.maxValue, magnitude(v))
		if !plain {
			g = o.gradient(g, v)
		}
		p.add(i, float64(way.Of(first[i], second[i])), float64(g))
	}
}

// add adds what the i-th element has of the direction, a, and of g, b.
func (p *partials) add(i int, a, b float64) {
	lane := i % lanes
	p.dot[lane] += float64(a * b)
	p.direction[lane] += float64(a * a)
	p.gradient[lane] += float64(b * b)
}

// ExponentOfZero is below the exponent of every other number.
const ExponentOfZero = -1 << 16

// Exponents returns the exponents (as math.Frexp's) of the largest magnitudes
// of the direction and of g, for MeasureScaled.
func Exponents[T Float](value, gradient []T, direction func(i int) T, o *Objective[T]) (ofDirection, ofGradient int) {
	var d, g uint64
	for i := range value {
		d = max(d, magnitude(direction(i)))
		g = max(g, magnitude(o.gradient(gradient[i], value[i])))
	}
	return exponent(fromMagnitude[T](d)), exponent(fromMagnitude[T](g))
}

func exponent(x float64) int {
	if x == 0 {
		return ExponentOfZero
	}
	_, e := math.Frexp(x)
	return e
}

// MeasureScaled is the sums of Measure with the direction divided by
// 2^ofDirection and g by 2^ofGradient, for numbers whose squares a float64
// does not hold.
func MeasureScaled[T Float](value, gradient []T, direction func(i int) T, o *Objective[T], ofDirection, ofGradient int) Sums {
	var p partials
	for i := range value {
		p.add(i, scaled(direction(i), ofDirection), scaled(o.gradient(gradient[i], value[i]), ofGradient))
	}
	return sums[T](&p)
}

// updatePortable makes one step of Funnel for part of a parameter.
func updatePortable[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	n := len(value)
	gradient, velocity, average, gain = gradient[:n], velocity[:n], average[:n], gain[:n]
	// In variables of their own, which no store to a slice can be meant for.
	eta, mu, beta, share, s := c.LearnRate, c.Momentum, c.GradientDecay, c.GradientShare, c.Scale
	gains, plain := c.Gain, c.plain()
	for i, v := range value {
		g, m := gradient[i], average[i]
		if !plain {
			g = c.gradient(g, v)
		}
		p := gain[i]
		if gains.Raw {
			p *= Exp(gains.Rate * T(m*g))
		} else {
			p *= gains.normalized(m, g)
		}
		p = gains.bound(p)
		w := T(mu*velocity[i]) + T(eta*T(p*g))
		gain[i] = p
		velocity[i] = w
		average[i] = T(beta*m) + T(share*g)
		value[i] = v - T(s*w)
		gradient[i] = 0
	}
}

// updateAdamPortable makes one step of FunnelAdam for part of a parameter.
func updateAdamPortable[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) {
	n := len(value)
	gradient, first, second, gain = gradient[:n], first[:n], second[:n], gain[:n]
	beta1, share1, beta2, share2, rate := c.Beta1, c.Share1, c.Beta2, c.Share2, c.Rate
	gains, way, plain := c.Gain, c.Direction, c.plain()
	for i, old := range value {
		g, m := gradient[i], first[i]
		if !plain {
			g = c.gradient(g, old)
		}
		p := gain[i]
		if gains.Raw {
			p *= Exp(gains.Rate * T(m*g))
		} else {
			p *= gains.normalized(m, g)
		}
		p = gains.bound(p)
		m = T(beta1*m) + T(share1*T(p*g))
		v := T(beta2*second[i]) + T(T(share2*g)*g) // share2·g² without g², which could overflow
		gain[i] = p
		first[i] = m
		second[i] = v
		value[i] = old - T(rate*way.Of(m, v))
		gradient[i] = 0
	}
}

// normalized is what a gain is multiplied by, of normalized signals.
func (k *Gains[T]) normalized(m, g T) T {
	if m == 0 || g == 0 {
		return 1
	}
	return k.Factor[differ(m, g)]
}

func (k *Gains[T]) bound(p T) T {
	if p < k.Min {
		p = k.Min
	}
	if p > k.Max {
		p = k.Max
	}
	return p
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
// non-finite, or -1. It makes the step, on copies.
func Overflow[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) int {
	var x copies[T]
	for i := 0; i < len(value); i += len(x[0]) {
		n := x.take(i, value, gradient, velocity, average, gain)
		updatePortable(x[0][:n], x[1][:n], x[2][:n], x[3][:n], x[4][:n], c)
		if k := x.firstNonFinite(n); k >= 0 {
			return i + k
		}
	}
	return -1
}

// OverflowAdam is the place of the first element that UpdateAdam would make
// non-finite, or -1. It makes the step, on copies.
func OverflowAdam[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) int {
	var x copies[T]
	for i := 0; i < len(value); i += len(x[0]) {
		n := x.take(i, value, gradient, first, second, gain)
		updateAdamPortable(x[0][:n], x[1][:n], x[2][:n], x[3][:n], x[4][:n], c)
		if k := x.firstNonFinite(n); k >= 0 {
			return i + k
		}
	}
	return -1
}

// copies are of a few elements of all arrays of a parameter.
type copies[T Float] [5][64]T

// take copies elements from the i-th on, and returns how many.
func (x *copies[T]) take(i int, arrays ...[]T) (n int) {
	for k, a := range arrays {
		n = copy(x[k][:], a[i:])
	}
	return n
}

func (x *copies[T]) firstNonFinite(n int) int {
	for i := range n {
		for k := range x {
			if !finite(x[k][i]) {
				return i
			}
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
