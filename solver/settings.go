package solver

import (
	"cmp"
	"strings"
)

// kind is one of this package's solvers, named after what its constructor makes.
type kind string

const (
	funnel     kind = "Funnel"
	funnelAdam kind = "FunnelAdam"
	egGain     kind = "EGGain"
	egu        kind = "EGU"
	augment    kind = "Augment"
)

var (
	withGradient = []kind{funnel, funnelAdam, egGain, egu}
	withGains    = []kind{funnel, funnelAdam, egGain}
	withScale    = []kind{funnel, funnelAdam, egGain, augment}
	withMomentum = []kind{funnel, egGain}
	augmented    = []kind{augment}
	adam         = []kind{funnelAdam}
	growing      = []kind{funnelAdam, augment}
)

// setting is a row of the table: an option with the one or two hyperparameters that it sets, or a
// hyperparameter without an option.
type setting struct {
	option  string   // its Go name; gorgonia.… if it is Gorgonia's; "" for none
	saved   []string // the hyperparameters' names in a checkpoint
	symbol  string
	meaning string
	domain  *domain
	value   []any          // the default
	others  map[kind][]any // the defaults of solvers with other ones
	takers  []kind         // the solvers that use it; others ignore it
	at      func(h *hyperparameters) []any

	// before is the value in files that lack the name: the behaviour of versions from before the
	// hyperparameter existed. It is nil if every file has the name.
	before []any
}

// settings is the table of all hyperparameters. A new option is a row here, a field of
// hyperparameters, and the function that sets it.
var settings = []setting{
	{option: "gorgonia.WithLearnRate", saved: []string{"learn_rate"}, symbol: "η", meaning: "the unit that the scale is counted in; the base step size where ρ is 0",
		domain: finiteFromZero, value: []any{0.001}, takers: withGradient, at: func(h *hyperparameters) []any { return []any{&h.learnRate} }},
	{option: "gorgonia.WithMomentum", saved: []string{"momentum"}, symbol: "μ", meaning: "decay of the velocity",
		domain: belowOne, value: []any{0.9}, others: map[kind][]any{egGain: {0.0}}, takers: withMomentum, at: func(h *hyperparameters) []any { return []any{&h.momentum} }},
	{option: "gorgonia.WithBeta1", saved: []string{"beta1"}, symbol: "β1", meaning: "decay of the first moment",
		domain: belowOne, value: []any{0.9}, takers: adam, at: func(h *hyperparameters) []any { return []any{&h.beta1} }},
	{option: "gorgonia.WithBeta2", saved: []string{"beta2"}, symbol: "β2", meaning: "decay of the second moment",
		domain: belowOne, value: []any{0.999}, takers: adam, at: func(h *hyperparameters) []any { return []any{&h.beta2} }},
	{option: "gorgonia.WithEps", saved: []string{"eps"}, symbol: "ε", meaning: "added to the root of the second moment",
		domain: finiteFromZero, value: []any{1e-8}, takers: adam, at: func(h *hyperparameters) []any { return []any{&h.eps} }},
	{option: "WithGradientDecay", saved: []string{"gradient_decay"}, symbol: "β", meaning: "decay of the gradient average",
		domain: belowOne, value: []any{0.9}, others: map[kind][]any{egGain: {0.0}}, takers: withMomentum, at: func(h *hyperparameters) []any { return []any{&h.gradientDecay} }},
	{option: "WithMomentumWarmup", saved: []string{"momentum_warmup"}, symbol: "f", meaning: "share of μ or β1 that a warm-up does without",
		domain: belowOne, value: []any{0.25}, others: map[kind][]any{egGain: {0.0}}, before: []any{0.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.momentumWarmup} }},
	{option: "WithGainRate", saved: []string{"gain_rate"}, symbol: "γp", meaning: "step size of the gains' update",
		domain: finiteFromZero, value: []any{0.01}, others: map[kind][]any{funnel: {0.025}, funnelAdam: {0.02}}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.gainRate} }},
	{option: "WithGainDecay", saved: []string{"gain_decay"}, symbol: "λ", meaning: "share of the way that gains go back to 1 at every step",
		domain: belowOne, value: []any{0.01}, others: map[kind][]any{funnelAdam: {0.015}, egGain: {0.0}}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.gainDecay} }},
	{option: "WithScaleRate", saved: []string{"scale_rate"}, symbol: "γs", meaning: "step size of the scale's update; 0 leaves the scale as it is, 1 at the start",
		domain: finiteFromZero, value: []any{0.05}, others: map[kind][]any{funnel: {0.02}, egGain: {0.0}, augment: {0.03}}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.scaleRate} }},
	{option: "WithScaleWarmup", saved: []string{"warmup_rate", "warmup_steps"}, symbol: "γw, τ", meaning: "what is added to γs at first, and for how many steps",
		domain: rateAndSteps, value: []any{0.5, 30.0}, others: map[kind][]any{funnelAdam: {0.4, 20.0}, augment: {0.4, 30.0}}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.warmupRate, &h.warmupSteps} }},
	{option: "WithInitialStep", saved: []string{"initial_step"}, symbol: "ρ", meaning: "length of the first step, relative to the parameters'",
		domain: finiteFromZero, value: []any{0.01}, others: map[kind][]any{funnelAdam: {0.03}, augment: {0.02}}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.initialStep} }},
	{option: "WithMaxStep", saved: []string{"max_step"}, symbol: "c_max", meaning: "length of the longest step, relative to the parameters'; 0 sets no limit",
		domain: finiteFromZero, value: []any{0.05}, others: map[kind][]any{funnelAdam: {0.035}, augment: {0.1}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.maxStep} }},
	{option: "WithScaleFloor", saved: []string{"scale_floor"}, symbol: "κ", meaning: "fraction of its own mean so far that the scale stays above",
		domain: belowOne, value: []any{0.25}, others: map[kind][]any{augment: {0.2}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.scaleFloor} }},
	{option: "WithNoiseCorrection", saved: []string{"noise_correction"}, symbol: "k", meaning: "how much of what noise adds to the scale is taken off again",
		domain: finiteFromZero, value: []any{1.0}, others: map[kind][]any{funnelAdam: {0.6}, augment: {0.3}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.noiseCorrection} }},
	{option: "WithNoiseLimit", saved: []string{"noise_limit"}, symbol: "c_k", meaning: "the size up to which a signal counts as noise there",
		domain: aboveZero, value: []any{0.3}, before: []any{signalLimit}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.noiseLimit} }},
	{option: "WithGradientGrowth", saved: []string{"gradient_growth"}, symbol: "h", meaning: "how many times its largest size so far the gradient may have before the scale falls as it grows; 0 for any",
		domain: zeroOrFromOne, value: []any{1.5}, others: map[kind][]any{funnelAdam: {0.0}, augment: {0.0}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.gradientGrowth} }},
	{option: "WithScaleRestart", saved: []string{"scale_restart"}, symbol: "n", meaning: "how many times the usual size signals have to be for the warm-up to begin again; 0 for never",
		domain: finiteFromZero, value: []any{3.0}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.restart} }},
	{option: "WithSignalPooling", saved: []string{"signal_pooling"}, symbol: "n0", meaning: "elements from which on a parameter's scale follows its own signal more than the mean of all; 0 for its own alone",
		domain: finiteFromZero, value: []any{1.0}, others: map[kind][]any{augment: {100.0}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.pooling} }},
	{option: "WithStepAverage", saved: []string{"step_average"}, symbol: "β_u", meaning: "decay of the step average, the direction of the signal after the warm-up; 0 for the last step alone",
		domain: belowOne, value: []any{0.99}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.stepAverage} }},
	{option: "WithGainBounds", saved: []string{"gain_min", "gain_max"}, symbol: "", meaning: "where every gain stays",
		domain: bounds, value: []any{0.01, 100.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.gainMin, &h.gainMax} }},
	{option: "WithScaleBounds", saved: []string{"scale_min", "scale_max"}, symbol: "", meaning: "where the scale stays",
		domain: bounds, value: []any{1e-30, 1e30}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.scaleMin, &h.scaleMax} }},
	{option: "WithGainSignal", saved: []string{"gain_signal"}, symbol: "", meaning: "what the gains adapt to",
		domain: signals, value: []any{Normalized}, others: map[kind][]any{egGain: {Raw}}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.gainSignal} }},
	{option: "WithScaleSignal", saved: []string{"scale_signal"}, symbol: "", meaning: "what the scale adapts to",
		domain: scaleSignals, value: []any{Relative}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.scaleSignal} }},
	{option: "WithScaleScope", saved: []string{"scale_scope"}, symbol: "", meaning: "one scale for all parameters, or one for each",
		domain: scopes, value: []any{PerParameter}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.scope} }},
	{option: "WithBiasCorrection", saved: []string{"bias_correction"}, symbol: "", meaning: "corrects the gradient average of the raw gain signal; cannot be switched off",
		domain: truth, value: []any{false}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.biasCorrection} }},
	{option: "gorgonia.WithBatchSize", saved: []string{"batch_size"}, symbol: "", meaning: "divides the gradient, if above 1",
		domain: finite, value: []any{1.0}, takers: withGradient, at: func(h *hyperparameters) []any { return []any{&h.batch} }},
	{option: "gorgonia.WithClip", saved: []string{"clip"}, symbol: "", meaning: "clips every coordinate of the gradient; 0 does not",
		domain: fromZero, value: []any{0.0}, takers: withGradient, at: func(h *hyperparameters) []any { return []any{&h.clip} }},
	{option: "gorgonia.WithL1Reg", saved: []string{"l1"}, symbol: "", meaning: "adds l1 sign(θ) to the gradient",
		domain: finiteFromZero, value: []any{0.0}, takers: withGradient, at: func(h *hyperparameters) []any { return []any{&h.l1} }},
	{option: "gorgonia.WithL2Reg", saved: []string{"l2"}, symbol: "", meaning: "adds l2 θ to the gradient",
		domain: finiteFromZero, value: []any{0.0}, takers: withGradient, at: func(h *hyperparameters) []any { return []any{&h.l2} }},

	// without an option: files from earlier versions keep their behaviour
	{saved: []string{"settled_gains"}, meaning: "whether gains ignore steps too short to change their value; false in files from earlier versions",
		domain: truth, value: []any{true}, others: map[kind][]any{egGain: {false}}, before: []any{false}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.settled} }},
	{saved: []string{"max_step_firm"}, meaning: "whether the longest step overrides the floor; false in files from earlier versions",
		domain: truth, value: []any{true}, before: []any{false}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.firm} }},
	{saved: []string{"max_step_each"}, meaning: "whether the longest step applies to each of the parameters that share a scale, not to all together; false in files from earlier versions",
		domain: truth, value: []any{false}, others: map[kind][]any{augment: {true}}, before: []any{false}, takers: augmented, at: func(h *hyperparameters) []any { return []any{&h.capEach} }},
	{saved: []string{"max_step_mean"}, meaning: "fraction of the model's root mean square that each value counts as at least, for the longest step; 0 in files from earlier versions",
		domain: finiteFromZero, value: []any{0.5}, others: map[kind][]any{augment: {0.0}}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.meanShare} }},
	{saved: []string{"value_spread"}, meaning: "limit of the model's root mean square, relative to the smallest parameter's, for the longest step, and of a parameter's first step, relative to its own length; 0, as in files from earlier versions, sets no limit",
		domain: finiteFromZero, value: []any{30.0}, before: []any{0.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.valueSpread} }},
	{saved: []string{"free_growth"}, meaning: "root mean square of a parameter up to which the longest step grows with it even if all gradients have grown; 0, as in files from earlier versions, sets no limit",
		domain: finiteFromZero, value: []any{0.3}, others: map[kind][]any{augment: {0.0}}, before: []any{0.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.freeGrowth} }},
	{saved: []string{"max_step_foreseen"}, meaning: "whether the mean of the scale falls to the longest step's scale, and a FunnelAdam's longest step allows for a suddenly larger gradient; false in files from earlier versions",
		domain: truth, value: []any{true}, others: map[kind][]any{augment: {false}}, before: []any{false}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.foreseen} }},
	{saved: []string{"mean_fall"}, meaning: "fraction by which that mean falls in one step at most; 1 in files from earlier versions",
		domain: aboveZero, value: []any{0.01}, others: map[kind][]any{funnelAdam: {1.0}}, before: []any{1.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.meanFall} }},
	{saved: []string{"scale_floor_geometric"}, meaning: "whether the floor is a fraction of the scale's geometric mean, not the arithmetic; false in files from earlier versions",
		domain: truth, value: []any{true}, others: map[kind][]any{augment: {false}}, before: []any{false}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.geometric} }},
	{saved: []string{"scale_floor_raised"}, meaning: "whether a FunnelAdam's floor is up to twice as high where signals have long been below −0.1; false in files from earlier versions",
		domain: truth, value: []any{false}, others: map[kind][]any{funnelAdam: {true}}, before: []any{false}, takers: adam, at: func(h *hyperparameters) []any { return []any{&h.raisedFloor} }},
	{saved: []string{"noise_correction_steps"}, meaning: "steps after which the noise correction reaches half of k; 0 for k at once, as in all files but an Augmented's and those of a FunnelAdam from before noise_correction_gate",
		domain: finiteFromZero, value: []any{0.0}, others: map[kind][]any{augment: {1000.0}}, before: []any{0.0}, takers: growing, at: func(h *hyperparameters) []any { return []any{&h.noiseSteps} }},
	{saved: []string{"noise_correction_gate"}, meaning: "mean cosine of the gradient along the step average above which there is no noise correction; 0, as in files from earlier versions, for always",
		domain: finiteFromZero, value: []any{0.04}, others: map[kind][]any{augment: {0.0}}, before: []any{0.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.noiseGate} }},
	{saved: []string{"least_gradient"}, meaning: "fraction of its largest size since step τ below which the gradient raises no scale; 0 in files from earlier versions",
		domain: belowOne, value: []any{1e-5}, others: map[kind][]any{augment: {0.0}}, before: []any{0.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.leastGradient} }},
	{saved: []string{"prompt_restart"}, meaning: "whether a single signal after a large gradient also restarts the warm-up, and a restart raises the scale towards its mean; false in files from earlier versions",
		domain: truth, value: []any{true}, others: map[kind][]any{augment: {false}}, before: []any{false}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.prompt} }},
	{saved: []string{"restart_lift"}, meaning: "factor of the warm-up's weight, limited to 1, when a restart raises the scale towards its mean; 1 in files from earlier versions",
		domain: finiteFromZero, value: []any{1.0}, others: map[kind][]any{funnelAdam: {2.0}}, before: []any{1.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.lift} }},
	{saved: []string{"restart_once"}, meaning: "whether a restart raises the scale in its first step only, towards the geometric mean of its means outside of and in warm-ups; if false, as in files from earlier versions, in all its steps, towards the mean outside",
		domain: truth, value: []any{true}, others: map[kind][]any{augment: {false}}, before: []any{false}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.once} }},
	{saved: []string{"scale_pooling"}, meaning: "how far a step draws a FunnelAdam's scale towards the mean of all scales, relative to how far its signal is drawn towards that of all signals; 0 except in files from one earlier version, 0.1",
		domain: belowOne, value: []any{0.0}, before: []any{0.0}, takers: adam, at: func(h *hyperparameters) []any { return []any{&h.scalePooling} }},
	{saved: []string{"longer_average"}, meaning: "factor by which the step average grows longer as steps are made; 0, as in files from earlier versions, for a fixed length",
		domain: zeroOrFromOne, value: []any{10.0}, others: map[kind][]any{augment: {0.0}}, before: []any{0.0}, takers: withGains, at: func(h *hyperparameters) []any { return []any{&h.longerAverage} }},
	{saved: []string{"average_weight"}, meaning: "weight of a step in the step average, relative to 1−β_u; 1 in files from earlier versions",
		domain: aboveZero, value: []any{3.0}, others: map[kind][]any{augment: {2.2}}, before: []any{1.0}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.averageWeight} }},
	{saved: []string{"average_opposed"}, meaning: "whether the last step does not count where gradients have long been against the step average; false in files from earlier versions",
		domain: truth, value: []any{true}, before: []any{false}, takers: withScale, at: func(h *hyperparameters) []any { return []any{&h.opposed} }},
	{saved: []string{"smooth_average"}, meaning: "whether the step average is of smoothed steps, and is the signal's direction also in warm-ups; false in files from earlier versions",
		domain: truth, value: []any{false}, others: map[kind][]any{augment: {true}}, before: []any{false}, takers: augmented, at: func(h *hyperparameters) []any { return []any{&h.smooth} }},
}

// defaultOf returns the default for one kind of solver.
func (s *setting) defaultOf(k kind) []any {
	if v, ok := s.others[k]; ok {
		return v
	}
	return s.value
}

// valuesOf returns the values in h.
func (s *setting) valuesOf(h *hyperparameters) []any {
	values := s.at(h)
	for i, p := range values {
		switch p := p.(type) {
		case *float64:
			values[i] = *p
		case *Signal:
			values[i] = *p
		case *Scope:
			values[i] = *p
		case *bool:
			values[i] = *p
		}
	}
	return values
}

// set sets the values in h.
func (s *setting) set(h *hyperparameters, values []any) {
	for i, p := range s.at(h) {
		switch p := p.(type) {
		case *float64:
			*p = values[i].(float64)
		case *Signal:
			*p = values[i].(Signal)
		case *Scope:
			*p = values[i].(Scope)
		case *bool:
			*p = values[i].(bool)
		}
	}
}

// name is the option's name in errors.
func (s *setting) name() string {
	return strings.TrimPrefix(cmp.Or(s.option, s.saved[0]), "gorgonia.")
}

// plain returns a single value as itself, and two numbers as an array.
func plain(values []any) any {
	if len(values) == 1 {
		return values[0]
	}
	return [2]float64{values[0].(float64), values[1].(float64)}
}
