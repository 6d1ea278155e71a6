// Package bench trains many solvers on many problems, and makes a table of their
// scores.
package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/peer"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/suggest"
	"gorgonia.org/gorgonia"
)

// Contestant is one of the solvers that are compared.
type Contestant struct {
	Name string // the same for equal solvers, however they are written
	Text string // as the user wrote it
	New  func() gorgonia.Solver

	kind  string  // adam, momentum, …
	plain bool    // no settings other than a learning rate
	rate  float64 // the learning rate; 0 for one of peers
}

// peers are the solvers that need no learning rate and take no settings.
var peers = map[string]func() gorgonia.Solver{
	"dog": peer.NewDoG, "prodigy": peer.NewProdigy, "schedulefree": peer.NewScheduleFree,
}

// Peers returns the names of the solvers that only this command has.
func Peers() []string { return slices.Sorted(maps.Keys(peers)) }

// ParseContestants parses a comma-separated list of solvers, from peers or package
// spec. Two equal solvers are an error.
func ParseContestants(list string) ([]Contestant, error) {
	var all []Contestant
	for _, text := range strings.Split(list, ",") {
		c, err := parseContestant(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(all, func(o Contestant) bool { return o.Name == c.Name }); i >= 0 {
			return nil, fmt.Errorf("%q and %q are one solver; give only one of them", all[i].Text, c.Text)
		}
		all = append(all, c)
	}
	return all, nil
}

func parseContestant(text string) (Contestant, error) {
	name, settings, some := strings.Cut(text, ":")
	if create, ok := peers[name]; ok {
		if some {
			return Contestant{}, fmt.Errorf("solver %q: %s has no settings, such as %q", text, name, settings)
		}
		return Contestant{Name: text, Text: text, New: create, kind: name}, nil
	}
	specs, err := spec.Parse(text)
	if err != nil {
		if known := append(spec.Names(), Peers()...); name != "augment" && !slices.Contains(known, name) {
			return Contestant{}, fmt.Errorf("unknown solver %q%s", name, suggest.Meant(name, "known are", known))
		}
		return Contestant{}, err
	}
	s := specs[0]
	c := Contestant{Text: text, New: s.New, kind: s.Name, rate: s.LearnRate()}
	_, rated := s.Settings["lr"]
	c.plain = len(s.Settings) == 0 || len(s.Settings) == 1 && rated
	c.Name = canonical(s)
	return c, nil
}

// canonical returns the same text for equal solvers: lr=1e-3, lr=0.001 and the
// default are one.
func canonical(s spec.Spec) string {
	settings := maps.Clone(s.Settings)
	settings["lr"] = strconv.FormatFloat(s.LearnRate(), 'g', -1, 64)
	name := s.Name
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		name += ":" + key + "=" + results.Canonical(settings[key])
	}
	return name
}
