package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// key is a setting. read turns the text after = into an option.
type key struct {
	name, values string
	read         func(text string) (gorgonia.SolverOpt, error)
	outer        bool // with Augment around the solver, the option is Augment's
	inner        bool // with Augment around the solver, the option is the inner solver's
}

// option returns the name of the option that the key sets.
func (k *key) option() string {
	switch k.name {
	case "lr":
		return "WithLearnRate"
	case "l1", "l2":
		return "With" + strings.ToUpper(k.name) + "Reg"
	case "scope":
		return "WithScaleScope"
	}
	option := "With"
	for _, word := range strings.Split(k.name, "-") {
		option += strings.ToUpper(word[:1]) + word[1:]
	}
	return option
}

// around marks keys whose option Augment takes in place of the inner solver.
func around(keys ...*key) []*key {
	for _, k := range keys {
		k.outer, k.inner = true, false
	}
	return keys
}

// both marks a key as Augment's and the inner solver's.
func both(k *key) *key {
	k.outer = true
	return k
}

func newKey(name, values string, read func(text string) (gorgonia.SolverOpt, error)) *key {
	return &key{name: name, values: values, read: read, inner: true}
}

func number(name string, option func(float64) gorgonia.SolverOpt) *key {
	return newKey(name, "X", func(text string) (gorgonia.SolverOpt, error) {
		x, err := parseNumber(text)
		return option(x), err
	})
}

// below1 is a key for a number from 0 to below 1.
func below1(name string, option func(float64) gorgonia.SolverOpt) *key {
	return within(name, option, "below 1", func(x float64) bool { return x < 1 })
}

// positive is a key for a number above 0.
func positive(name string, option func(float64) gorgonia.SolverOpt) *key {
	return within(name, option, "above 0", func(x float64) bool { return x > 0 })
}

func within(name string, option func(float64) gorgonia.SolverOpt, where string, is func(float64) bool) *key {
	return newKey(name, "X", func(text string) (gorgonia.SolverOpt, error) {
		x, err := parseNumber(text)
		if err == nil && !is(x) {
			err = fmt.Errorf("%q is not %s", text, where)
		}
		return option(x), err
	})
}

func bounds(name string, option func(min, max float64) gorgonia.SolverOpt) *key {
	return pair(name, "MIN", "..", "MAX", option)
}

// pair is a key for two numbers with a separator between them.
func pair(name, first, separator, second string, option func(a, b float64) gorgonia.SolverOpt) *key {
	form := first + separator + second
	return newKey(name, form, func(text string) (gorgonia.SolverOpt, error) {
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
	})
}

// parseNumber reads a finite number of at least 0.
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
	return newKey(name, strings.Join(words, "|"), func(text string) (gorgonia.SolverOpt, error) {
		option, ok := options[text]
		if !ok {
			return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
		}
		return option, nil
	})
}
