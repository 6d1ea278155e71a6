package kernel

// This file has the loops of Funnel and FunnelAdam, written for the compiler's fastest code on any
// machine. Their results have the bits of measure, measureAdam, updateFunnel, updateAdam,
// measureAverage and measureAverageAdam, which specify them.

// strip is how many elements tunedMeasure reads at a time: few enough for the first cache.
const strip = 128 * lanes

// tunedMeasure reads each strip once for every lane, so that the lane's sums stay
// in registers. The index is unsigned because it then needs no bounds checks.
func tunedMeasure[T Float](theta, gradient, d []T, o *Objective[T], sums *partialSums) {
	plain := o.plain()
	for start := 0; start < len(theta); start += strip {
		end := min(start+strip, len(theta))
		theta, gradient, d := theta[start:end], gradient[start:end], d[start:end]
		for lane := range lanes {
			dot, squaredDirection := sums.dot[lane], sums.squaredDirection[lane]
			squaredGradient, squaredValue := sums.squaredGradient[lane], sums.squaredValue[lane]
			maxGradient, maxValue := sums.maxGradient, sums.maxValue
			for i := uint(lane); i < uint(len(theta)); i += lanes {
				value, g := theta[i], gradient[i]
				maxGradient = max(maxGradient, magnitude(g))
				maxValue = max(maxValue, magnitude(value))
				if !plain {
					g = o.apply(g, value)
				}
				a, b, c := float64(d[i]), float64(g), float64(value)
				dot += float64(a * b)
				squaredDirection += float64(a * a)
				squaredGradient += float64(b * b)
				squaredValue += float64(c * c)
			}
			sums.dot[lane], sums.squaredDirection[lane] = dot, squaredDirection
			sums.squaredGradient[lane], sums.squaredValue[lane] = squaredGradient, squaredValue
			sums.maxGradient, sums.maxValue = maxGradient, maxValue
		}
	}
}

func tunedUpdateFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	n := len(theta)
	gradient, nu, m, p = gradient[:n], nu[:n], m[:n], p[:n]
	gains := tunedFirst(theta, gradient, m, p, &c.Objective, &c.Gain)
	decay, factors := gains.Decay, [2]T{gains.Up, gains.Down}
	lowest, highest := gains.Min, gains.Max
	// Variables, because the compiler reloads fields after every store.
	eta, mu, beta, weight, s := c.LearnRate, c.Momentum, c.GradientDecay, c.GradientWeight, c.Scale
	settles := gains.settles()
	for i, value := range theta {
		g, average, gain := gradient[i], m[i], p[i]
		gain += T(decay * (1 - gain))
		settled := gain
		if average != 0 && g != 0 {
			gain *= factors[signsDiffer(average, g)]
		}
		if gain < lowest {
			gain = lowest
		}
		if gain > highest {
			gain = highest
		}
		p[i] = gain
		velocity := T(mu*nu[i]) + T(eta*T(gain*g))
		nu[i] = velocity
		m[i] = T(beta*average) + T(weight*g)
		next := value - T(s*velocity)
		if next == value && settles {
			p[i] = settled
		}
		theta[i] = next
	}
	clear(gradient)
}

// tunedFirst does in separate passes what most steps do not need, which leaves all registers to the
// update: it replaces gradient by g, and puts the gains of raw signals in p. The update must use
// the Gain that it returns.
func tunedFirst[T Float](theta, gradient, m, p []T, o *Objective[T], k *Gain[T]) Gain[T] {
	theta, m, p = theta[:len(gradient)], m[:len(gradient)], p[:len(gradient)]
	if !o.plain() {
		for i, g := range gradient {
			gradient[i] = o.apply(g, theta[i])
		}
	}
	if !k.Raw {
		return *k
	}
	for i, g := range gradient {
		p[i] = k.bounded(k.decayed(p[i]) * Exp(k.Rate*T(m[i]*g)))
	}
	return Gain[T]{Up: 1, Down: 1, Min: k.Min, Max: k.Max} // changes no gain
}

func tunedMeasureAdam[T Float](theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	n := len(theta)
	gradient, m, v = gradient[:n], m[:n], v[:n]
	plain, way := o.plain(), *last
	for i, value := range theta {
		g := gradient[i]
		sums.maxGradient = max(sums.maxGradient, magnitude(g))
		sums.maxValue = max(sums.maxValue, magnitude(value))
		if !plain {
			g = o.apply(g, value)
		}
		sums.add(i, float64(way.Of(m[i], v[i])), float64(g), float64(value))
	}
}

func tunedUpdateAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) {
	n := len(theta)
	gradient, m, v, p = gradient[:n], m[:n], v[:n], p[:n]
	gains := tunedFirst(theta, gradient, m, p, &c.Objective, &c.Gain)
	factors, way := [2]T{gains.Up, gains.Down}, c.Direction
	beta1, weight1, beta2, weight2, rate := c.Beta1, c.Weight1, c.Beta2, c.Weight2, c.Rate
	settles := gains.settles()
	for i, value := range theta {
		g, average := gradient[i], m[i]
		settled := gains.decayed(p[i])
		gain := settled
		if average != 0 && g != 0 {
			gain *= factors[signsDiffer(average, g)]
		}
		gain = gains.bounded(gain)
		p[i] = gain
		average = T(beta1*average) + T(weight1*T(gain*g))
		square := T(beta2*v[i]) + T(T(weight2*g)*g)
		m[i] = average
		v[i] = square
		next := value - T(rate*way.Of(average, square))
		if next == value && settles {
			p[i] = settled
		}
		theta[i] = next
	}
	clear(gradient)
}

func tunedMeasureAverage[T Float](theta, gradient, mean, d []T, o *Objective[T], sums *partialSums) {
	n := len(theta)
	gradient, mean, d = gradient[:n], mean[:n], d[:n]
	plain := o.plain()
	for i, g := range gradient {
		if !plain {
			g = o.apply(g, theta[i])
		}
		sums.addAlong(i, float64(along(mean[i], d[i])), float64(g))
	}
}

func tunedMeasureAverageAdam[T Float](theta, gradient, mean, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	n := len(theta)
	gradient, mean, m, v = gradient[:n], mean[:n], m[:n], v[:n]
	plain, way := o.plain(), *last
	for i, g := range gradient {
		if !plain {
			g = o.apply(g, theta[i])
		}
		sums.addAlong(i, float64(way.Of(along(mean[i], m[i]), v[i])), float64(g))
	}
}
