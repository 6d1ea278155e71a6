package problem

import (
	"context"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	G "gorgonia.org/gorgonia"
)

// Result has the scores of a run. They are +Inf if it diverged.
type Result struct {
	End        float64 // mean score over the last tenth of the steps
	Mean       float64 // mean score over all steps
	DivergedAt int     // the step, counted from 1; 0 for none
}

// Train trains the task of a seed with a solver, and calls stepped after every step.
// A run diverges if the loss or the score is not finite, or if the solver refuses a
// step for such numbers. When ctx ends, Train returns its error.
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
			if err = spec.Pace(s, step, p.Steps); err == nil {
				err = s.Step(model)
			}
		}
		switch {
		case spec.Refused(err):
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

func diverged(step int) *Result { return &Result{math.Inf(1), math.Inf(1), step + 1} }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
