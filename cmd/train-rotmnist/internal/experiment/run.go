package experiment

import (
	"errors"
	"math"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Run is the training of one network with one solver.
type Run struct {
	Name string
	Metrics

	setup   *Setup
	network Network
	model   []gorgonia.ValueGrad
	solver  gorgonia.Solver
	stepper gorgonia.Solver // the solver, or one that averages all ranks' gradients for it
	err     error
	recent  float64 // a moving mean of the accuracies
}

// Metrics are the measurements of a run so far. With them, its network's values and
// its solver's state, a run can be resumed.
type Metrics struct {
	Accuracies []float64     // of each step
	HeldOut    []float64     // of each phase
	Skipped    int           // batches that were dropped
	DivergedAt int           // step, counted from 1, at which numbers that are not finite ended the learning; 0 for none
	Training   time.Duration // in the network's passes and the solver's steps
	Solving    time.Duration // in the solver's steps
}

// Model returns the parameters of the run's network.
func (r *Run) Model() []gorgonia.ValueGrad { return r.model }

// Solver returns the run's solver, as Add was given it.
func (r *Run) Solver() gorgonia.Solver { return r.solver }

// Err returns what ended the run before its stream did; nil if nothing has. It
// names the solver, the step and the batch.
func (r *Run) Err() error { return r.err }

// Restore gives the run the metrics m, and the error that it ended with, if that
// is not nil. The caller restores the model and the solver.
func (r *Run) Restore(m Metrics, err error) {
	m.Accuracies = append(r.Accuracies[:0], m.Accuracies...)
	r.Metrics, r.err, r.recent = m, err, 0
	for i, a := range m.Accuracies {
		r.recent = recent(r.recent, a, i+1)
	}
}

// recent adds the n-th accuracy to a moving mean.
func recent(mean, accuracy float64, n int) float64 {
	return mean + (accuracy-mean)*max(1/float64(n), 1./50)
}

// Step is one training step of one run.
type Step struct {
	Solver   string  // the run's name
	Number   int     // counted from 0
	Angle    float64 // degrees
	Loss     float64 // of the batch, before it was learned from
	Accuracy float64 // of the batch, before it was learned from
	Recent   float64 // a moving mean of the accuracy, over some 50 steps

	solver gorgonia.Solver
}

// Adaptations returns what the solver has learned about step sizes by the end of
// this step; nil if it learns none.
func (s *Step) Adaptations() []solver.Adaptation { return spec.Adaptations(s.solver) }

// step predicts a batch, then learns from it. After the last step of a phase it
// also evaluates the network on the test set.
func (r *Run) step(b *mnist.Batch) (*Step, error) {
	start := time.Now()
	if err := r.network.Run(b.Images, b.Labels); err != nil {
		return nil, err
	}
	r.Training += time.Since(start)
	sums, err := r.setup.sum(float64(r.network.Correct(b.Labels)), r.network.Loss())
	if err != nil {
		return nil, err
	}
	accuracy, loss := sums[0]/float64(r.setup.Batch), sums[1]/float64(r.setup.ranks())
	if err := r.learn(b.Step, loss); err != nil {
		return nil, err
	}
	r.Accuracies = append(r.Accuracies, accuracy)
	r.recent = recent(r.recent, accuracy, len(r.Accuracies))
	if (b.Step+1)%r.setup.Schedule.PhaseLength() == 0 {
		if err := r.endPhase(b.Angle); err != nil {
			return nil, err
		}
	}
	return &Step{r.Name, b.Step, b.Angle, loss, accuracy, r.recent, r.solver}, nil
}

// endPhase evaluates the network on the test set, at the angle that it has just
// learned.
func (r *Run) endPhase(angle float64) error {
	a, err := r.heldOut(angle)
	if err == nil {
		r.HeldOut = append(r.HeldOut, a)
	}
	return err
}

// learn makes the solver's step with the gradients of a batch that had this loss.
func (r *Run) learn(step int, loss float64) error {
	if r.setup.OnNonFinite == Freeze {
		return r.learnOrFreeze(step, loss)
	}
	err := r.checkBatch(loss)
	if err == nil {
		if err = r.solve(step); err == nil {
			if err = r.checkValues(); err != nil {
				r.DivergedAt = step + 1
			}
			return err
		}
	}
	if r.setup.OnNonFinite == Skip && (errors.Is(err, ErrNonFinite) || spec.Refused(err)) {
		r.Skipped++
		return solver.ZeroGrad(r.model)
	}
	if errors.Is(err, ErrNonFinite) || spec.Refused(err) {
		r.DivergedAt = step + 1
	}
	return err
}

// solve makes the solver's step.
func (r *Run) solve(step int) error {
	if err := spec.Pace(r.solver, step, r.setup.Schedule.Steps()); err != nil {
		return err
	}
	start := time.Now()
	err := asNonFinite(r.stepper.Step(r.model))
	spent := time.Since(start)
	r.Training += spent
	r.Solving += spent
	return err
}

// Result summarizes the steps that were made.
func (r *Run) Result() *Result {
	res := summarize(r.Accuracies, r.setup.Schedule)
	res.HeldOut = r.HeldOut
	steps := float64(len(r.Accuracies))
	res.Steps = len(r.Accuracies)
	res.Skipped, res.DivergedAt = r.Skipped, r.DivergedAt
	res.StepMS = r.Training.Seconds() * 1000 / steps
	res.SolverMS = r.Solving.Seconds() * 1000 / steps
	res.Scale = Scale(spec.Adaptations(r.solver))
	return res
}

// Scale returns the geometric mean of the scales of all parameters, which is the
// scale itself where there is only one; NaN if there is none.
func Scale(as []solver.Adaptation) float64 {
	sum := 0.0
	for _, a := range as {
		sum += math.Log(a.Scale)
	}
	return math.Exp(sum / float64(len(as)))
}
