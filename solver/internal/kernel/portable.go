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
			dot, velocity2, gradient2 := p.dot[lane], p.direction[lane], p.gradient[lane]
			maxGradient, maxValue := p.maxGradient, p.maxValue
			for i := uint(lane); i < uint(len(value)); i += lanes {
				v, g := value[i], gradient[i]
				maxGradient = max(maxGradient, magnitude(g))
				maxValue = max(maxValue, magnitude(v))
				if !plain {
					g = o.Gradient(g, v)
				}
				a, b := float64(velocity[i]), float64(g)
				dot += float64(a * b)
				velocity2 += float64(a * a)
				gradient2 += float64(b * b)
			}
			p.dot[lane], p.direction[lane], p.gradient[lane] = dot, velocity2, gradient2
			p.maxGradient, p.maxValue = maxGradient, maxValue
		}
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
			g = o.Gradient(g, v)
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

// SquaredNorm is ‖x‖², of n elements.
func SquaredNorm[T Float](n int, x func(i int) T) (sum float64) {
	for i := range n {
		a := float64(x(i))
		sum += float64(a * a)
	}
	return sum
}

// ExponentOfZero is below the exponent of every other number.
const ExponentOfZero = -1 << 16

// Exponents returns the exponents (as math.Frexp's) of the largest magnitudes
// of the direction and of g, for MeasureScaled.
func Exponents[T Float](value, gradient []T, direction func(i int) T, o *Objective[T]) (ofDirection, ofGradient int) {
	var d, g uint64
	for i := range value {
		d = max(d, magnitude(direction(i)))
		g = max(g, magnitude(o.Gradient(gradient[i], value[i])))
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
		p.add(i, scaled(direction(i), ofDirection), scaled(o.Gradient(gradient[i], value[i]), ofGradient))
	}
	return sums[T](&p)
}

// updatePortable makes one step of Funnel for part of a parameter. What most
// steps do not need is done in passes of its own, which leaves all registers to
// the last: g in the place of the gradient, and the gains of raw signals, which
// take an exponential.
func updatePortable[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	n := len(value)
	gradient, velocity, average, gain = gradient[:n], velocity[:n], average[:n], gain[:n]
	if !c.plain() {
		for i, g := range gradient {
			gradient[i] = c.Gradient(g, value[i])
		}
	}
	decay, factors := c.Gain.Decay, c.Gain.Factor
	if c.Gain.Raw {
		for i, g := range gradient {
			gain[i] = c.Gain.bound(c.Gain.decayed(gain[i]) * Exp(c.Gain.Rate*T(average[i]*g)))
		}
		decay, factors = 0, [2]T{1, 1}
	}
	// In variables of their own, which no store to a slice can be meant for.
	eta, mu, beta, share, s := c.LearnRate, c.Momentum, c.GradientDecay, c.GradientShare, c.Scale
	lowest, highest := c.Gain.Min, c.Gain.Max
	for i, v := range value {
		g, m, p := gradient[i], average[i], gain[i]
		p += T(decay * (1 - p))
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

// updateAdamPortable makes one step of FunnelAdam for part of a parameter.
func updateAdamPortable[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) {
	n := len(value)
	gradient, first, second, gain = gradient[:n], first[:n], second[:n], gain[:n]
	beta1, share1, beta2, share2, rate := c.Beta1, c.Share1, c.Beta2, c.Share2, c.Rate
	gains, way, plain := c.Gain, c.Direction, c.plain()
	for i, old := range value {
		g, m := gradient[i], first[i]
		if !plain {
			g = c.Gradient(g, old)
		}
		p := gains.decayed(gain[i])
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

// decayed is a gain that has gone back to 1 a little. It keeps its bits where
// nothing decays.
func (k *Gains[T]) decayed(p T) T { return p + T(k.Decay*(1-p)) }

// normalized is what a gain is multiplied by, of normalized signals.
func (k *Gains[T]) normalized(m, g T) T {
	if m == 0 || g == 0 {
		return 1
	}
	return k.Factor[differ(m, g)]
}

// First is p_1, of a gain that was 1 and has had no signal yet.
func (k *Gains[T]) First() T { return k.bound(1) }

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
		if !finite(o.Gradient(gradient[i], v)) {
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
		value[i] = v * Exp(-learnRate*o.Gradient(gradient[i], v))
		gradient[i] = 0
	}
}

// OverflowEGU is the place of the first element that UpdateEGU would make
// non-finite, or -1.
func OverflowEGU[T Float](value, gradient []T, learnRate T, o *Objective[T]) int {
	for i, v := range value {
		if !finite(v * Exp(-learnRate*o.Gradient(gradient[i], v))) {
			return i
		}
	}
	return -1
}
