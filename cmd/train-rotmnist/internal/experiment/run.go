package experiment

import (
	"errors"
	"math"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Run is the training of one network with one solver.
type Run struct {
	Name string
	Metrics

	setup   *Setup
	network *mnist.MLP
	model   []gorgonia.ValueGrad
	solver  gorgonia.Solver
	stepper gorgonia.Solver // it, or it with all ranks
	err     error
	recent  float64 // a moving mean of the accuracies
}

// Metrics is what a run has measured so far. With it, its network's values and
// what its solver keeps, a run goes on where another stopped.
type Metrics struct {
	Accuracies []float64     // a step each
	HeldOut    []float64     // a phase each
	Skipped    int           // batches that were dropped
	DivergedAt int           // the step, counted from 1; 0 for none
	Training   time.Duration // in the network's passes and the solver's steps
	Solving    time.Duration // in the solver's steps
}

// Model is the parameters of the run's network.
func (r *Run) Model() []gorgonia.ValueGrad { return r.model }

// Solver is what steps them.
func (r *Run) Solver() gorgonia.Solver { return r.solver }

// Err is what ended the run before its stream did. It names the solver, the
// step and the batch.
func (r *Run) Err() error { return r.err }

// Restore makes the run one that has measured m, and ended with err, if that is
// not nil. The model and the solver are the caller's to restore.
func (r *Run) Restore(m Metrics, err error) {
	m.Accuracies = append(r.Accuracies[:0], m.Accuracies...)
	r.Metrics, r.err, r.recent = m, err, 0
	for i, a := range m.Accuracies {
		r.recent = recent(r.recent, a, i+1)
	}
}

// recent is the moving mean with the n-th accuracy.
func recent(mean, accuracy float64, n int) float64 {
	return mean + (accuracy-mean)*max(1/float64(n), 1./50)
}

// Step is what is known of one training step of one run.
type Step struct {
	Solver   string  // the run's name
	Number   int     // counted from 0
	Angle    float64 // degrees
	Loss     float64 // of the batch, before it was learned from
	Accuracy float64 // of the batch, before it was learned from
	Recent   float64 // a moving mean of the accuracy, over some 50 steps

	solver gorgonia.Solver
}

// Adaptations is what the solver has learned by the end of this step; nil if
// it learns no step sizes.
func (s *Step) Adaptations() []solver.Adaptation { return adaptations(s.solver) }

func adaptations(s gorgonia.Solver) []solver.Adaptation {
	if a, ok := s.(interface{ Adaptations() []solver.Adaptation }); ok {
		return a.Adaptations()
	}
	return nil
}

// step predicts a batch, then learns from it. After the last of a phase it
// reads the test set, too.
func (r *Run) step(b *mnist.Batch) (*Step, error) {
	start := time.Now()
	if err := r.network.Run(b.Images, b.Labels); err != nil {
		return nil, err
	}
	r.Training += time.Since(start)
	if r.setup.fault != nil {
		r.setup.fault(b.Step, r.network)
	}
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

// endPhase reads the test set at the angle that the network has just learned.
func (r *Run) endPhase(angle float64) error {
	a, err := r.heldOut(angle)
	r.HeldOut = append(r.HeldOut, a)
	return err
}

// learn learns from a batch of that loss, whose gradients the network has made.
func (r *Run) learn(step int, loss float64) error {
	if r.setup.OnNonFinite == Freeze {
		return r.learnOrFreeze(step, loss)
	}
	err := r.checkBatch(loss)
	if err == nil {
		if err = r.solve(step); err == nil {
			return r.checkValues()
		}
	}
	if r.setup.OnNonFinite == Skip && (errors.Is(err, ErrNonFinite) || refused(err)) {
		r.Skipped++
		return solver.ZeroGrad(r.model)
	}
	return err
}

// solve is the solver's step. A solver with a schedule of its own, such as a
// learn rate that decays, is told where in the stream it is.
func (r *Run) solve(step int) error {
	if s, ok := r.solver.(interface{ Pace(step, steps int) error }); ok {
		if err := s.Pace(step, r.setup.Schedule.Steps()); err != nil {
			return err
		}
	}
	start := time.Now()
	err := told(r.stepper.Step(r.model))
	spent := time.Since(start)
	r.Training += spent
	r.Solving += spent
	return err
}

// Result is of the steps that were made.
func (r *Run) Result() *Result {
	res := summarize(r.Accuracies, r.setup.Schedule)
	res.HeldOut = r.HeldOut
	steps := float64(len(r.Accuracies))
	res.Steps = len(r.Accuracies)
	res.Skipped, res.DivergedAt = r.Skipped, r.DivergedAt
	res.StepMS = r.Training.Seconds() * 1000 / steps
	res.SolverMS = r.Solving.Seconds() * 1000 / steps
	res.Scale = Scale(adaptations(r.solver))
	return res
}

// Scale is one number for the scales of all parameters: their geometric mean,
// which is the scale itself where there is only one. NaN if there is none.
func Scale(as []solver.Adaptation) float64 {
	sum := 0.0
	for _, a := range as {
		sum += math.Log(a.Scale)
	}
	return math.Exp(sum / float64(len(as)))
}
