package kernel

import "math"

// strip is how many elements measurePortable goes through at a time: few enough
// that the nearest cache holds them.
const strip = 64 * lanes

// measurePortable reads part of a parameter and adds it to p. It goes through
// each strip once for every lane, whose sums then stay in registers. An index
// without a sign needs no bounds checks.
func measurePortable[T Float](value, gradient, velocity []T, o *Objective[T], p *partials) {
	plain := o.plain()
	for start := 0; start < len(value); start += strip {
		end := min(start+strip, len(value))
		value, gradient, velocity := value[start:end], gradient[start:end], velocity[start:end]
		for lane := range lanes {
			dot, velocity2, gradient2 := p.dot[lane], p.velocity[lane], p.gradient[lane]
			maxGradient, maxValue := p.maxGradient, p.maxValue
			for i := uint(lane); i < uint(len(value)); i += lanes {
				v, g := value[i], gradient[i]
				maxGradient = max(maxGradient, magnitude(g))
				maxValue = max(maxValue, magnitude(v))
				if !plain {
					g = o.gradient(g, v)
				}
				a, b := float64(velocity[i]), float64(g)
				dot += float64(a * b)
				velocity2 += float64(a * a)
				gradient2 += float64(b * b)
			}
			p.dot[lane], p.velocity[lane], p.gradient[lane] = dot, velocity2, gradient2
			p.maxGradient, p.maxValue = maxGradient, maxValue
		}
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

// updatePortable makes one step of Funnel for part of a parameter. What most
// steps do not need is done in passes of its own, which leaves all registers to
// the last: g in the place of the gradient, the gain times a factor that takes
// an exponential.
func updatePortable[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	n := len(value)
	gradient, velocity, average, gain = gradient[:n], velocity[:n], average[:n], gain[:n]
	if !c.plain() {
		for i, g := range gradient {
			gradient[i] = c.gradient(g, value[i])
		}
	}
	factors := c.GainFactor
	if c.RawGain {
		for i, g := range gradient {
			gain[i] *= Exp(c.GainRate * T(average[i]*g))
		}
		factors = [2]T{1, 1}
	}
	// In variables of their own, which no store to a slice can be meant for.
	eta, mu, beta, share, s := c.LearnRate, c.Momentum, c.GradientDecay, c.GradientShare, c.Scale
	lowest, highest := c.GainMin, c.GainMax
	for i, v := range value {
		g, m, p := gradient[i], average[i], gain[i]
		if m != 0 && g != 0 {
			p *= factors[differ(m, g)]
		}
		if p < lowest {
			p = lowest
		}
		if p > highest {
			p = highest
		}
		w := T(mu*velocity[i]) + T(eta*T(p*g))
		gain[i] = p
		velocity[i] = w
		average[i] = T(beta*m) + T(share*g)
		value[i] = v - T(s*w)
	}
	clear(gradient)
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
	var copies [5][64]T
	v, g, w, m, p := copies[0][:], copies[1][:], copies[2][:], copies[3][:], copies[4][:]
	for i := 0; i < len(value); i += len(v) {
		n := copy(v, value[i:])
		copy(g, gradient[i:])
		copy(w, velocity[i:])
		copy(m, average[i:])
		copy(p, gain[i:])
		updatePortable(v[:n], g[:n], w[:n], m[:n], p[:n], c)
		for k := range n {
			if !finite(v[k]) || !finite(w[k]) || !finite(m[k]) || !finite(p[k]) {
				return i + k
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
