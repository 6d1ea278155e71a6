package kernel

// FunnelStep holds the coefficients of one step of Funnel for one parameter:
//
//	p ← gain: see Gain
//	ν ← μ ν + η (p ⊙ g)
//	m ← β m + (1−β) g
//	θ ← θ − s ν
//
// The assembly relies on the order of the fields, here and in AdamStep.
type FunnelStep[T Float] struct {
	Objective[T]
	Gain           Gain[T]
	LearnRate      T // η
	Momentum       T // μ
	GradientDecay  T // β
	GradientWeight T // 1 − β
	Scale          T // s
}

// UpdateFunnel makes a step of Funnel for one block of a parameter, and zeroes the gradient.
func UpdateFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	fastUpdateFunnel(theta, gradient, nu, m, p, c)
}

func updateFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	for i := range theta {
		g := c.Gradient(gradient[i], theta[i])
		before, gain := theta[i], p[i]
		p[i] = c.Gain.next(gain, m[i], g)                      // p ← (p + λ (1 − p)) ⊙ exp(γp m ⊙ g)
		nu[i] = T(c.Momentum*nu[i]) + T(c.LearnRate*T(p[i]*g)) // ν ← μ ν + η (p ⊙ g)
		m[i] = T(c.GradientDecay*m[i]) + T(c.GradientWeight*g) // m ← β m + (1−β) g
		theta[i] = before - T(c.Scale*nu[i])                   // θ ← θ − s ν
		if c.Gain.settles() && theta[i] == before {
			p[i] = c.Gain.decayed(gain)
		}
		gradient[i] = 0
	}
}

// First returns an element of ν in the first step that moves something. Earlier steps may have
// changed ν, m and p.
func (c *FunnelStep[T]) First(gradient, theta, nu, m, p T) T {
	g := c.Gradient(gradient, theta)
	return T(c.Momentum*nu) + T(c.LearnRate*T(c.Gain.next(p, m, g)*g))
}

// Measure reads one block of a parameter whose direction d is in memory: Funnel's ν, or Augmented's
// −Δ or its mean.
func Measure[T Float](theta, gradient, d []T, o *Objective[T]) Sums {
	var p partialSums
	fastMeasure(theta, gradient, d, o, &p)
	return sumsOf[T](&p)
}

func measure[T Float](theta, gradient, d []T, o *Objective[T], sums *partialSums) {
	for i := range theta {
		g := o.Gradient(gradient[i], theta[i])
		sums.add(i, float64(d[i]), float64(g), float64(theta[i]))
		sums.maxGradient = max(sums.maxGradient, magnitude(gradient[i]))
		sums.maxValue = max(sums.maxValue, magnitude(theta[i]))
	}
}

// OverflowFunnel returns the index of the first element that UpdateFunnel would make non-finite, or
// -1.
func OverflowFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) int {
	var x copies[T]
	for i := 0; i < len(theta); i += len(x[0]) {
		n := x.take(i, theta, gradient, nu, m, p)
		updateFunnel(x[0][:n], x[1][:n], x[2][:n], x[3][:n], x[4][:n], c)
		if k := x.firstNonFinite(n); k >= 0 {
			return i + k
		}
	}
	return -1
}
