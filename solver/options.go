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
	// Global is one scale for all parameters given to Step.
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

	gainRate, scaleRate, gradientDecay float64
	gainMin, gainMax                   float64
	scaleMin, scaleMax                 float64
	gainSignal, scaleSignal            Signal
	scope                              Scope
	biasCorrection                     bool
}

func defaults() hyperparameters {
	return hyperparameters{
		learnRate: 0.001, batch: 1,
		momentum: 0.9, beta1: 0.9, beta2: 0.999, eps: 1e-8,
		gainRate: 0.01, scaleRate: 0.1, gradientDecay: 0.9,
		gainMin: 0.01, gainMax: 100,
		scaleMin: 0.001, scaleMax: 1000,
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
// as it is. Default 0.01, FunnelAdam's 0.003; range [0, ∞).
func WithGainRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.gainRate = rate })
}

// WithScaleRate sets γs, the step size of the scale's update; 0 keeps the
// scale as it is. Default 0.1, range [0, ∞).
func WithScaleRate(rate float64) gorgonia.SolverOpt {
	return option(func(h *hyperparameters) { h.scaleRate = rate })
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

// WithScaleBounds keeps the scale s in [min, max]. Default [0.001, 1000],
// range 0 ≤ min ≤ max < ∞.
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

// WithScaleScope sets what shares one scale: Global (default) or PerParameter.
// It cannot be changed once a step has been made.
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
	if err := firstBad([]setting{{"WithGainRate", h.gainRate, finiteFromZero}}); err != nil {
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
	if err := firstBad([]setting{{"WithScaleRate", h.scaleRate, finiteFromZero}}); err != nil {
		return err
	}
	switch {
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
