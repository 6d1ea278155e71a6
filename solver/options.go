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
	// Relative is the scale's default signal. It weighs a gradient by its size relative to earlier
	// ones: the cosine of ν (FunnelAdam: d) and g, times ‖g‖/ḡ, where ‖g‖ counts as 5 ḡ at most. ḡ²
	// is the running mean of ‖g‖², limited in the same way, up to the step before, with decay 0.9.
	// It begins with the first gradient that is not 0, and gradients of 0 do not change it. Except
	// for an Augmented, the signal is at most 0 where ḡ is below 10⁻⁵ of its largest since step τ
	// (WithScaleWarmup).
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
	// Global is one scale for all parameters that the solver is ever given. Two networks that are
	// stepped in turn need a solver each, or PerParameter.
	Global Scope = iota
	// PerParameter is one scale for each parameter: on most networks one for the weights and one
	// for the biases of every layer.
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

// option returns a SolverOpt that changes hyperparameters of this package's solvers and ignores
// others.
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
// With 0 a gain only goes back to 1 (WithGainDecay). Default 0.025; FunnelAdam 0.02; EGGain 0.01.
// Range [0, ∞).
func WithGainRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainRate = rate })
}

// WithGainDecay sets λ, the fraction by which every gain decays towards 1 before it is updated:
//
//	p ← p + λ (1 − p)
//
// The signs of gradients are mostly noise, which drives gains apart for as long as a network trains
// unless they decay. With λ = 0, as in the paper, use a small gain rate. Default 0.01; FunnelAdam
// 0.015; EGGain 0. Range [0, 1).
//
// Source: the fixed-share update of Herbster, Warmuth, Tracking the Best
// Expert, 1998.
func WithGainDecay(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainDecay = decay })
}

// WithMomentumWarmup sets f, the fraction by which a warm-up reduces the momentum:
//
//	μ_t = μ (1 − f w_t)
//
// and β1_t of a FunnelAdam in the same way. w is the weight of the warm-up (WithScaleRestart). At
// first and after a shift, gradients of a few steps ago come from far away, and their sum
// overshoots. With 0 the momentum is the same in all steps, as in the paper. Default 0.25; EGGain
// 0. Range [0, 1).
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
// With 0 the scale does not change; it is 1 at the start, whatever WithScaleWarmup and
// WithInitialStep say. Default 0.02; FunnelAdam 0.05; EGGain 0; Augment 0.03. Range [0, ∞).
func WithScaleRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleRate = rate })
}

// WithScaleWarmup sets γw and τ, which raise the scale's rate at first to
//
//	γs + γw w
//
// w is e^{−t/τ}, where t counts the steps so far that moved something, of the parameter or, for a
// Global scale, of the solver; a shift may raise it again (WithScaleRestart). So a scale that
// starts far from where it belongs gets there soon. While the cosine is 1, as it can be where
// gradients have no noise, γw = 1 would make every step almost three times as long as the last.
// With γw = 0 there is no warm-up, as in the paper. Default 0.5, 30; FunnelAdam 0.4, 20; Augment
// 0.4, 30. Range [0, ∞), (0, ∞).
func WithScaleWarmup(rate, steps float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.warmupRate, h.warmupSteps = rate, steps })
}

// WithInitialStep sets ρ, the length of the first step, relative to that of the
// parameters:
//
//	s_0 = ρ ‖θ_0‖ / ‖u‖
//
// θ_0 is all parameters of the model that make their first step, and u that step with a scale of 1.
// The learning rate cancels from the first step and, as the scale is only ever multiplied, from all
// that follow. Values that are all 0 count as 0.01 each. A step that moves nothing, for instance at
// a learning rate of 0, is not the first. s_0 is 1 where ‖θ_0‖² or ‖u‖² leaves the range of
// float64, and is clipped to the scale's bounds. A parameter that joins later starts in the same
// way, or with the solver's scale if that is Global. A parameter with a scale of its own makes a
// first step of at most 30 ρ times its own length, where n elements count as 0.03 √n at least. ρ is
// limited to c_max (WithMaxStep). For pretrained values use less than the default, such as 0.001:
// the first step would lead away from them. With ρ = 0, s_0 is 1, as in the paper. Default 0.01;
// FunnelAdam 0.03; Augment 0.02. Range [0, ∞).
func WithInitialStep(length float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.initialStep = length })
}

// WithMaxStep sets c_max, which limits the length of a step to about that fraction of the length of
// the parameters that share the scale:
//
//	s ← min(s, c_max a ‖θ‖ / ‖u‖)
//
// u is the step with a scale of 1, as far as it is known before the step's gains. For a Funnel it
// is μ_t ν_t + η g_t; for a FunnelAdam, η times the previous d, or (1−β1) ‖g‖/ḡ times as much,
// within limits, where the gradient is suddenly larger; for an Augmented, the inner solver's
// change, so that its limit is exact, and holds for each of the parameters that share a scale. The
// limit overrides WithScaleFloor, but not the lower of WithScaleBounds. The ‖θ‖ of n elements
// counts as 0.03 √n at least and, except for an Augmented, as ½ R n / √(n + 10) at least, because
// biases begin at 0 and would lag behind. R is the root mean square of all values of the model,
// limited to 30 times the smallest of a single parameter, which counts as 0.03 at least.
//
// a is below 1 where both this parameter and all gradients have grown within about a thousand
// steps: there the longest step grows less than the parameter, so that two networks cannot drive
// each other apart, nor a network its own target,
//
//	a = max(min(1, max(‖θ‖̄, 0.3 √n) / ‖θ‖), ḡ_low/ḡ)
//
// with ‖θ‖̄ and ḡ_low as in Funnel's documentation. With signals other than Relative, and for an
// Augmented, a is 1. With a c_max of 0 there is no limit. Default 0.05; FunnelAdam 0.035; Augment
// 0.1. Range [0, ∞).
func WithMaxStep(length float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.maxStep = length })
}

// WithScaleFloor sets κ, which keeps the scale above a fraction of its own geometric mean so
// far, s̄:
//
//	s ← max(s, κ s̄),  ln s̄ ← ln s̄ + (1−w)/T (ln s − ln s̄)
//
// over the steps that moved something, this one included. s̄ averages scales before the floor and
// within WithMaxStep, and T is the sum of 1−w, where w is the weight of the warm-up
// (WithScaleRestart), so that warm-ups do not count; without restarts 1−w counts as 1. After t
// steps the scale falls no faster than t^(ln κ). With κ of 1/e and above, which a FunnelAdam's
// raised floor reaches by default, the sum of all scales diverges, as is needed to reach an optimum
// from anywhere. Where s̄ exceeds WithMaxStep's limit it falls to that: a FunnelAdam's at once, a
// Funnel's by 1% a step.
//
// An Augmented stays above κ A/T, where A is the sum of (1−w) s. In that mean the first scales,
// which may have to fall by orders of magnitude, outweigh all others for long.
//
// A FunnelAdam's floor is raised to κ min(2, −10 c̄), ½ at most, where c̄ is below −0.1. c̄ is the
// running mean of its Relative signal after the warm-up, with decay 0.998. Gradients of few
// different batches keep opposing each other, however short the steps are, and the scale would fall
// for ever. With 0 there is no floor. Default 0.25; Augment 0.2. Range [0, 1).
func WithScaleFloor(fraction float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleFloor = fraction })
}

// WithNoiseCorrection sets k, the weight of a correction that removes what noise adds to the scale
// once the warm-up is over:
//
//	s ← s · exp(−γs k_t (1−w) min(|c|, c_k)²),  k_t = k min(max(1 − ā / 0.04, 0), 1)
//
// c is the Relative signal; with others k is ignored. c_k is WithNoiseLimit's, w the weight of the
// warm-up (WithScaleRestart), and ā the mean cosine of the gradient along the step average
// (WithStepAverage) in about a hundred steps. In many dimensions c² is close to 0; in few, c is
// mostly the noise of single gradients. Where steps make no progress, noise only makes them too
// long. Where they do, ā is above 0, and noise costs less than short steps. An Augmented has k_t =
// k t / (t + 1000) after t steps. Default 1; FunnelAdam 0.6; Augment 0.3. Range [0, ∞).
func WithNoiseCorrection(k float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.noiseCorrection = k })
}

// WithNoiseLimit sets c_k, the largest size with which a signal counts in the noise correction. The
// k that is right in some tens of dimensions would otherwise stop learning in one or two, where |c|
// is about 1 at every step. 5 is no limit, as |c| is never more. Default 0.3. Range (0, ∞).
func WithNoiseLimit(limit float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.noiseLimit = limit })
}

// WithGradientGrowth sets h: the scale falls as the gradient grows beyond h times its largest size
// so far,
//
//	s, A, B ← s, A, B · h G/ḡ,  G ← ḡ/h       where ḡ > h G
//	G ← G + (0.01 + 0.99 e^{−t/τ}) (ḡ − G)    where ḡ > G
//
// ḡ is the running size of the gradient (Relative), including this step. G begins as ḡ and follows
// it upwards: at once in the first warm-up, whose τ is WithScaleWarmup's, and slowly afterwards. A
// and B are WithScaleFloor's and WithScaleRestart's, and s̄ falls as A does. A gradient that has
// grown many times, because the inputs or the loss have, needs a scale that is as many times
// smaller: otherwise a Funnel throws the weights away before the signals react. A FunnelAdam's
// steps do not grow with the gradient, so by default it has no such limit. Digits that turn by 60°
// change little. It is ignored with signals other than Relative. With 0 there is no limit. Default
// 1.5; FunnelAdam, Augment 0. Range 0, [1, ∞).
func WithGradientGrowth(times float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gradientGrowth = times })
}

// WithScaleRestart sets n: the scale's warm-up begins again where signals are more than n times as
// large as usual, as after a shift of the data. Its weight w is 1 in the first step, and then
//
//	w ← max(w e^{−1/τ}, min(min(z_{t−1}, z_t, 5) / n − 1, 1), min(min(z_t / 1.5, 1.5 r_{t−1}) / n − 1, ½))
//	z_t = c_t / σ,   r_t = ‖g_t‖ / ḡ
//
// c is the Relative signal along the last step; with other signals there is no restart. σ² is the
// running mean of c² up to the previous step, with decay 0.99; there and in z_{t−1}, z counts as 5
// at most, and so does r. So either two signals in a row are large, or one that follows a large
// gradient; the latter counts for less, as it may be chance. When the warm-up begins again, that is
// when w grows, the scale is raised towards the geometric mean of its mean outside of warm-ups and
// its mean in them:
//
//	s ← max(s, min(ℓ w, 1) √(A/T · B/W) T / (T + 100))
//
// ℓ is 2 for a FunnelAdam and 1 otherwise. A and T are WithScaleFloor's, B is the sum of w s and W
// that of w. With κ = 0 the scale is not raised, nor is an Augmented's, for which only two signals
// in a row count: one alone made it worse around a Momentum. With 0 there is one warm-up, at the
// beginning: w = e^{−t/τ}. Default 3. Range [0, ∞).
func WithScaleRestart(n float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.restart = n })
}

// WithSignalPooling sets n0, which makes scales of single parameters (WithScaleScope) follow the
// mean of all signals as well:
//
//	c ← c + n0 / (N + n0) (c̄ − c)
//
// N is the number of the parameter's elements. c̄ is the mean of the signals c of all parameters of
// the step, each weighted by its elements, n0 at most. The signal of a single element is mostly
// noise, on which its scale would drift away. But steps that suit one parameter seldom suit
// another: an output's bias may need a hundredth of what the weights before it do. It is ignored
// with a Global scale, and with signals other than Relative. With 0 each scale follows its own
// signal alone. Default 1; Augment 100. Range [0, ∞).
//
// Source: partial pooling, as in James, Stein, Estimation with Quadratic Loss, 1961.
func WithSignalPooling(elements float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.pooling = elements })
}

// WithStepAverage sets β_u, the decay of the step average ū. The Relative signal is then c = w c^u
// + (1−w) c^ū, where c^u is along the last step u alone:
//
//	c^u = u · g / (‖u‖ ḡ),  c^ū = e · g / (‖e‖ ḡ),  e = ū + 0.3 u
//	ū ← β (1−w) ū + 3 (1−β_u) u
//	β = max(β_u, 1 − 1/L),  L ← min((1−w) L + 1, 10 / (1−β_u))
//
// L counts the steps since the warm-up; ū averages them all, at least 1/(1−β_u) and at most ten
// times as many. Where ā is below −0.1, ū replaces e in e · g:
//
//	ā ← ā + 0.01 (ū · g / (‖e‖ ‖g‖) − ā)
//
// u is the last step of a Funnel or an Augmented with a scale of 1. A FunnelAdam averages m, and
// divides ū by √v + ε as it does m. w is the weight of the warm-up: while it lasts, as after a
// shift, older steps say little.
//
// Many steps have less noise than one. Their average reveals a small constant gradient among large
// ones that come and go, the direction along a valley among steps that its walls throw back and
// forth, and steps that go round in circles, each along the one before, for which ā is far below 0.
// For a parameter of 4,096 elements or more ū covers a fixed sample, down to one in 32, which
// determines the cosine well enough. An Augmented has β_u in place of β, 2.2 in place of 3, and an
// e of its own, also during the warm-up. The option is ignored with other signals. With 0 there is
// no average: c is c^u. Default 0.99. Range [0, 1).
func WithStepAverage(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.stepAverage = decay })
}

// WithPaperStep removes what our defaults add to the step of the paper. It is WithInitialStep(0),
// WithScaleWarmup(0, τ), WithMaxStep(0), WithScaleFloor(0), WithNoiseCorrection(0),
// WithGradientGrowth(0), WithScaleRestart(0), WithSignalPooling(0), WithStepAverage(0),
// WithMomentumWarmup(0), WithGainDecay(0), WithScaleScope(Global), WithScaleSignal(Normalized)
// unless that is Raw, and WithScaleRate(0.1) and WithGainRate(0.01) unless those are 0. A gain
// learns from every step, even one too short to change the value, and a scale from every gradient,
// however small. The factors of 30 in WithInitialStep and WithMaxStep are gone, and a is 1, even if
// those options follow. The learning rate then matters as in the paper, whose signals are
// WithRawSignals. WithPaperStep must come before the first step; options after it change what it
// set.
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

// WithGradientDecay sets β, the decay of a Funnel's gradient average m. A FunnelAdam ignores it:
// its m is the first moment, whose decay is gorgonia.WithBeta1. Default 0.9; EGGain 0. Range [0,
// 1).
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

// WithRawSignals makes both signals Raw, as in the paper's equations.
func WithRawSignals() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainSignal, h.scaleSignal = Raw, Raw })
}

// WithScaleScope sets which parameters share a scale. It cannot change once a step has been made.
// Default PerParameter. Range Global, PerParameter.
func WithScaleScope(s Scope) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scope = s })
}

// WithBiasCorrection divides the gradient average in the raw gain signal by 1 − β^max(t−1,1), since
// an average that starts at 0 is too small at first. t is the parameter's step counted from 1; a
// FunnelAdam divides by 1 − b_{t−1}. It changes nothing with normalized signals, and no option
// switches it off again. Default false.
func WithBiasCorrection() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.biasCorrection = true })
}

// draft is a configurable that is no solver: options are tried on it, so that a solver takes all of
// them or none.
type draft struct{ hyperparameters }

func (d *draft) change(set func(*hyperparameters)) { set(&d.hyperparameters) }
func (d *draft) Step([]gorgonia.ValueGrad) error   { return nil }
