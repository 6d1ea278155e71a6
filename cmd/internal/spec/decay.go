package spec

import (
	"math"

	"gorgonia.org/gorgonia"
)

const usageOfDecay = `decay is a learning rate that falls over the stream. At step t, from 0, of T it
is lr times: cosine, (1+cos(πt/T))/2; inverse, 1/(1+9t/T), so it ends at a tenth;
step, 1, then 0.1 from T/2, then 0.01 from 3T/4.
`

// decays are the factors of the learning rate at x, the fraction of the run that
// has passed, 0 ≤ x < 1.
var decays = map[string]func(x float64) float64{
	"cosine":  func(x float64) float64 { return (1 + math.Cos(math.Pi*x)) / 2 },
	"inverse": func(x float64) float64 { return 1 / (1 + 9*x) },
	"step": func(x float64) float64 {
		switch {
		case x < 0.5:
			return 1
		case x < 0.75:
			return 0.1
		}
		return 0.01
	},
}

// nothingFor returns options that change nothing: New wraps the solver instead.
func nothingFor(decays map[string]func(float64) float64) map[string]gorgonia.SolverOpt {
	options := map[string]gorgonia.SolverOpt{}
	for name := range decays {
		options[name] = func(gorgonia.Solver) {}
	}
	return options
}

// decaying is a solver whose learning rate falls over the stream.
type decaying struct {
	gorgonia.Solver
	inner  gorgonia.Solver // the solver whose learning rate falls: Solver, or the one inside an Augmented
	rate   float64         // at the first step
	factor func(x float64) float64
}

// Pace sets the learning rate of a step, counted from 0. What the solver has
// learned stays.
func (d *decaying) Pace(step, steps int) error {
	rate := gorgonia.WithLearnRate(d.rate * d.factor(float64(step)/float64(steps)))
	return apply(d.inner, rate)
}

// LearnRateAt returns the learning rate of a step, counted from 0, in a run of so
// many steps.
func (s *Spec) LearnRateAt(step, steps int) float64 {
	rate := s.LearnRate()
	if factor, ok := decays[s.Settings["decay"]]; ok {
		rate *= factor(float64(step) / float64(steps))
	}
	return rate
}
