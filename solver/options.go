package solver

import (
	"fmt"
	"math"

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
)

// String returns the name of the constant.
func (s Signal) String() string {
	switch s {
	case Normalized:
		return "Normalized"
	case Raw:
		return "Raw"
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

// hyperparameters is what all options set, on all solvers of this package.
type hyperparameters struct {
	learnRate, batch, clip, l1, l2 float64 // Gorgonia's options
	momentum, beta1, beta2, eps    float64

	gainRate, gainDecay     float64
	gradientDecay           float64
	gainMin, gainMax        float64
	scaleRate               float64
	warmupRate, warmupSteps float64
	initialStep             float64
	scaleMin, scaleMax      float64
	gainSignal, scaleSignal Signal
	scope                   Scope
	biasCorrection          bool
}

// defaults are those of most solvers. Where one differs its constructor says so.
func defaults() hyperparameters {
	return hyperparameters{
		learnRate: 0.001, batch: 1,
		momentum: 0.9, beta1: 0.9, beta2: 0.999, eps: 1e-8,
		gainRate: 0.01, gainDecay: 0.01, gradientDecay: 0.9,
		gainMin: 0.01, gainMax: 100,
		scaleRate: 0.1, warmupRate: 1, warmupSteps: 30, initialStep: 0.01,
		scaleMin: 1e-9, scaleMax: 1e9,
	}
}

// A configurable solver is one of ours: our options set its hyperparameters.
type configurable interface {
	configuration() *hyperparameters
}

func option(set func(h *hyperparameters)) gorgonia.SolverOpt {
	return func(s gorgonia.Solver) {
		if c, ok := s.(configurable); ok {
			set(c.configuration())
		}
	}
}

// WithGainRate sets γp, the step size of the gains' update; 0 keeps every gain
// as it is. Default 0.02, FunnelAdam's and EGGain's 0.01; range [0, ∞).
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
// small gain rate then. Default 0.01, EGGain's 0; range [0, 1).
//
// Source: the fixed-share update of Herbster, Warmuth, Tracking the Best
// Expert, 1998.
func WithGainDecay(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainDecay = decay })
}

// WithScaleRate sets γs, the step size of the scale's update; 0 keeps the scale
// as it is, from the start at 1, whatever WithScaleWarmup and WithInitialStep say. Default 0.1, Funnel's
// 0.02, EGGain's 0; range [0, ∞).
func WithScaleRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleRate = rate })
}

// WithScaleWarmup sets γw and τ, which make the scale's rate larger at first:
//
//	γs + γw exp(−t/τ)
//
// t being the steps made before, by the parameter or, of a Global scale, by the
// solver. So a scale that starts far from where it belongs is soon there. But
// while the cosine is 1, as it can be where there is no noise in the gradients,
// γw = 1 makes every step almost three times as long as the last. A small network
// that sees all its data at every step may be driven too far by that: take a γw of
// 0.3 there. Defaults 1 (Funnel's 0.3) and 30, ranges [0, ∞) and (0, ∞); with a
// γw of 0 there is no warm-up, as in the paper.
func WithScaleWarmup(rate, steps float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.warmupRate, h.warmupSteps = rate, steps })
}

// WithInitialStep sets ρ, the length of the first step, relative to that of the
// parameters:
//
//	s_0 = ρ ‖θ_0‖ / ‖u‖
//
// where θ_0 is all parameters of the model that make their first step, and u the
// step that they would make with a scale of 1. This takes the learn rate out of
// the first step and, as the scale is only ever multiplied, of all that follow.
// Values that are all 0 have no length, and count as 0.01 each. s_0 is 1 where ‖u‖
// is 0, as with a learn rate of 0, or a square is beyond float64; and it is clipped
// to the scale's bounds. A parameter that joins later starts in the same way, or
// with the solver's scale if that is Global. Default 0.01, Funnel's 0.003,
// FunnelAdam's 0.03; range [0, ∞). With ρ = 0, s_0 is 1, as in the paper.
func WithInitialStep(length float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.initialStep = length })
}

// WithPaperStep takes away what our defaults add to the step of the paper. It is
// WithInitialStep(0), WithScaleWarmup(0, τ), WithGainDecay(0) and
// WithScaleScope(Global), with rates that suit that, where they are not 0:
// WithScaleRate(0.1) and WithGainRate(0.01). It must come before the first step; options behind it
// change what it set. The learn rate then matters as it does in the paper, whose
// signals are WithRawSignals.
func WithPaperStep() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) {
		h.initialStep, h.warmupRate, h.gainDecay, h.scope = 0, 0, 0, Global
		if h.scaleRate > 0 {
			h.scaleRate = 0.1
		}
		if h.gainRate > 0 {
			h.gainRate = 0.01
		}
	})
}

// WithGradientDecay sets β, the decay of the gradient average m. Default 0.9,
// range [0, 1). It means nothing to a FunnelAdam, whose m is the first moment:
// there it is gorgonia.WithBeta1.
func WithGradientDecay(decay float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gradientDecay = decay })
}

// WithGainBounds keeps every gain p in [min, max]. Default [0.01, 100], range
// 0 ≤ min ≤ max < ∞.
func WithGainBounds(min, max float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainMin, h.gainMax = min, max })
}

// WithScaleBounds keeps the scale s in [min, max]. Default [1e-9, 1e9], range
// 0 ≤ min ≤ max < ∞.
func WithScaleBounds(min, max float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleMin, h.scaleMax = min, max })
}

// WithGainSignal sets what the gains adapt to: Normalized (default) or Raw.
func WithGainSignal(s Signal) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainSignal = s })
}

// WithScaleSignal sets what the scale adapts to: Normalized (default) or Raw.
func WithScaleSignal(s Signal) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleSignal = s })
}

// WithRawSignals makes both signals Raw, as the paper's equations have them.
func WithRawSignals() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainSignal, h.scaleSignal = Raw, Raw })
}

// WithScaleScope sets what shares one scale: Global or PerParameter. Default
// Global, Funnel's PerParameter. It cannot be changed once a step has been made.
func WithScaleScope(s Scope) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scope = s })
}

// WithBiasCorrection divides the gradient average in the raw gain signal by
// 1 − β^max(t−1,1), t being the parameter's step counted from 1, and β1
// FunnelAdam's β: an average that starts at 0 is too small at first. Off by
// default; it changes nothing with normalized signals.
func WithBiasCorrection() gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.biasCorrection = true })
}

// draft is a configurable that is no solver yet: options are tried on it, so
// that a solver takes all of them or none.
type draft struct{ hyperparameters }

func (d *draft) configuration() *hyperparameters { return &d.hyperparameters }
func (d *draft) Step([]gorgonia.ValueGrad) error { return nil }

// with returns h as opts, ours and Gorgonia's, change it.
func (h hyperparameters) with(opts []gorgonia.SolverOpt) hyperparameters {
	d := &draft{h}
	for _, opt := range opts {
		opt(d)
		d.readGorgonia(opt)
	}
	return d.hyperparameters
}

// checkObjective finds a bad value among the options that every solver has.
func (h *hyperparameters) checkObjective() error {
	return firstBad([]setting{
		{"WithLearnRate", h.learnRate, finiteFromZero},
		{"WithL1Reg", h.l1, finiteFromZero},
		{"WithL2Reg", h.l2, finiteFromZero},
		{"WithBatchSize", h.batch, aboveZero},
		{"WithClip", h.clip, fromZero},
	})
}

// checkAdaptation finds a bad value among the options of a solver that adapts.
func (h *hyperparameters) checkAdaptation() error {
	if err := firstBad([]setting{
		{"WithGainRate", h.gainRate, finiteFromZero},
		{"WithGainDecay", h.gainDecay, belowOne},
	}); err != nil {
		return err
	}
	switch {
	case !ordered(h.gainMin, h.gainMax):
		return &HyperparameterError{"WithGainBounds", [2]float64{h.gainMin, h.gainMax}, bounds}
	case h.gainSignal != Normalized && h.gainSignal != Raw:
		return &HyperparameterError{"WithGainSignal", h.gainSignal, "Normalized or Raw"}
	}
	return h.checkScale()
}

// checkScale finds a bad value among the options of the scale.
func (h *hyperparameters) checkScale() error {
	if err := firstBad([]setting{
		{"WithScaleRate", h.scaleRate, finiteFromZero},
		{"WithInitialStep", h.initialStep, finiteFromZero},
	}); err != nil {
		return err
	}
	switch {
	case !finiteFromZero.has(h.warmupRate) || !aboveZero.has(h.warmupSteps):
		return &HyperparameterError{"WithScaleWarmup", [2]float64{h.warmupRate, h.warmupSteps}, "two finite numbers, rate ≥ 0, steps > 0"}
	case !ordered(h.scaleMin, h.scaleMax):
		return &HyperparameterError{"WithScaleBounds", [2]float64{h.scaleMin, h.scaleMax}, bounds}
	case h.scaleSignal != Normalized && h.scaleSignal != Raw:
		return &HyperparameterError{"WithScaleSignal", h.scaleSignal, "Normalized or Raw"}
	case h.scope != Global && h.scope != PerParameter:
		return &HyperparameterError{"WithScaleScope", h.scope, "Global or PerParameter"}
	}
	return nil
}

// setting is the number that an option set, and what it must be.
type setting struct {
	option string
	value  float64
	want   *domain
}

type domain struct {
	name string
	has  func(float64) bool
}

var (
	finiteFromZero = &domain{"a finite number of at least 0", func(x float64) bool { return x >= 0 && x <= math.MaxFloat64 }}
	fromZero       = &domain{"a number of at least 0", func(x float64) bool { return x >= 0 }}
	aboveZero      = &domain{"a finite number above 0", func(x float64) bool { return x > 0 && x <= math.MaxFloat64 }}
	belowOne       = &domain{"at least 0 and below 1", func(x float64) bool { return x >= 0 && x < 1 }}
)

const bounds = "two finite numbers, 0 ≤ min ≤ max"

func ordered(min, max float64) bool { return 0 <= min && min <= max && max <= math.MaxFloat64 }

func firstBad(settings []setting) error {
	for _, s := range settings {
		if !s.want.has(s.value) {
			return &HyperparameterError{s.option, s.value, s.want.name}
		}
	}
	return nil
}
