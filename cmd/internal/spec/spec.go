// Package spec makes gorgonia.Solvers from specifications such as "funnel",
// "adam:lr=0.003" or "augment:inner=rmsprop:scope=parameter".
package spec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/suggest"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Spec is one solver to run: its kind and its settings.
type Spec struct {
	Text      string            // as the user wrote it
	Name      string            // of the kind, after augment:inner= if there is a scale around it
	Settings  map[string]string // those that the user gave
	kind      *kind
	augmented bool
	inner     []gorgonia.SolverOpt // of the kind's constructor
	outer     []gorgonia.SolverOpt // of Augment
}

// Parse parses a comma-separated list of specifications. Two equal ones are an
// error.
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

// Vary returns a list of specifications: each solver in list with each value of a
// key.
func Vary(list, key string, values []string) string {
	var all []string
	for _, text := range strings.Split(list, ",") {
		for _, v := range values {
			all = append(all, strings.TrimSpace(text)+":"+key+"="+strings.TrimSpace(v))
		}
	}
	return strings.Join(all, ",")
}

// parse reads name[:key=value]...
func parse(text string) (Spec, error) {
	name, augmented := strings.CutPrefix(text, augment)
	name, settings, some := strings.Cut(name, ":")
	i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
	switch {
	case !augmented && name == "augment":
		return Spec{}, fmt.Errorf("solver %q: inner=NAME comes first, as in %sadam:lr=1", text, augment)
	case i < 0:
		return Spec{}, unknown(name)
	}
	s := Spec{Text: text, Name: name, Settings: map[string]string{}, kind: kinds[i], augmented: augmented}
	if augmented {
		s.Name = augment + name
	}
	if some {
		for _, setting := range strings.Split(settings, ":") {
			if err := s.set(setting); err != nil {
				return Spec{}, err
			}
		}
	}
	return s, s.check()
}

// unknown returns the error for an unknown name.
func unknown(name string) error {
	if name == "" {
		return fmt.Errorf("the name of a solver is missing; known are %s, and %sNAME of each", strings.Join(Names(), ", "), augment)
	}
	end := suggest.Meant(name, "known are", Names())
	if !strings.HasSuffix(end, "?") {
		end += fmt.Sprintf(", and %sNAME of each", augment)
	}
	return fmt.Errorf("unknown solver %q%s", name, end)
}

// keys returns the keys that the solver takes.
func (s *Spec) keys() []*key {
	if s.augmented {
		return s.kind.augmentedKeys()
	}
	return s.kind.keys
}

func (s *Spec) set(setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("solver %q: %q is not a setting; write key=value", s.Text, setting)
	}
	keys := s.keys()
	i := slices.IndexFunc(keys, func(k *key) bool { return k.name == name })
	if i < 0 {
		known, takes := keyNames(keys), s.Name+" takes"
		end := suggest.Meant(name, takes, known)
		if slices.ContainsFunc(kinds, func(k *kind) bool { return slices.Contains(keyNames(k.keys), name) }) {
			end = "; " + takes + " " + strings.Join(known, ", ") // another solver's key, not a misspelt one
		}
		return fmt.Errorf("solver %q: unknown key %q%s", s.Text, name, end)
	}
	if _, twice := s.Settings[name]; twice {
		return fmt.Errorf("solver %q: %s is set twice", s.Text, name)
	}
	option, err := keys[i].read(value)
	if err != nil {
		return fmt.Errorf("solver %q: %s: %w", s.Text, name, err)
	}
	s.Settings[name] = value
	if s.augmented && keys[i].outer {
		s.outer = append(s.outer, option)
	}
	if !s.augmented || keys[i].inner {
		s.inner = append(s.inner, option)
	}
	return nil
}

func keyNames(keys []*key) []string {
	var ns []string
	for _, k := range keys {
		ns = append(ns, k.name)
	}
	return ns
}

// check returns an error for a hyperparameter out of range.
func (s *Spec) check() error {
	whole, inner := s.make()
	err := apply(inner)
	if err == nil {
		err = apply(whole)
	}
	if err != nil {
		return fmt.Errorf("solver %q: %w", s.Text, s.inKeys(err))
	}
	return nil
}

// inKeys rewords an error about an option to name the key that sets it.
func (s *Spec) inKeys(err error) error {
	wrong := new(solver.HyperparameterError)
	if !errors.As(err, &wrong) {
		return err
	}
	for _, k := range s.keys() {
		if value, set := s.Settings[k.name]; set && k.option() == strings.TrimPrefix(wrong.Option, "gorgonia.") {
			return fmt.Errorf("%s: %q is not %s", k.name, value, wrong.Want)
		}
	}
	return err
}

// make returns the solver without its decay, and the one that takes the options of
// its kind: the solver itself or, with Augment around it, the inner one.
func (s *Spec) make() (whole, inner gorgonia.Solver) {
	inner = s.kind.make(s.inner...)
	if s.augmented {
		return solver.Augment(inner, s.outer...), inner
	}
	return inner, inner
}

// New makes a solver that has learned nothing yet. Call [Pace] before each of its steps.
func (s *Spec) New() gorgonia.Solver {
	whole, inner := s.make()
	if factor, ok := decays[s.Settings["decay"]]; ok {
		return &decaying{whole, inner, s.LearnRate(), factor}
	}
	return whole
}

// LearnRate is the learning rate that was given, or the default.
func (s *Spec) LearnRate() float64 {
	if text, ok := s.Settings["lr"]; ok {
		x, _ := strconv.ParseFloat(text, 64) // set has checked it
		return x
	}
	return DefaultLearnRate
}
