// Package history stores the course of runs in bounded memory: accuracy and loss of
// every step, and what the solvers have learned about step sizes at every tenth.
package history

import (
	"slices"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/quantile"
	"github.com/seed1e560811/funnel/solver"
)

// Every is the number of steps from one look at a solver's adaptations to the next;
// the first look is at the first step. A look takes some 1.5 ms for the default
// network, a third of a step.
const Every = 10

// Probabilities are those of the gains' quantiles that are stored and written to CSVs.
var Probabilities = [...]float64{0.01, 0.25, 0.5, 0.75, 0.99}

// The most points in a series. With 2,400, no two steps of the default run are
// merged.
const (
	stepPoints = 2400
	lookPoints = 600
)

// History has the course of one comparison's runs. Its JSON is exact: a history that
// is read back and goes on equals one that was never written.
type History struct {
	Solvers []*Solver `json:"solvers"` // in the order of their first steps
}

// Solver is the course of the run with one solver.
type Solver struct {
	Name       string       `json:"name"`
	Accuracy   Series       `json:"accuracy"`   // of each step
	Loss       Series       `json:"loss"`       // of each step
	Scale      Series       `json:"scale"`      // over all parameters, at every look; empty if it learns none
	Parameters []*Parameter `json:"parameters"` // none if it learns no step sizes
}

// Parameter is what a solver has learned about one parameter, at every look.
type Parameter struct {
	Name  string                     `json:"name"`
	Shape []int                      `json:"shape"`
	Scale Series                     `json:"scale"`
	Gains [len(Probabilities)]Series `json:"gains"` // quantiles; empty if there are no gains
	Now   Histogram                  `json:"now"`   // of the gains at the last look
}

// Add adds the next step of each run. A run that has dropped out of its comparison
// has none, and its series have ended.
func (h *History) Add(steps []*experiment.Step) {
	for _, step := range steps {
		s := h.solver(step.Solver)
		s.Accuracy.add(step.Accuracy, stepPoints)
		s.Loss.add(step.Loss, stepPoints)
		if step.Number%Every == 0 {
			s.look(step.Adaptations())
		}
	}
}

func (h *History) solver(name string) *Solver {
	i := slices.IndexFunc(h.Solvers, func(s *Solver) bool { return s.Name == name })
	if i < 0 {
		i = len(h.Solvers)
		h.Solvers = append(h.Solvers, &Solver{Name: name})
	}
	return h.Solvers[i]
}

func (s *Solver) look(as []solver.Adaptation) {
	if len(as) == 0 {
		return
	}
	s.Scale.add(experiment.Scale(as), lookPoints)
	for i, a := range as {
		if i == len(s.Parameters) {
			s.Parameters = append(s.Parameters, &Parameter{Name: a.Name, Shape: slices.Clone(a.Shape)})
		}
		s.Parameters[i].look(&a)
	}
}

func (p *Parameter) look(a *solver.Adaptation) {
	p.Scale.add(a.Scale, lookPoints)
	if len(a.Gain) == 0 {
		return
	}
	for i, q := range quantile.Of(Probabilities[:], a.Gain) {
		p.Gains[i].add(q, lookPoints)
	}
	p.Now = Histogram{numbers: a.Gain}
}

// Sound tells whether Add can have made this history, for one that was read from a
// file.
func (h *History) Sound() bool {
	for _, s := range h.Solvers {
		if s == nil || !s.sound() {
			return false
		}
	}
	return true
}

func (s *Solver) sound() bool {
	ok := s.Accuracy.sound(stepPoints) && s.Loss.sound(stepPoints) && s.Scale.sound(lookPoints)
	for _, p := range s.Parameters {
		ok = ok && p != nil && p.Scale.sound(lookPoints)
		for i := range Probabilities {
			ok = ok && p.Gains[i].sound(lookPoints)
		}
	}
	return ok
}

// Clone returns a copy that later steps do not change.
func (h *History) Clone() *History {
	c := &History{Solvers: make([]*Solver, len(h.Solvers))}
	for i, s := range h.Solvers {
		c.Solvers[i] = s.clone()
	}
	return c
}

func (s *Solver) clone() *Solver {
	c := &Solver{Name: s.Name, Accuracy: s.Accuracy.clone(), Loss: s.Loss.clone(), Scale: s.Scale.clone()}
	for _, p := range s.Parameters {
		q := &Parameter{Name: p.Name, Shape: p.Shape, Scale: p.Scale.clone(), Now: p.Now}
		for i := range p.Gains {
			q.Gains[i] = p.Gains[i].clone()
		}
		c.Parameters = append(c.Parameters, q)
	}
	return c
}
