package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// nextScales finds the scale of the step for every bound parameter.
func (a *adaptive) nextScales() error {
	bound, first := a.parameters.Bound(), a.initialScale()
	a.readSignals(bound)
	a.readMeanSquare(bound)
	a.readGrowth(bound)
	if a.scope == Global {
		a.nextScale(bound, &a.progress, first)
	}
	for i, p := range bound {
		own := p.progressed()
		if a.scope == PerParameter {
			a.nextScale(bound[i:i+1], own, first)
		} else {
			own.next.scale, own.kept, own.decay = a.next.scale, a.kept, a.decay
		}
		if err := p.setScale(&a.hyperparameters, own.next.scale); err != nil {
			return a.parameters.Blame(i, err)
		}
	}
	return nil
}

// adaptsScale says whether the scale changes. It does not where the learning rate is
// 0; an Augmented has none.
func (a *adaptive) adaptsScale() bool {
	return a.scaleRate > 0 && (a.learnRate != 0 || a.kind == augment)
}

// nextScale finds s_{t+1} of parameters that share one scale, where t counts the
// steps that moved something, and s_0 is first:
//
//	s ← s · min(1, h G/ḡ), see yield
//	s ← s · exp((γs + γw w) c − γs k_t (1−w) min(|c|, c_k)²), see exponent
//	s ← max(s, κ s̄), and where w grows at least min(ℓ w, 1) √(A/T · B/W) T / (T + 100)
//	s ← min(s, a c_max ‖θ‖ / ‖u‖), see longestOf, and slowed for a
//
// c is the signal, see weighed, w the weight of the warm-up, u the step with a scale of 1, A the
// sum of (1−w) s so far with this step's, s being before the floor and no longer than
// the longest step allows, B that of w s, T and W those of 1−w and w, s̄ the geometric mean where
// A/T is the arithmetic one, and ℓ the lift. An Augmented has A/T in place of s̄, and does without
// the second lower limit. A step that moved nothing teaches nothing:
// after it there is no signal, and with a learning rate of 0 the scale stays.
func (a *adaptive) nextScale(of []state, p *progress, first float64) {
	next := &p.next
	if p.kept = 1; a.adaptsScale() {
		t := p.moves()
		if t == 0 {
			next.scale = min(first, a.longestFirst(of, p))
		}
		a.yield(t, next)
		w := a.warmupWeight(t, &p.now, next)
		p.kept = 1 - w
		a.lengthenAverage(p.kept, next)
		if p.now.ok {
			c := a.weighed(w, &p.now)
			next.scale *= kernel.Exp(a.exponent(t, w, c, next.AverageSignal))
			a.followSignal(w, c, next)
		}
		longest := a.longest(of, p) * a.slowed(of, p)
		next.scale = min(next.scale, longest, math.MaxFloat64)
		a.limitFall(w, longest, p)
		if a.firm {
			next.scale = min(next.scale, longest)
		}
	}
	p.decay = a.averageDecay(next)
	next.scale = min(max(next.scale, a.scaleMin), a.scaleMax)
}

// peakRate is how fast G follows ḡ after the first warm-up.
const peakRate = 0.01

// yield makes the scale fall as a gradient grows that is larger than h times G, the
// largest size so far, so that the step does not grow with it. What the scale was is then
// known for gradients of another size, so its means fall, too:
//
//	s, A, B ← s, A, B · h G/ḡ,  G ← ḡ/h       where ḡ > h G
//	G ← G + (0.01 + 0.99 e^{−t/τ}) (ḡ − G)    where ḡ > G
func (a *adaptive) yield(t int, next *learned) {
	if a.gradientGrowth == 0 || a.scaleSignal != Relative || next.GradientNorm == 0 {
		return
	}
	if next.GradientPeak == 0 {
		next.GradientPeak = next.GradientNorm
	}
	if share := next.GradientPeak / next.GradientNorm * a.gradientGrowth; share < 1 {
		next.scale *= share
		next.ScaleSum *= share
		next.WarmupSum *= share
		if a.geometric && a.scaleFloor > 0 {
			next.ScaleLog = max(next.ScaleLog+logOf(share), logOf(0))
		}
		next.GradientPeak = next.GradientNorm / a.gradientGrowth
	}
	if next.GradientNorm > next.GradientPeak {
		rate := peakRate + float64((1-peakRate)*kernel.Exp(-float64(t)/a.warmupSteps))
		next.GradientPeak += float64(rate * (next.GradientNorm - next.GradientPeak))
	}
}

// exponent is (γs + γw w) c − γs k_t (1−w) min(|c|, c_k)², which is a number.
// The second term takes off again what noise adds: the exponential of a signal
// that varies around 0 is more than 1 in the mean. It takes off more than that, which makes
// steps short where they lead nowhere. While they lead on, noise costs less than short steps:
//
//	k_t = k min(max(1 − ā / 0.04, 0), 1)
//
// where ā is what followAverage finds, 0 for a solver without a step average. An Augmented has
// k t / (t + 1000) in place of it, and so has a FunnelAdam from a file of earlier versions.
func (h *hyperparameters) exponent(t int, w, c, alone float64) float64 {
	rate := min(h.scaleRate+float64(h.warmupRate*w), largestRate)
	if h.noiseCorrection == 0 || h.scaleSignal != Relative {
		return rate * c
	}
	noise := min(math.Abs(c), h.noiseLimit)
	correction := float64(min(float64(h.scaleRate*h.noiseCorrection), largestRate) * float64((1-w)*float64(noise*noise)))
	if h.noiseSteps > 0 {
		correction = float64(correction * (float64(t) / (float64(t) + h.noiseSteps)))
	}
	if h.noiseGate > 0 && h.averages() {
		correction = float64(correction * min(max(1-alone/h.noiseGate, 0), 1))
	}
	return float64(rate*c) - correction
}

// largestRate is beyond all that the scale's bounds leave a meaning to, and its products
// with signals are finite.
const largestRate = 1e300
