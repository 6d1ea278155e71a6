package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/gorgoniastate"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// A new solver is one row in kinds, and a new option one key.

// Default is the list of solvers that a sweep compares unless told otherwise.
const Default = "funnel,funneladam,adam,momentum"

// DefaultLearnRate is the learning rate of every solver that is given none.
const DefaultLearnRate = 0.001

// augment is written before the name of the inner solver.
const augment = "augment:inner="

// kind is a sort of solver and the keys it takes.
type kind struct {
	name string
	keys []*key
	make func(...gorgonia.SolverOpt) gorgonia.Solver
}

var (
	lr       = number("lr", gorgonia.WithLearnRate)
	momentum = below1("momentum", gorgonia.WithMomentum)
	batch    = positive("batch-size", gorgonia.WithBatchSize)
	clip     = number("clip", gorgonia.WithClip)
	l1       = number("l1", gorgonia.WithL1Reg)
	l2       = number("l2", gorgonia.WithL2Reg)
	decay    = word("decay", nothingFor(decays))

	beta1 = below1("beta1", gorgonia.WithBeta1)
	beta2 = below1("beta2", gorgonia.WithBeta2)
	eps   = number("eps", gorgonia.WithEps)

	objective = []*key{batch, clip, l1, l2}

	// The keys of a learned scale, which Augment takes too.
	scale = around(
		number("scale-rate", solver.WithScaleRate),
		pair("scale-warmup", "RATE", "/", "STEPS", solver.WithScaleWarmup),
		number("initial-step", solver.WithInitialStep),
		number("max-step", solver.WithMaxStep),
		below1("scale-floor", solver.WithScaleFloor),
		number("noise-correction", solver.WithNoiseCorrection),
		positive("noise-limit", solver.WithNoiseLimit),
		number("gradient-growth", solver.WithGradientGrowth),
		number("scale-restart", solver.WithScaleRestart),
		number("signal-pooling", solver.WithSignalPooling),
		below1("step-average", solver.WithStepAverage),
		bounds("scale-bounds", solver.WithScaleBounds),
		word("scale-signal", map[string]gorgonia.SolverOpt{
			"relative":   solver.WithScaleSignal(solver.Relative),
			"normalized": solver.WithScaleSignal(solver.Normalized),
			"raw":        solver.WithScaleSignal(solver.Raw),
		}),
		word("scope", map[string]gorgonia.SolverOpt{
			"global": solver.WithScaleScope(solver.Global), "parameter": solver.WithScaleScope(solver.PerParameter),
		}),
	)
	// The keys of learned gains.
	gains = []*key{
		below1("momentum-warmup", solver.WithMomentumWarmup),
		number("gain-rate", solver.WithGainRate),
		below1("gain-decay", solver.WithGainDecay),
		bounds("gain-bounds", solver.WithGainBounds),
		signal("gain-signal", solver.WithGainSignal),
		both(signal("signals", func(s solver.Signal) gorgonia.SolverOpt {
			return func(f gorgonia.Solver) { solver.WithGainSignal(s)(f); solver.WithScaleSignal(s)(f) }
		})),
		both(word("paper-step", map[string]gorgonia.SolverOpt{
			"on": solver.WithPaperStep(), "off": func(gorgonia.Solver) {},
		})),
		word("bias-correction", map[string]gorgonia.SolverOpt{
			"on": solver.WithBiasCorrection(), "off": func(gorgonia.Solver) {},
		}),
	}

	funnel = slices.Concat([]*key{lr, decay, momentum, below1("gradient-decay", solver.WithGradientDecay)}, gains, scale, objective)
)

var kinds = []*kind{
	{"funnel", funnel, ours(solver.NewFunnel)},
	{"funneladam", slices.Concat([]*key{lr, decay, beta1, beta2, eps}, gains, scale, objective), ours(solver.NewFunnelAdam)},
	{"eggain", funnel, ours(solver.NewEGGain)},
	{"adam", slices.Concat([]*key{lr, decay, beta1, beta2, eps}, objective), gorgonias(gorgonia.NewAdamSolver)},
	{"momentum", slices.Concat([]*key{lr, decay, momentum}, objective), gorgonias(gorgonia.NewMomentum)},
	{"rmsprop", []*key{lr, decay, below1("rho", gorgonia.WithRho), eps, clip, l2}, gorgonias(gorgonia.NewRMSPropSolver)},
	{"vanilla", slices.Concat([]*key{lr, decay}, objective), gorgonias(gorgonia.NewVanillaSolver)},
}

// gorgonias turns one of Gorgonia's constructors into a kind's make.
func gorgonias[S gorgonia.Solver](constructor func(...gorgonia.SolverOpt) S) func(...gorgonia.SolverOpt) gorgonia.Solver {
	return func(opts ...gorgonia.SolverOpt) gorgonia.Solver { return gorgoniastate.New(constructor(opts...)) }
}

// ours turns one of our constructors into a kind's make.
func ours[S gorgonia.Solver](constructor func(...gorgonia.SolverOpt) S) func(...gorgonia.SolverOpt) gorgonia.Solver {
	return func(opts ...gorgonia.SolverOpt) gorgonia.Solver { return constructor(opts...) }
}

// Adapts tells whether a solver of this name, with or without a learned scale
// around it, learns its step sizes.
func Adapts(name string) bool {
	if strings.HasPrefix(name, augment) {
		return true
	}
	i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
	if i < 0 {
		return false
	}
	_, ok := kinds[i].make().(solver.Adaptive)
	return ok
}

// Names returns the names of all kinds.
func Names() []string {
	var ns []string
	for _, k := range kinds {
		ns = append(ns, k.name)
	}
	return ns
}

// augmentedKeys are the keys of a kind with a learned scale around it.
func (k *kind) augmentedKeys() []*key {
	keys := slices.Clone(k.keys)
	for _, key := range scale {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

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

// usage writes a solver's name and keys, in lines of at most 80 characters.
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
