package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// reading is the result of the first pass for parameters that share a scale.
type reading struct {
	sums          kernel.Sums
	exponents     kernel.Exponents
	signal        float64 // c, along the last step
	averageSignal float64 // c along the step average
	ratio         float64 // ‖g‖ / ḡ, counted as 5 at most
	rise          float64 // ‖g‖ / ḡ, however large it is; 0 where ḡ is not known
	spent         bool    // ḡ is below 10⁻⁵ of its largest
	value, step   float64 // ‖θ_0‖² and ‖u‖² where a parameter makes its first step, else 0
	ok            bool    // there is a signal
}

// weighed returns the signal of the step: w of the signal along the last step and 1−w of that along
// the step average, if there is one, or the latter alone if that average is smooth. Where the
// gradient is tiny the signal is 0 at most: what is left of the gradient often agrees, and a scale
// that grew on it would throw the weights away.
func (h *hyperparameters) weighed(w float64, now *reading) float64 {
	c := now.signal
	if h.averages() && h.smooth {
		c = now.averageSignal
	} else if h.averages() {
		c = float64(w*now.signal) + float64((1-w)*now.averageSignal)
	}
	if now.spent {
		return min(c, 0)
	}
	return c
}

// readSignals begins the next state of every scale and computes its signal, pooled. Files from one
// earlier version of FunnelAdam pool scales as well.
func (a *adaptive) readSignals(bound []state) {
	a.next = a.learned
	for _, p := range bound {
		own := p.progressed()
		own.next = own.learned
	}
	switch {
	case !a.adaptsScale():
	case a.scope == Global:
		a.read(bound, &a.progress)
	default:
		for i, p := range bound {
			a.read(bound[i:i+1], p.progressed())
		}
		a.pool(bound, 1, func(p *progress) *float64 { return &p.now.signal })
		if a.averages() {
			a.pool(bound, 1, func(p *progress) *float64 { return &p.now.averageSignal })
		}
		if a.scalePooling > 0 {
			a.pool(bound, a.scalePooling, func(p *progress) *float64 { return &p.next.scale })
		}
	}
}

// read computes the signal of parameters that share one scale.
func (a *adaptive) read(of []state, p *progress) {
	for _, q := range of {
		a.total.Add(q.measured())
	}
	p.now.rise, p.now.spent = 0, false
	p.now.sums, p.now.exponents = a.total.Sums()
	p.now.signal, p.now.ok = a.signal(p.now.sums, p.now.exponents, p)
	if p.now.averageSignal = p.now.signal; p.now.ok && a.averages() {
		a.readAverage(of, p)
	}
}

// readAverage computes the signal along the step average, if there is one yet.
func (a *adaptive) readAverage(of []state, p *progress) {
	dots := a.values[:0]
	for _, q := range of {
		a.total.Add(q.measuredAverage())
		dots = append(dots, q.alongAverage())
	}
	a.values = dots
	sums, exponents := a.total.Sums()
	cos := cosine(sums)
	if sums.Dot = kernel.AddAscending(dots); a.opposed && exponents == (kernel.Exponents{}) && isFinite(sums.Dot) {
		cos = followAverage(cos, cosine(sums), &p.next)
	}
	if c := cos * p.now.ratio; sums.SquaredDirection > 0 && isFinite(c) {
		p.now.averageSignal = c
	}
}

// followAverage updates ā ← ā + 0.01 (a − ā), where a is ū's part of the cosine of the angle
// between e = ū + 0.3 u and the gradient,
//
//	a = ū · g / (‖e‖ ‖g‖)
//
// and returns that cosine, or a where ā is below −0.1: steps that go round in circles agree with
// the last one, but not with their average. Where gradients are mostly noise, ā is near 0.
func followAverage(cos, alone float64, next *learned) float64 {
	if next.AverageSignal += float64(averageRate * (alone - next.AverageSignal)); next.AverageSignal < -leastSignal {
		return alone
	}
	return cos
}

const averageRate = 0.01 // at which ā follows a

// pool draws a quantity x of each parameter towards its mean x̄, in which a parameter of N elements
// has the weight min(N, n0):
//
//	x ← x + rate n0 / (N + n0) (x̄ − x)
//
// It adds in ascending order, so that the result does not depend on the order of the parameters.
func (a *adaptive) pool(bound []state, rate float64, of func(*progress) *float64) {
	if a.pooling == 0 || a.scaleSignal != Relative {
		return
	}
	weighted, weights := a.weighted[:0], a.weights[:0]
	for _, p := range bound {
		if own := p.progressed(); own.now.ok {
			weight := min(float64(p.elements()), a.pooling)
			weighted, weights = append(weighted, weight**of(own)), append(weights, weight)
		}
	}
	a.weighted, a.weights = weighted, weights
	total := kernel.AddAscending(weights)
	if total == 0 {
		return
	}
	mean := kernel.AddAscending(weighted) / total
	for _, p := range bound {
		if own := p.progressed(); own.now.ok {
			share := float64(rate * (a.pooling / (float64(p.elements()) + a.pooling)))
			*of(own) += float64(share * (mean - *of(own)))
		}
	}
}

// The constants of the Relative signal.
const (
	normDecay   = 0.9 // of ḡ²
	signalLimit = 5.0 // the limit of ‖g‖/ḡ and so of |c|, and of |z|
)

// signal returns c. There is none after a step that moved nothing.
func (a *adaptive) signal(s kernel.Sums, of kernel.Exponents, p *progress) (c float64, ok bool) {
	switch a.scaleSignal {
	case Raw:
		return math.Ldexp(s.Dot, of.D+of.G), !p.still
	case Normalized:
		return cosine(s), !p.still
	}
	if s.SquaredGradient == 0 {
		return 0, false
	}
	next := &p.next
	norm := min(math.Ldexp(math.Sqrt(s.SquaredGradient), of.G), math.MaxFloat64)
	if next.GradientNorm == 0 {
		next.GradientNorm = norm
	}
	p.now.rise = norm / next.GradientNorm
	ratio := min(p.now.rise, signalLimit)
	p.now.ratio = ratio
	next.GradientNorm *= math.Sqrt(normDecay + float64((1-normDecay)*float64(ratio*ratio)))
	if a.leastGradient > 0 && float64(p.moves()) >= a.warmupSteps {
		next.GradientLargest = max(next.GradientLargest, next.GradientNorm)
	}
	p.now.spent = next.GradientNorm < a.leastGradient*next.GradientLargest
	return cosine(s) * ratio, s.SquaredDirection > 0 && !p.still
}

// cosine is that of the angle between the direction and g, or 0 where either is 0.
func cosine(s kernel.Sums) float64 {
	if s.SquaredDirection == 0 || s.SquaredGradient == 0 {
		return 0
	}
	c := s.Dot / (math.Sqrt(s.SquaredDirection) * math.Sqrt(s.SquaredGradient))
	return min(max(c, -1), 1)
}
