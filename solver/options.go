package solver

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
)

// Signal says what the gain or the scale adapts to.
type Signal int

const (
	// Normalized signals do not depend on the gradient's size:
	// sign(m) ⊙ sign(g) for the gain, the cosine of ν (FunnelAdam: d) and g for
	// the scale.
	Normalized Signal = iota
	// Raw signals are the products of the paper: m ⊙ g for the gain, ν · g
	// (FunnelAdam: d · g) for the scale.
	Raw
	// Relative is the signal of the scale that counts a gradient as much as it is
	// larger or smaller than those before it: the cosine of ν (FunnelAdam: d) and
	// g times ‖g‖/ḡ. ‖g‖ counts as 5 ḡ at most, and ḡ² is the running mean of
	// ‖g‖², counted so, up to the step before, with decay 0.9. It begins with the
	// first gradient that is not 0, and those of 0 do not change it.
	// Where ḡ is below 10⁻⁵ of its largest since step τ (WithScaleWarmup), the signal is 0
	// at most; an Augmented's is not.
	Relative
)

// String returns the name of the constant.
func (s Signal) String() string {
	switch s {
	case Normalized:
		return "Normalized"
	case Raw:
		return "Raw"
	case Relative:
		return "Relative"
	}
	return fmt.Sprintf("Signal(%d)", int(s))
}

// Scope says what shares one scale.
type Scope int

const (
	// Global is one scale for all parameters that the solver is ever given. Two
	// networks that are stepped by turns want a solver each, or PerParameter.
	Global Scope = iota
	// PerParameter is one scale for each parameter, so on most networks one
	// for the weights and one for the biases of every layer.
	PerParameter
)

// String returns the name of the constant.
func (s Scope) String() string {
	switch s {
	case Global:
		return "Global"
	case PerParameter:
		return "PerParameter"
	}
	return fmt.Sprintf("Scope(%d)", int(s))
}

// configurable is a solver of this package. change applies a change to its
// hyperparameters, which its next step checks.
type configurable interface {
	change(func(*hyperparameters))
}

// option returns a SolverOpt that changes hyperparameters of this package's
// solvers and does nothing to others.
func option(set func(h *hyperparameters)) gorgonia.SolverOpt {
	return func(s gorgonia.Solver) {
		if c, ok := s.(configurable); ok && !param.IsNil(s) {
			c.change(set)
		}
	}
}

// WithGainRate sets γp, the step size of the gains' update:
//
//	p ← p ⊙ exp(γp · signal)
//
// With 0 a gain only goes back to 1 (WithGainDecay). Default 0.025; FunnelAdam 0.02; EGGain 0.01. Range
// [0, ∞).
func WithGainRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainRate = rate })
}

// WithGainDecay sets λ, the share of the way that every gain goes back to 1
// before it is updated:
//
//	p ← p + λ (1 − p)
//
// Most of what the signs of gradients say is noise, which would drive gains apart
// for as long as a network trains. With λ = 0, as in the paper, it does; take a
// small gain rate then. Default 0.01; FunnelAdam 0.015; EGGain 0. Range [0, 1).
//
// Source: the fixed-share update of Herbster, Warmuth, Tracking the Best
// Expert, 1998.
func WithGainDecay(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainDecay = decay })
}

// WithMomentumWarmup sets f, the share of its momentum that a solver does without in a
// warm-up of the scale:
//
//	μ_t = μ (1 − f w_t)
//
// and so β1_t of a FunnelAdam. w is the weight of the warm-up (WithScaleRestart). At
// first and after a shift the gradients of some steps ago come from somewhere else, and
// soon sum up to a step that overshoots. With 0 the momentum is the same in all steps, as in
// the paper. Default 0.25; EGGain 0. Range [0, 1).
//
// Source: a momentum that grows, as in Sutskever, Martens, Dahl, Hinton, On the
// importance of initialization and momentum in deep learning, 2013.
func WithMomentumWarmup(share float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.momentumWarmup = share })
}

// WithScaleRate sets γs, the step size of the scale's update:
//
//	s ← s · exp(γs · signal)
//
// With 0 the scale stays as it is, 1 at the start, whatever WithScaleWarmup and
// WithInitialStep say.
// Default 0.02; FunnelAdam 0.05; EGGain 0; Augment 0.03. Range [0, ∞).
func WithScaleRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleRate = rate })
}

// WithScaleWarmup sets γw and τ, which make the scale's rate larger at first:
//
//	γs + γw w
//
// w is e^{−t/τ}, t being the number of steps so far that moved something, of the
// parameter or, for a Global scale, of the solver; a shift may bring it back
// (WithScaleRestart). So a scale that starts far from where it belongs
// is soon there. While the cosine is 1, as it can be where gradients have no
// noise, γw = 1 would make every step almost three times as long as the last. With
// γw = 0 there is no warm-up, as in the paper. Default 0.5, 30; FunnelAdam 0.4, 20; Augment 0.4, 30.
// Range [0, ∞), (0, ∞).
func WithScaleWarmup(rate, steps float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.warmupRate, h.warmupSteps = rate, steps })
}

// WithInitialStep sets ρ, the length of the first step, relative to that of the
// parameters:
//
//	s_0 = ρ ‖θ_0‖ / ‖u‖
//
// θ_0 is all parameters of the model that make their first step, and u the step
// that they would make with a scale of 1. This takes the learning rate out of the
// first step and, as the scale is only ever multiplied, out of all that follow.
// Values that are all 0 have no length, and count as 0.01 each. A step that moves
// nothing, for instance with a learning rate of 0, is not the first. s_0 is 1 where
// a square is beyond float64, and is clipped to the scale's bounds. A parameter
// that joins later starts in the same way, or with the solver's scale if that is
// Global. Where parameters have scales of their own, each has a first step of 30 ρ times its
// own length at most, that of n elements counting as 0.03 √n at least. ρ counts as c_max (WithMaxStep) at most. Values that are trained already want
// less than the default, such as 0.001: the first step would lead away from where they
// are. With ρ = 0, s_0 is 1, as in the paper. Default 0.01; FunnelAdam 0.03; Augment 0.02. Range [0, ∞).
func WithInitialStep(length float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.initialStep = length })
}

// WithMaxStep sets c_max, which limits the scale so that steps are about so long at
// most, relative to the parameters that share the scale:
//
//	s ← min(s, c_max a ‖θ‖ / ‖u‖)
//
// u is the step with a scale of 1, as far as it is known before the gains of the
// step are: μ_t ν_t + η g_t; of a FunnelAdam η times d of the step before, or (1−β1) ‖g‖/ḡ
// times as much, within limits, where the gradient is suddenly larger; of an Augmented
// what the inner solver does; there the limit is exact, and of those that share a scale
// each has its own. It holds against WithScaleFloor, and not against the lower of
// WithScaleBounds. The ‖θ‖ of n elements counts as 0.03 √n at least and, but for
// an Augmented, as ½ R n / √(n + 10): biases begin at 0 and would lag behind. R is the root
// mean square of all values of the model, and at most 30 times the smallest of a parameter
// alone, which counts as 0.03 at least, as parameters may be of very unlike size.
//
// a is 1 but where this parameter and the gradients of all have grown within about a thousand
// steps: there the longest step grows less than the parameter, so that two networks cannot drive
// each other apart, nor a network the target that it follows,
//
//	a = max(min(1, max(‖θ‖̄, 0.3 √n) / ‖θ‖), ḡ_low/ḡ)
//
// with the means of Funnel's documentation. With signals other than Relative, and of an
// Augmented, a is 1. With a c_max of 0 there is no limit. Default 0.05; FunnelAdam 0.035;
// Augment 0.1. Range [0, ∞).
func WithMaxStep(length float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.maxStep = length })
}

// WithScaleFloor sets κ, which keeps the scale above a fraction of its own geometric mean so
// far, s̄:
//
//	s ← max(s, κ s̄),  ln s̄ ← ln s̄ + (1−w)/T (ln s − ln s̄)
//
// over the steps that moved something, this one included, s being
// what it was before the floor and within WithMaxStep, and T the sum of 1−w, which leaves the warm-up
// out: w is its weight (WithScaleRestart). So after t steps the scale falls no faster than t^(ln κ).
// The sum of all scales diverges with κ of 1/e and above, as is needed to get to an optimum from
// anywhere, and with the default where a FunnelAdam's counts twice, as below. Without restarts 1−w
// counts as 1. Where s̄ is more than WithMaxStep allows it falls to that: a FunnelAdam's at once, a
// Funnel's by 1% at a step.
//
// An Augmented stays above κ A/T, A being the sum of (1−w) s. In that mean the scales of the first
// steps, which may have to fall by orders of magnitude, outweigh all others for long.
//
// A FunnelAdam's κ counts as κ min(2, −10 c̄), ½ at most, where c̄ is below −0.1, which is the
// running mean of its Relative signal after the warm-up, with decay 0.998: the gradients of few
// batches again and again go against each other, however short the steps are, and the scale would
// fall for ever. With 0 there is no floor. Default 0.25; Augment 0.2. Range [0, 1).
func WithScaleFloor(fraction float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleFloor = fraction })
}

// WithNoiseCorrection sets k, how much of what noise adds to the scale is taken
// off again, once the warm-up is over:
//
//	s ← s · exp(−γs k_t (1−w) min(|c|, c_k)²),  k_t = k min(max(1 − ā / 0.04, 0), 1)
//
// c is the Relative signal; with others k means nothing. c_k is WithNoiseLimit's,
// w the weight of the warm-up (WithScaleRestart), and ā the mean cosine of the gradient
// along the step average (WithStepAverage), of about a hundred steps. In many dimensions c² is
// next to 0; in few, the noise of single gradients is all there is to c. Where steps lead
// nowhere, all that noise does is make them too long. Where they lead on, ā is above 0, and
// noise costs less than short steps. An Augmented has k_t = k t / (t + 1000) after t steps.
// Default 1; FunnelAdam 0.6; Augment 0.3. Range [0, ∞).
func WithNoiseCorrection(k float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.noiseCorrection = k })
}

// WithNoiseLimit sets c_k, up to which a signal counts in the noise correction. It
// keeps k, which is right in some tens of dimensions, from stopping what has one or
// two, where |c| is about 1 at every step. 5 is no limit, as |c| is never more. Default 0.3.
// Range (0, ∞).
func WithNoiseLimit(limit float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.noiseLimit = limit })
}

// WithGradientGrowth sets h, from which on the scale falls as the gradient grows:
//
//	s, A, B ← s, A, B · h G/ḡ,  G ← ḡ/h       where ḡ > h G
//	G ← G + (0.01 + 0.99 e^{−t/τ}) (ḡ − G)    where ḡ > G
//
// ḡ is the running size of the gradient (Relative), this step's included, and G follows
// it upwards: at once in the first warm-up, which has the τ of WithScaleWarmup, and slowly
// after it; it begins as ḡ. A and B are those of WithScaleFloor and WithScaleRestart, and s̄ falls as A does. A
// gradient that has become many times as large, because the inputs or the loss have, calls
// for a scale that is as many times less: without that a Funnel throws the weights away
// before the signals have told it. A FunnelAdam's steps do not grow with the gradient, so
// it has no such limit. Where digits turn by 60° it changes little. It means nothing to
// signals other than Relative. With 0 there is no limit. Default 1.5; FunnelAdam, Augment 0.
// Range 0, [1, ∞).
func WithGradientGrowth(times float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gradientGrowth = times })
}

// WithScaleRestart sets n: the scale's warm-up begins again where signals are more than
// n times as large as they usually are, as after a shift of the data. Its weight w is 1
// in the first step, and then
//
//	w ← max(w e^{−1/τ}, min(min(z_{t−1}, z_t, 5) / n − 1, 1), min(min(z_t / 1.5, 1.5 r_{t−1}) / n − 1, ½))
//	z_t = c_t / σ,   r_t = ‖g_t‖ / ḡ
//
// c is the Relative signal along the last step; with others there is no restart. σ² is
// the running mean of c² up to the last step, with decay 0.99; in it and in z_{t−1} z counts as 5
// at most, and so does r. So either two signals in a row are large, or one is that
// follows a large gradient, and counts for less, as it may be chance.
// When the warm-up begins again, which is when w grows, so does the scale, at the geometric
// mean of its means so far outside of warm-ups and in them:
//
//	s ← max(s, min(ℓ w, 1) √(A/T · B/W) T / (T + 100))
//
// ℓ is 2 for a FunnelAdam and 1 for the others. A and T are those of WithScaleFloor, B the
// sum of w s and W that of w, and with κ = 0 the scale goes on from where it is. So it does
// with an Augmented, for which only two signals in a row count: one alone made it worse
// around a Momentum. With 0 the warm-up is once, at the beginning: w = e^{−t/τ}.
// Default 3. Range [0, ∞).
func WithScaleRestart(n float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.restart = n })
}

// WithSignalPooling sets n0, which makes scales of their own (WithScaleScope) follow
// the mean of all signals as well:
//
//	c ← c + n0 / (N + n0) (c̄ − c)
//
// N is the number of the parameter's elements. c̄ is the mean of the signals c of all
// parameters of the step, each weighing as much as it has elements, n0 at most. The
// signal of a single element is mostly noise, on which its scale would drift away. But steps
// that suit one parameter seldom suit another: an output's bias may need a hundredth of
// what the weights before it do. It means nothing to a Global
// scale, and to signals other than Relative. With 0 each scale is on its own. Default 1;
// Augment 100. Range [0, ∞).
//
// Source: partial pooling, as in James, Stein, Estimation with Quadratic Loss, 1961.
func WithSignalPooling(elements float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.pooling = elements })
}

// WithStepAverage sets β_u, the decay of the step average ū. The Relative signal is then
// c = w c^u + (1−w) c^ū, of which c^u is along the last step u alone:
//
//	c^u = u · g / (‖u‖ ḡ),  c^ū = e · g / (‖e‖ ḡ),  e = ū + 0.3 u
//	ū ← β (1−w) ū + 3 (1−β_u) u
//	β = max(β_u, 1 − 1/L),  L ← min((1−w) L + 1, 10 / (1−β_u))
//
// L counts the steps since the warm-up, of which ū is over all, 1/(1−β_u) at least and ten
// times as many at most. Where ā is below −0.1, ū takes the place of e in e · g:
//
//	ā ← ā + 0.01 (ū · g / (‖e‖ ‖g‖) − ā)
//
// u is the step with a scale of 1 that a Funnel or an Augmented made last, and for a
// FunnelAdam, that averages m, ū is divided by √v + ε as m is. w is the weight of the
// warm-up: while it lasts, as after a shift, older steps say little. Many steps have less noise
// than one, so that a small gradient that stays the same is seen among large ones that come and
// go, the way along a valley among steps that its walls throw back and forth, and that steps lead
// nowhere which go round in circles, each along the one before: there ā is far below 0. Of a
// parameter of 4,096 elements or more ū has a fixed sample, down to one in 32, from which the
// cosine is well known. An Augmented, whose β is β_u and whose 3 is 2.2, has an e of its own, also during the warm-up. It
// means nothing to other signals. With 0 there is no average: c is c^u. Default 0.99. Range
// [0, 1).
func WithStepAverage(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.stepAverage = decay })
}

// WithPaperStep takes away what our defaults add to the step of the paper: it is
// WithInitialStep(0), WithScaleWarmup(0, τ), WithMaxStep(0), WithScaleFloor(0),
// WithNoiseCorrection(0), WithGradientGrowth(0), WithScaleRestart(0), WithSignalPooling(0),
// WithStepAverage(0), WithMomentumWarmup(0), WithGainDecay(0), WithScaleScope(Global) and,
// but for a Raw one, WithScaleSignal(Normalized), with rates that suit them, where they are not 0:
// WithScaleRate(0.1) and WithGainRate(0.01). A gain learns from every step, also where it
// was too short to change the value, and a scale from every gradient, however small. The
// factors of 30 that WithInitialStep and WithMaxStep speak of are gone, and a is 1; they do not
// come back where those options follow. The learning rate then matters as it does in the paper,
// whose signals are WithRawSignals. It must come before the first step; options after it
// change what it set.
func WithPaperStep() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) {
		h.initialStep, h.warmupRate, h.gainDecay, h.scope = 0, 0, 0, Global
		h.maxStep, h.scaleFloor, h.noiseCorrection, h.restart, h.pooling, h.stepAverage = 0, 0, 0, 0, 0, 0
		h.gradientGrowth, h.leastGradient, h.valueSpread, h.freeGrowth = 0, 0, 0, 0
		h.momentumWarmup, h.settled = 0, false
		if h.scaleSignal == Relative {
			h.scaleSignal = Normalized
		}
		if h.scaleRate > 0 {
			h.scaleRate = 0.1
		}
		if h.gainRate > 0 {
			h.gainRate = 0.01
		}
	})
}

// WithGradientDecay sets β, the decay of the gradient average m of a Funnel. It
// means nothing to a FunnelAdam, whose m is the first moment: there it is
// gorgonia.WithBeta1. Default 0.9; EGGain 0. Range [0, 1).
func WithGradientDecay(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gradientDecay = decay })
}

// WithGainBounds clips every gain p to [min, max] after each update. Default 0.01,
// 100. Range 0 ≤ min ≤ max < ∞.
func WithGainBounds(min, max float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainMin, h.gainMax = min, max })
}

// WithScaleBounds clips the scale s to [min, max] after each update. Default 1e-30,
// 1e+30. Range 0 ≤ min ≤ max < ∞.
func WithScaleBounds(min, max float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleMin, h.scaleMax = min, max })
}

// WithGainSignal sets what the gains adapt to. Default Normalized; EGGain Raw.
// Range Normalized, Raw.
func WithGainSignal(s Signal) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainSignal = s })
}

// WithScaleSignal sets what the scale adapts to. Default Relative. Range Relative,
// Normalized, Raw.
func WithScaleSignal(s Signal) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleSignal = s })
}

// WithRawSignals makes both signals Raw, as the paper's equations have them.
func WithRawSignals() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainSignal, h.scaleSignal = Raw, Raw })
}

// WithScaleScope sets what shares one scale. It cannot be changed once a step has
// been made. Default PerParameter. Range Global, PerParameter.
func WithScaleScope(s Scope) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scope = s })
}

// WithBiasCorrection divides the gradient average in the raw gain signal by
// 1 − β^max(t−1,1), since an average that starts at 0 is too small at first. t is
// the parameter's step counted from 1; a FunnelAdam divides by 1 − b_{t−1}. It changes
// nothing with normalized signals. Default false. No option switches it off again.
func WithBiasCorrection() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.biasCorrection = true })
}

// draft is a configurable that is no solver yet: options are tried on it, so
// that a solver takes all of them or none.
type draft struct{ hyperparameters }

func (d *draft) change(set func(*hyperparameters)) { set(&d.hyperparameters) }
func (d *draft) Step([]gorgonia.ValueGrad) error   { return nil }
