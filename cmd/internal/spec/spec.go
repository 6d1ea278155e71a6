// Package solvers makes gorgonia.Solvers out of specifications such as
// "funnel", "adam:lr=0.003" or "augment:inner=rmsprop:scope=parameter".
package solvers

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Spec is one solver to run: a kind of solver and its settings.
type Spec struct {
	Text     string            // as the user wrote it
	Name     string            // of the kind
	Settings map[string]string // those that the user gave
	options  []gorgonia.SolverOpt
	kind     *kind
}

// kind is a sort of solver and the settings it takes.
type kind struct {
	name string
	keys []*key
	make func(...gorgonia.SolverOpt) gorgonia.Solver
}

// key is a setting. Its read makes an option out of the text behind the =.
type key struct {
	name, values string
	read         func(text string) (gorgonia.SolverOpt, error)
}

var (
	lr       = number("lr", gorgonia.WithLearnRate)
	momentum = share("momentum", gorgonia.WithMomentum)
	batch    = positive("batch-size", gorgonia.WithBatchSize)
	clip     = number("clip", gorgonia.WithClip)
	l1       = number("l1", gorgonia.WithL1Reg)
	l2       = number("l2", gorgonia.WithL2Reg)
	decay    = word("decay", nothingFor(decays))

	beta1 = share("beta1", gorgonia.WithBeta1)
	beta2 = share("beta2", gorgonia.WithBeta2)
	eps   = number("eps", gorgonia.WithEps)

	objective = []*key{batch, clip, l1, l2}

	// of a learned scale
	scale = []*key{
		number("scale-rate", solver.WithScaleRate),
		pair("scale-warmup", "RATE", "/", "STEPS", solver.WithScaleWarmup),
		number("initial-step", solver.WithInitialStep),
		bounds("scale-bounds", solver.WithScaleBounds),
		signal("scale-signal", solver.WithScaleSignal),
		word("scope", map[string]gorgonia.SolverOpt{
			"global": solver.WithScaleScope(solver.Global), "parameter": solver.WithScaleScope(solver.PerParameter),
		}),
	}
	// of learned gains beside it
	gains = []*key{
		number("gain-rate", solver.WithGainRate),
		share("gain-decay", solver.WithGainDecay),
		bounds("gain-bounds", solver.WithGainBounds),
		signal("gain-signal", solver.WithGainSignal),
		signal("signals", func(s solver.Signal) gorgonia.SolverOpt {
			return func(f gorgonia.Solver) { solver.WithGainSignal(s)(f); solver.WithScaleSignal(s)(f) }
		}),
		word("paper-step", map[string]gorgonia.SolverOpt{
			"on": solver.WithPaperStep(), "off": func(gorgonia.Solver) {},
		}),
		word("bias-correction", map[string]gorgonia.SolverOpt{
			"on": solver.WithBiasCorrection(), "off": func(gorgonia.Solver) {},
		}),
	}

	funnel = slices.Concat([]*key{lr, decay, momentum, share("gradient-decay", solver.WithGradientDecay)}, gains, scale, objective)
)

var kinds = []*kind{
	{"funnel", funnel, func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnel(o...) }},
	{"funneladam", slices.Concat([]*key{lr, decay, beta1, beta2, eps}, gains, scale, objective),
		func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnelAdam(o...) }},
	{"eggain", funnel, func(o ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewEGGain(o...) }},
	{"adam", slices.Concat([]*key{lr, decay, beta1, beta2, eps}, objective),
		func(o ...gorgonia.SolverOpt) gorgonia.Solver { return &gorgonias{Solver: gorgonia.NewAdamSolver(o...)} }},
	{"momentum", slices.Concat([]*key{lr, decay, momentum}, objective),
		func(o ...gorgonia.SolverOpt) gorgonia.Solver { return &gorgonias{Solver: gorgonia.NewMomentum(o...)} }},
	{"rmsprop", []*key{lr, decay, share("rho", gorgonia.WithRho), eps, clip, l2},
		func(o ...gorgonia.SolverOpt) gorgonia.Solver {
			return &gorgonias{Solver: gorgonia.NewRMSPropSolver(o...)}
		}},
	{"vanilla", slices.Concat([]*key{lr, decay}, objective),
		func(o ...gorgonia.SolverOpt) gorgonia.Solver {
			return &gorgonias{Solver: gorgonia.NewVanillaSolver(o...)}
		}},
}

// augmented is any of the kinds with a learned scale around it. The keys of a
// scale are that one's, all others the kind's.
func augmented(inner *kind) *kind {
	keys := slices.Clone(inner.keys)
	for _, k := range scale {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return &kind{augment + inner.name, keys, func(o ...gorgonia.SolverOpt) gorgonia.Solver {
		return solver.Augment(inner.make(), o...)
	}}
}

// augment is written before a kind's name.
const augment = "augment:inner="

// Parse reads a list of specifications, separated by commas. None may stand
// there twice.
func Parse(list string) ([]Spec, error) {
	var specs []Spec
	for _, text := range strings.Split(list, ",") {
		text = strings.TrimSpace(text)
		s, err := parse(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(specs, func(t Spec) bool { return t.Text == text }) {
			return nil, fmt.Errorf("solver %q is given twice", text)
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// parse reads name[:key=value]…
func parse(text string) (Spec, error) {
	name, isAugmented := strings.CutPrefix(text, augment)
	name, settings, some := strings.Cut(name, ":")
	i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
	switch {
	case !isAugmented && name == "augment":
		return Spec{}, fmt.Errorf("solver %q: inner=NAME comes first, as in %sadam:lr=1", text, augment)
	case i < 0:
		return Spec{}, fmt.Errorf("unknown solver %q; known are %s, and %sNAME of each", name, strings.Join(names(), ", "), augment)
	}
	s := Spec{Text: text, Settings: map[string]string{}, kind: kinds[i]}
	if isAugmented {
		s.kind = augmented(kinds[i])
	}
	s.Name = s.kind.name
	if some {
		for _, setting := range strings.Split(settings, ":") {
			if err := s.set(setting); err != nil {
				return Spec{}, err
			}
		}
	}
	return s, s.check()
}

func names() []string {
	var ns []string
	for _, k := range kinds {
		ns = append(ns, k.name)
	}
	return ns
}

func (s *Spec) set(setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("solver %q: %q is not a setting; write key=value", s.Text, setting)
	}
	i := slices.IndexFunc(s.kind.keys, func(k *key) bool { return k.name == name })
	if i < 0 {
		return fmt.Errorf("solver %q: unknown key %q; %s takes %s", s.Text, name, s.Name, strings.Join(s.kind.keyNames(), ", "))
	}
	if _, twice := s.Settings[name]; twice {
		return fmt.Errorf("solver %q: %s is set twice", s.Text, name)
	}
	option, err := s.kind.keys[i].read(value)
	if err != nil {
		return fmt.Errorf("solver %q: %s: %w", s.Text, name, err)
	}
	s.Settings[name] = value
	s.options = append(s.options, option)
	return nil
}

func (k *kind) keyNames() []string {
	var ns []string
	for _, key := range k.keys {
		ns = append(ns, key.name)
	}
	return ns
}

// check finds hyperparameters that are numbers but cannot be.
func (s *Spec) check() error {
	if ours, ok := s.kind.make(s.options...).(applier); ok {
		if err := ours.Apply(); err != nil {
			return fmt.Errorf("solver %q: %w", s.Text, err)
		}
	}
	return nil
}

// New makes a solver that has learned nothing yet. One whose learn rate decays
// has a method Pace(step, steps int) error, to be called before every step.
func (s *Spec) New() gorgonia.Solver {
	made := s.kind.make(s.options...)
	if factor, ok := decays[s.Settings["decay"]]; ok {
		return &decaying{made, s.LearnRate(), factor}
	}
	return made
}

// LearnRate is the base step size: the one given, or Gorgonia's and our default.
func (s *Spec) LearnRate() float64 {
	if text, ok := s.Settings["lr"]; ok {
		x, _ := strconv.ParseFloat(text, 64) // set has read it before
		return x
	}
	return DefaultLearnRate
}

// DefaultLearnRate is every solver's.
const DefaultLearnRate = 0.001

// Usage lists the solvers and their keys, for a help text.
func Usage() string {
	var b strings.Builder
	for _, k := range kinds {
		usage(&b, k.name, k.keys)
	}
	fmt.Fprintf(&b, "%sNAME puts a learned scale around any of these. It takes NAME's keys, and\n", augment)
	usage(&b, "", scale)
	return b.String() + usageOfDecay
}

// usage is a few lines of at most 80 characters.
func usage(b *strings.Builder, name string, keys []*key) {
	if name != "" {
		fmt.Fprintf(b, "  %s\n", name)
	}
	line := "       "
	for _, key := range keys {
		word := " " + key.name + "=" + key.values
		if len(line)+len(word) > 80 {
			b.WriteString(line + "\n")
			line = "       "
		}
		line += word
	}
	b.WriteString(line + "\n")
}

func number(name string, option func(float64) gorgonia.SolverOpt) *key {
	return &key{name, "X", func(text string) (gorgonia.SolverOpt, error) {
		x, err := parseNumber(text)
		return option(x), err
	}}
}

// share is a number below 1.
func share(name string, option func(float64) gorgonia.SolverOpt) *key {
	return within(name, option, "below 1", func(x float64) bool { return x < 1 })
}

// positive is a number above 0.
func positive(name string, option func(float64) gorgonia.SolverOpt) *key {
	return within(name, option, "above 0", func(x float64) bool { return x > 0 })
}

func within(name string, option func(float64) gorgonia.SolverOpt, where string, is func(float64) bool) *key {
	return &key{name, "X", func(text string) (gorgonia.SolverOpt, error) {
		x, err := parseNumber(text)
		if err == nil && !is(x) {
			err = fmt.Errorf("%q is not %s", text, where)
		}
		return option(x), err
	}}
}

func bounds(name string, option func(min, max float64) gorgonia.SolverOpt) *key {
	return pair(name, "MIN", "..", "MAX", option)
}

// pair is two numbers with a separator between them.
func pair(name, first, separator, second string, option func(a, b float64) gorgonia.SolverOpt) *key {
	form := first + separator + second
	return &key{name, form, func(text string) (gorgonia.SolverOpt, error) {
		before, after, ok := strings.Cut(text, separator)
		if !ok {
			return nil, fmt.Errorf("%q is not two numbers; write %s", text, form)
		}
		a, err := parseNumber(before)
		if err != nil {
			return nil, err
		}
		b, err := parseNumber(after)
		return option(a, b), err
	}}
}

// parseNumber reads what every setting can only be: finite and not below 0.
func parseNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
		return 0, fmt.Errorf("%q is not a finite number of at least 0", text)
	}
	return x, nil
}

func signal(name string, option func(solver.Signal) gorgonia.SolverOpt) *key {
	return word(name, map[string]gorgonia.SolverOpt{"raw": option(solver.Raw), "normalized": option(solver.Normalized)})
}

func word(name string, options map[string]gorgonia.SolverOpt) *key {
	var words []string
	for w := range options {
		words = append(words, w)
	}
	slices.Sort(words)
	return &key{name, strings.Join(words, "|"), func(text string) (gorgonia.SolverOpt, error) {
		option, ok := options[text]
		if !ok {
			return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
		}
		return option, nil
	}}
}
