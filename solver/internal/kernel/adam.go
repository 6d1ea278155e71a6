package kernel

import "math"

// AdamStep holds the coefficients of one step of FunnelAdam for one parameter:
//
//	p ← gain: see Gain
//	m ← β1 m + (1−β1) (p ⊙ g)
//	v ← β2 v + (1−β2) g²
//	d ← (m / (1 − b)) / (√(v / (1−β2^t)) + ε): see AdamDirection
//	θ ← θ − η s d
type AdamStep[T Float] struct {
	Objective[T]
	Gain             Gain[T]
	Beta1, Beta2     T // β1, β2
	Weight1, Weight2 T // 1 − β1, 1 − β2
	Direction        AdamDirection[T]
	Rate             T // η s
}

// AdamDirection holds the coefficients of d, in the efficient form of Kingma and Ba:
//
//	d = Correction · m / (√v + Eps)
type AdamDirection[T Float] struct {
	Correction T // √(1 − β2^t) / (1 − b), where b is the product of all β1 so far
	Eps        T // ε √(1 − β2^t), above 0
}

// Of returns d.
func (c *AdamDirection[T]) Of(m, v T) T {
	return T(c.Correction*m) / (T(math.Sqrt(float64(v))) + c.Eps)
}

// UpdateAdam makes a step of FunnelAdam for one block of a parameter, and
// zeroes the gradient.
func UpdateAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) {
	fastUpdateAdam(theta, gradient, m, v, p, c)
}

func updateAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) {
	for i := range theta {
		g := c.Gradient(gradient[i], theta[i])
		before, gain := theta[i], p[i]
		p[i] = c.Gain.next(gain, m[i], g)               // p ← (p + λ (1 − p)) ⊙ exp(γp m ⊙ g)
		m[i] = T(c.Beta1*m[i]) + T(c.Weight1*T(p[i]*g)) // m ← β1 m + (1−β1) (p ⊙ g)
		v[i] = T(c.Beta2*v[i]) + T(T(c.Weight2*g)*g)    // v ← β2 v + (1−β2) g², where g² alone could overflow
		d := c.Direction.Of(m[i], v[i])                 // d ← Correction m / (√v + Eps)
		theta[i] = before - T(c.Rate*d)                 // θ ← θ − η s d
		if c.Gain.settles() && theta[i] == before {
			p[i] = c.Gain.decayed(gain)
		}
		gradient[i] = 0
	}
}

// First returns an element of d in the first step that moves something. Earlier steps may have
// changed m, v and p.
func (c *AdamStep[T]) First(gradient, theta, m, v, p T) T {
	g := c.Gradient(gradient, theta)
	p = c.Gain.next(p, m, g)
	return c.Direction.Of(T(c.Beta1*m)+T(c.Weight1*T(p*g)), T(c.Beta2*v)+T(T(c.Weight2*g)*g))
}

// MeasureAdam reads one block of a parameter. last is the previous step's Direction, which gives d
// from m and v as they are before the update.
func MeasureAdam[T Float](theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T]) Sums {
	var p partialSums
	fastMeasureAdam(theta, gradient, m, v, last, o, &p)
	return sumsOf[T](&p)
}

func measureAdam[T Float](theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	for i := range theta {
		g := o.Gradient(gradient[i], theta[i])
		d := last.Of(m[i], v[i])
		sums.add(i, float64(d), float64(g), float64(theta[i]))
		sums.maxGradient = max(sums.maxGradient, magnitude(gradient[i]))
		sums.maxValue = max(sums.maxValue, magnitude(theta[i]))
	}
}

// OverflowAdam returns the index of the first element that UpdateAdam would make non-finite, or -1.
func OverflowAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) int {
	var x copies[T]
	for i := 0; i < len(theta); i += len(x[0]) {
		n := x.take(i, theta, gradient, m, v, p)
		updateAdam(x[0][:n], x[1][:n], x[2][:n], x[3][:n], x[4][:n], c)
		if k := x.firstNonFinite(n); k >= 0 {
			return i + k
		}
	}
	return -1
}
