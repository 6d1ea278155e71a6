package problem

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/solver"
	G "gorgonia.org/gorgonia"
)

// Result is how a run did. Its scores are +Inf if it diverged.
type Result struct {
	End        float64 // mean score over the last tenth of the steps
	Mean       float64 // over all of them
	DivergedAt int     // the step, counted from 1; 0 for none
}

// Train trains the task of a seed with a solver, and calls stepped after every
// step. A run diverges where the loss or the score is not finite, or the
// solver refuses a step for such numbers. When ctx ends, Train returns its error.
func (p *Problem) Train(ctx context.Context, seed uint64, s G.Solver, stepped func()) (*Result, error) {
	t, err := p.New(seed)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	var all, end float64
	last := max(1, p.Steps/10)
	model := t.Model()
	for step := range p.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		score, err := t.measure(step)
		if err == nil {
			if !finite(score) {
				return diverged(step), nil
			}
			err = solve(s, model, step, p.Steps)
		}
		switch {
		case refused(err):
			return diverged(step), nil
		case err != nil:
			return nil, fmt.Errorf("problem %s: step %d: %w", p.Name, step+1, err)
		}
		all += score
		if step >= p.Steps-last {
			end += score
		}
		stepped()
	}
	return &Result{End: end / float64(last), Mean: all / float64(p.Steps)}, nil
}

// solve is the solver's step. A solver with a schedule of its own, such as a
// learning rate that decays, is told where in the run it is.
func solve(s G.Solver, model []G.ValueGrad, step, steps int) error {
	if paced, ok := s.(interface{ Pace(step, steps int) error }); ok {
		if err := paced.Pace(step, steps); err != nil {
			return err
		}
	}
	return s.Step(model)
}

func diverged(step int) *Result { return &Result{math.Inf(1), math.Inf(1), step + 1} }

// refused tells whether a step was refused for its numbers.
func refused(err error) bool {
	return errors.Is(err, solver.ErrNonFiniteGradient) || errors.Is(err, solver.ErrNonFiniteValue) || errors.Is(err, solver.ErrNonFiniteStep)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
