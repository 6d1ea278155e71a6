// Package experiment trains networks on a stream of rotating digits, one with
// each of several solvers, and measures how they do.
package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Setup is what solvers under comparison have in common. Two runs with one
// setup see the same initial weights and the same batches.
type Setup struct {
	Train, Test *mnist.Dataset
	Schedule    mnist.Schedule
	Batch       int
	Hidden      []int
	Seed        uint64

	// Freeze keeps the weights of a run that diverges as they are, and goes on
	// scoring what it predicts with them. A run diverges at the first step whose
	// loss is not finite, or which its solver refuses for numbers that are not.
	// Without Freeze it is an error that the solver refuses a step.
	Freeze bool
}

// Comparison is runs in lockstep: all have learned from the same batches of
// one stream. They take turns, so that what a step of each takes can be
// compared too; and none changes another's result.
type Comparison struct {
	setup  *Setup
	stream *mnist.Stream
	runs   []*Run
}

// New returns a comparison that nobody takes part in yet. Close it.
func New(setup *Setup) (*Comparison, error) {
	stream, err := mnist.NewStream(setup.Train, setup.Schedule, setup.Batch, setup.Seed)
	if err != nil {
		return nil, err
	}
	return &Comparison{setup: setup, stream: stream}, nil
}

// Add makes a run that trains a network with a solver. The name is for those
// who read about it.
func (c *Comparison) Add(name string, s gorgonia.Solver) (*Run, error) {
	network, err := mnist.NewMLP(c.setup.Hidden, c.setup.Batch, c.setup.Seed)
	if err != nil {
		return nil, err
	}
	r := &Run{Name: name, setup: c.setup, network: network, model: network.Model(), solver: s, heldOut: []float64{}}
	c.runs = append(c.runs, r)
	return r, nil
}

// Train gives every batch of the stream to every run, and calls observe with
// the steps that they made of it. When ctx ends it stops after the batch under
// way, so that all have made as many steps. A run that fails drops out (see
// Run.Err) and the others go on, while there are any; an error of observe ends
// all.
func (c *Comparison) Train(ctx context.Context, observe func([]*Step) error) error {
	for ctx.Err() == nil {
		b := c.stream.Next()
		if b == nil {
			return nil
		}
		steps := c.step(b)
		if len(steps) == 0 {
			return nil
		}
		if err := observe(steps); err != nil {
			return fmt.Errorf("step %d: %w", b.Step+1, err)
		}
	}
	return nil
}

// step is a batch for every run that has not failed.
func (c *Comparison) step(b *mnist.Batch) []*Step {
	var steps []*Step
	for _, r := range c.runs {
		if r.err != nil {
			continue
		}
		step, err := r.step(b)
		if err != nil {
			r.err = fmt.Errorf("%s: step %d: %w", r.Name, b.Step+1, err)
			continue
		}
		steps = append(steps, step)
	}
	return steps
}

// Close frees the stream and the networks.
func (c *Comparison) Close() {
	c.stream.Close()
	for _, r := range c.runs {
		r.network.Close()
	}
}

// Run is the training of one network with one solver.
type Run struct {
	Name string

	setup   *Setup
	network *mnist.MLP
	model   []gorgonia.ValueGrad
	solver  gorgonia.Solver
	err     error

	accuracies []float64 // a step each
	recent     float64   // a moving mean of them
	heldOut    []float64 // a phase each
	diverged   int       // the step, counted from 1; 0 for none
	training   time.Duration
	solving    time.Duration
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
	accuracy := float64(r.network.Correct(b.Labels)) / float64(len(b.Labels))
	solve := time.Now()
	if err := r.learn(b.Step); err != nil {
		return nil, err
	}
	end := time.Now()
	r.training += end.Sub(start)
	r.solving += end.Sub(solve)
	r.accuracies = append(r.accuracies, accuracy)
	r.recent += (accuracy - r.recent) * max(1/float64(len(r.accuracies)), 1./50)
	if (b.Step+1)%r.setup.Schedule.PhaseLength() == 0 {
		if err := r.endPhase(b.Angle); err != nil {
			return nil, err
		}
	}
	return &Step{r.Name, b.Step, b.Angle, r.network.Loss(), accuracy, r.recent, r.solver}, nil
}

// learn makes the solver's step, unless the run is frozen. A solver with a
// schedule of its own, such as a learn rate that decays, is told where in the
// stream it is.
func (r *Run) learn(step int) error {
	if r.setup.Freeze && r.diverged == 0 && !finite(r.network.Loss()) {
		r.diverged = step + 1
	}
	if r.diverged > 0 {
		return nil
	}
	if s, ok := r.solver.(interface{ Pace(step, steps int) error }); ok {
		if err := s.Pace(step, r.setup.Schedule.Steps()); err != nil {
			return err
		}
	}
	err := r.solver.Step(r.model)
	if r.setup.Freeze && refused(err) {
		r.diverged = step + 1
		return nil
	}
	return err
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// refused tells whether a step was refused, and not made, for its numbers.
func refused(err error) bool {
	return errors.Is(err, solver.ErrNonFiniteGradient) || errors.Is(err, solver.ErrNonFiniteValue) || errors.Is(err, solver.ErrNonFiniteStep)
}

// endPhase reads the test set at the angle that the network has just learned.
func (r *Run) endPhase(angle float64) error {
	a, err := r.network.Evaluate(r.setup.Test, angle)
	r.heldOut = append(r.heldOut, a)
	return err
}

// Err is what ended the run before its stream did. It names the solver and the
// step.
func (r *Run) Err() error { return r.err }

// Result is of the steps that were made.
func (r *Run) Result() *Result {
	res := summarize(r.accuracies, r.setup.Schedule)
	res.HeldOut = r.heldOut
	steps := float64(len(r.accuracies))
	res.Steps = len(r.accuracies)
	res.DivergedAt = r.diverged
	res.StepMS = r.training.Seconds() * 1000 / steps
	res.SolverMS = r.solving.Seconds() * 1000 / steps
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
