package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// nextScales sets the step's scale for every bound parameter.
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

// adaptsScale reports whether the scale can change. It does not at a learning rate of 0; an
// Augmented has none.
func (a *adaptive) adaptsScale() bool {
	return a.scaleRate > 0 && (a.learnRate != 0 || a.kind == augment)
}

// nextScale sets s_{t+1} of parameters that share one scale. t counts the steps that moved
// something, and s_0 is first:
//
//	s ← s · min(1, h G/ḡ), see yield
//	s ← s · exp((γs + γw w) c − γs k_t (1−w) min(|c|, c_k)²), see exponent
//	s ← max(s, κ s̄), and where w grows at least min(ℓ w, 1) √(A/T · B/W) T / (T + 100)
//	s ← min(s, a c_max ‖θ‖ / ‖u‖), see longestOf, and slowed for a
//
// c is the signal (weighed), w the weight of the warm-up and u the step with a scale of 1. A is the
// sum of (1−w) s so far, including this step's s before the floor but within the longest step, and
// B that of w s; T and W are the sums of 1−w and w. s̄ is the geometric mean that corresponds to
// A/T, and ℓ the lift. An Augmented has A/T in place of s̄, and no second lower limit. After a step
// that moved nothing there is no signal, and at a learning rate of 0 the scale stays.
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

// peakRate is the rate at which G follows ḡ after the first warm-up.
const peakRate = 0.01

// yield lowers the scale as the gradient grows beyond h times G, its largest size so far, so that
// the step does not grow with it. The means of the scale belong to gradients of the earlier size,
// so they fall, too:
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

// exponent is (γs + γw w) c − γs k_t (1−w) min(|c|, c_k)², and never NaN. The second term corrects
// for noise: the exponential of a signal that varies around 0 is above 1 in the mean. It removes
// more than that, which shortens steps that make no progress. Where steps do make progress, noise
// costs less than short steps:
//
//	k_t = k min(max(1 − ā / 0.04, 0), 1)
//
// where ā is followAverage's, and 0 without a step average. An Augmented has k t / (t + 1000)
// instead, as does a FunnelAdam from a file of an earlier version.
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

// largestRate exceeds every useful rate, and its product with a Relative or Normalized signal is
// finite.
const largestRate = 1e300
