package solver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"gorgonia.org/gorgonia"
)

// hyperparameters are what the options of all solvers set. settings.go describes each of them.
type hyperparameters struct {
	learnRate, batch, clip, l1, l2 float64
	momentum, beta1, beta2, eps    float64

	momentumWarmup          float64
	gainRate, gainDecay     float64
	gradientDecay           float64
	gainMin, gainMax        float64
	scaleRate               float64
	warmupRate, warmupSteps float64
	initialStep, maxStep    float64
	scaleFloor              float64
	noiseCorrection         float64
	noiseLimit              float64
	gradientGrowth          float64
	restart                 float64
	pooling                 float64
	stepAverage             float64
	scaleMin, scaleMax      float64
	gainSignal, scaleSignal Signal
	scope                   Scope
	biasCorrection          bool

	// without an option; they differ only in files from earlier versions and between solvers
	settled         bool
	firm, capEach   bool
	meanShare       float64
	valueSpread     float64
	freeGrowth      float64
	foreseen        bool
	meanFall        float64
	geometric       bool
	raisedFloor     bool
	noiseSteps      float64
	noiseGate       float64
	leastGradient   float64
	prompt, once    bool
	lift            float64
	scalePooling    float64
	longerAverage   float64
	averageWeight   float64
	opposed, smooth bool
}

// defaults returns the hyperparameters of a solver without options.
func defaults(k kind) (h hyperparameters) {
	for i := range settings {
		settings[i].set(&h, settings[i].defaultOf(k))
	}
	return h
}

// bounds returns the bounds of gains and scales.
func (h *hyperparameters) bounds() [4]float64 {
	return [4]float64{h.gainMin, h.gainMax, h.scaleMin, h.scaleMax}
}

// with returns h with opts applied, ours and Gorgonia's. A nil option is skipped, and is an error.
func (h hyperparameters) with(opts []gorgonia.SolverOpt) (changed hyperparameters, err error) {
	d := &draft{h}
	for i, opt := range opts {
		if opt == nil {
			err = &HyperparameterError{fmt.Sprintf("option number %d", i+1), nil, "an option, not nil"}
			continue
		}
		opt(d)
		d.readGorgonia(opt)
	}
	return d.hyperparameters, err
}

// check refuses a value that is invalid for this kind of solver.
func (h *hyperparameters) check(k kind) error {
	for i := range settings {
		s := &settings[i]
		if values := s.valuesOf(h); slices.Contains(s.takers, k) && !s.domain.has(values) {
			return &HyperparameterError{s.name(), plain(values), s.domain.words}
		}
	}
	return nil
}

// save returns the hyperparameters as a checkpoint has them. Signals and scopes are saved as the
// numbers of their constants.
func (h *hyperparameters) save() (map[string]json.RawMessage, error) {
	texts := map[string]json.RawMessage{}
	for i := range settings {
		s := &settings[i]
		if s.before != nil && slices.Equal(s.valuesOf(h), s.before) {
			continue
		}
		for k, p := range s.at(h) {
			text, err := json.Marshal(inJSON(p))
			if err != nil {
				return nil, err
			}
			texts[s.saved[k]] = text
		}
	}
	return texts, nil
}

func inJSON(p any) any {
	if x, ok := p.(*float64); ok {
		return (*checkpoint.Number)(x)
	}
	return p
}

// restoreHyperparameters is the inverse of save, for one kind of solver.
func restoreHyperparameters(texts map[string]json.RawMessage, k kind) (h hyperparameters, err error) {
	unread := maps.Clone(texts)
	for i := range settings {
		s := &settings[i]
		if s.before != nil {
			s.set(&h, s.before)
		}
		for j, p := range s.at(&h) {
			name := s.saved[j]
			text, ok := unread[name]
			switch delete(unread, name); {
			case !ok && s.before != nil:
				continue
			case len(text) == 0 || bytes.Equal(text, []byte("null")):
				return h, fmt.Errorf("%w: its solver has no %s", ErrCorrupt, name)
			}
			if err := json.Unmarshal(text, inJSON(p)); err != nil {
				return h, fmt.Errorf("%w: %s: %w", ErrCorrupt, name, err)
			}
		}
	}
	if names := slices.Sorted(maps.Keys(unread)); len(names) > 0 {
		return h, fmt.Errorf("%w: its solver has a hyperparameter %q, which is not known here", ErrVersion, names[0])
	}
	if err := h.check(k); err != nil {
		return h, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return h, nil
}
