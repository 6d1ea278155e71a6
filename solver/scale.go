package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// progress is how far a scale has come: that of a parameter or, of Global scope,
// of the solver.
type progress struct {
	steps int  // steps made
	idle  int  // steps that moved nothing
	still bool // whether the last step moved nothing
	learned

	// scratch, valid during Step
	now   reading
	next  learned // what the step will make of it
	kept  float64 // of the step average: 1 − w
	decay float64 // and β
}

// learned is a scale and what its adaptation goes on from.
type learned struct {
	scale float64 // s of the last step
	norm  float64 // ḡ, the running size of the gradient; 0 before there was one
	peak  float64 // G, which follows ḡ upwards; 0 before there was one
	sum   float64 // A, of the scales before the floor of all steps that moved something

	largest float64 // the largest ḡ since step τ; 0 before there was one
	low     float64 // ḡ_low, the smallest ḡ of late; 0 before there was one
	length  float64 // ‖θ‖̄, the running mean of ‖θ‖; 0 before there was one

	// of a warm-up that may begin again
	warmup float64 // w, its weight
	square float64 // σ², the running mean of c²; 0 before there was one
	signal float64 // z, the last c over σ
	ratio  float64 // r, the last ‖g‖ over ḡ
	mean   float64 // c̄, the running mean of c after warm-ups
	alone  float64 // ā, the running mean of what the step average alone has of the cosine
	count  float64 // L, how many steps a step average that grows longer is over
	steady float64 // T, how much of the steps is in the sum

	// of the steps that are not, those of warm-ups
	warmSum   float64 // B, of the scales, like A
	warmSteps float64 // W, how much of the steps is in it
}

// newProgress is that of a scale before its first step.
func newProgress() progress { return progress{learned: learned{scale: 1}} }

// moves is the number of steps that moved something.
func (p *progress) moves() int { return p.steps - p.idle }

// finish makes a step final.
func (p *progress) finish(moved bool) {
	p.steps++
	p.still = !moved
	if moved {
		p.learned = p.next
	} else {
		p.idle++
		p.scale = p.next.scale
	}
}

// clip brings the scale within its bounds.
func (p *progress) clip(h *hyperparameters) { p.scale = min(max(p.scale, h.scaleMin), h.scaleMax) }

func (p *progress) save() checkpoint.Parameter {
	return checkpoint.Parameter{Steps: p.steps, Scale: p.scale, Adapting: p.adapting()}
}

func (p *progress) adapting() checkpoint.Adapting {
	return checkpoint.Adapting{Idle: p.idle, Still: p.still, GradientNorm: p.norm, GradientPeak: p.peak, GradientLargest: p.largest, GradientLow: p.low, ValueLength: p.length, ScaleSum: p.sum,
		Steady: p.steady, WarmupSum: p.warmSum, WarmupSteps: p.warmSteps, Warmup: p.warmup, SignalSquare: p.square, Signal: p.signal, GradientRatio: p.ratio, SignalMean: p.mean, AverageSignal: p.alone, AverageSteps: p.count}
}

func (p *progress) restore(steps int, scale float64, r checkpoint.Adapting) {
	*p = progress{steps: steps, idle: r.Idle, still: r.Still, learned: learned{scale: scale, norm: r.GradientNorm, peak: r.GradientPeak, largest: r.GradientLargest, low: r.GradientLow, length: r.ValueLength, sum: r.ScaleSum,
		steady: r.Steady, warmSum: r.WarmupSum, warmSteps: r.WarmupSteps, warmup: r.Warmup, square: r.SignalSquare, signal: r.Signal, ratio: r.GradientRatio, mean: r.SignalMean, alone: r.AverageSignal, count: r.AverageSteps}}
}

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
//	s ← max(s, κ A/T), and where w grows at least min(ℓ w, 1) √(A/T · B/W) T / (T + 100)
//	s ← min(s, a c_max ‖θ‖ / ‖u‖), see longestOf, and slowed for a
//
// c is the signal, see weighed, w the weight of the warm-up, u the step with a scale of 1, A the
// sum of (1−w) s so far with this step's, s being before the floor and no longer than
// the longest step allows, B that of w s, T and W those of 1−w and w, and ℓ the lift. An
// Augmented does without the second lower limit. A step that moved nothing teaches nothing:
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
			next.scale *= kernel.Exp(a.exponent(t, w, c, next.alone))
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
	if a.gradientGrowth == 0 || a.scaleSignal != Relative || next.norm == 0 {
		return
	}
	if next.peak == 0 {
		next.peak = next.norm
	}
	if share := next.peak / next.norm * a.gradientGrowth; share < 1 {
		next.scale *= share
		next.sum *= share
		next.warmSum *= share
		next.peak = next.norm / a.gradientGrowth
	}
	if next.norm > next.peak {
		rate := peakRate + float64((1-peakRate)*kernel.Exp(-float64(t)/a.warmupSteps))
		next.peak += float64(rate * (next.norm - next.peak))
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
// k t / (t + 1000) in place of it, and so had a FunnelAdam once.
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
