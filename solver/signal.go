package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// reading is what the first pass found of parameters that share a scale.
type reading struct {
	sums          kernel.Sums
	exponents     kernel.Exponents
	signal        float64 // c, along the last step
	averageSignal float64 // c along the step average
	ratio         float64 // ‖g‖ / ḡ, counted as 5 at most
	rise          float64 // ‖g‖ / ḡ, however large it is; 0 where ḡ is not known
	spent         bool    // whether ḡ is next to nothing
	value, step   float64 // of a parameter that makes its first step: ‖θ_0‖² and ‖u‖²; 0 of others
	ok            bool    // whether there is a signal
}

// weighed is the signal at a weight w of the warm-up: w of it is along the last step,
// and 1−w along the step average, where there is one. Along a smooth one it is all. Where
// the gradient is next to nothing it is 0 at most: all has been learned, and a scale that goes
// on growing because the gradients that are left agree throws it away in the end.
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

// readSignals begins the next state of every scale and finds its signal. The signals of
// small parameters are drawn towards the mean of all, and so, a little at every step, were a
// FunnelAdam's scales in earlier versions, whose files go on so.
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

// read finds the signal of parameters that share one scale.
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

// readAverage finds the signal along the step average, if there is one yet.
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

// followAverage finds ā ← ā + 0.01 (a − ā), where a is what ū alone has of the cosine of the angle
// between e = ū + 0.3 u and the gradient,
//
//	a = ū · g / (‖e‖ ‖g‖)
//
// and returns that cosine, or a where ā is below −0.1: steps that go round in circles agree with the
// last one, and not with all of them together. Where gradients are mostly noise, ā is near 0.
func followAverage(cos, alone float64, next *learned) float64 {
	if next.AverageSignal += float64(averageRate * (alone - next.AverageSignal)); next.AverageSignal < -leastSignal {
		return alone
	}
	return cos
}

const averageRate = 0.01 // of ā

// pool draws what parameters with scales of their own have, x, towards its mean x̄ over all,
// in which each weighs as many elements N as it has, n0 at most:
//
//	x ← x + rate n0 / (N + n0) (x̄ − x)
//
// It adds in ascending order, so that the order of the parameters does not matter.
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
	signalLimit = 5.0 // of ‖g‖/ḡ, and so of |c|; and of |z|
)

// signal is c. There is none after a step that moved nothing.
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

// cosine is that of the angle between the direction and g, 0 where either is.
func cosine(s kernel.Sums) float64 {
	if s.SquaredDirection == 0 || s.SquaredGradient == 0 {
		return 0
	}
	c := s.Dot / (math.Sqrt(s.SquaredDirection) * math.Sqrt(s.SquaredGradient))
	return min(max(c, -1), 1)
}
