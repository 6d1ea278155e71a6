// Package experiment trains one network with one solver on a stream of
// rotating digits, and measures how it does.
package experiment

import (
	"context"
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
}

// Step is what is known of one training step.
type Step struct {
	Number   int     // counted from 0
	Angle    float64 // degrees
	Loss     float64 // of the batch, before it was learned from
	Accuracy float64 // of the batch, before it was learned from

	solver gorgonia.Solver
}

// Adaptations is what the solver has learned by the end of this step; nil if
// it learns no step sizes.
func (s *Step) Adaptations() []solver.Adaptation {
	if a, ok := s.solver.(interface{ Adaptations() []solver.Adaptation }); ok {
		return a.Adaptations()
	}
	return nil
}

// Run trains a network and calls observe after every step. When ctx ends it
// stops after the step under way, and what was done until then is the result.
// When the solver refuses a step, the error says which.
func Run(ctx context.Context, setup *Setup, s gorgonia.Solver, observe func(*Step) error) (*Result, error) {
	network, err := mnist.NewMLP(setup.Hidden, setup.Batch, setup.Seed)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	stream, err := mnist.NewStream(setup.Train, setup.Schedule, setup.Batch, setup.Seed)
	if err != nil {
		return nil, err
	}
	defer stream.Close()

	r := &run{setup: setup, network: network, model: network.Model(), solver: s, heldOut: []float64{}}
	for ctx.Err() == nil {
		b := stream.Next()
		if b == nil {
			break
		}
		step, err := r.step(b)
		if err == nil {
			err = observe(step)
		}
		if err == nil && (b.Step+1)%setup.Schedule.PhaseLength() == 0 {
			err = r.endPhase(b.Angle)
		}
		if err != nil {
			return r.result(), fmt.Errorf("step %d: %w", b.Step+1, err)
		}
	}
	return r.result(), nil
}

// run is a training under way.
type run struct {
	setup   *Setup
	network *mnist.MLP
	model   []gorgonia.ValueGrad
	solver  gorgonia.Solver

	accuracies []float64 // a step each
	heldOut    []float64 // a phase each
	training   time.Duration
	solving    time.Duration
}

// step predicts a batch, then learns from it.
func (r *run) step(b *mnist.Batch) (*Step, error) {
	start := time.Now()
	if err := r.network.Run(b.Images, b.Labels); err != nil {
		return nil, err
	}
	accuracy := float64(r.network.Correct(b.Labels)) / float64(len(b.Labels))
	solve := time.Now()
	if err := r.solver.Step(r.model); err != nil {
		return nil, err
	}
	end := time.Now()
	r.training += end.Sub(start)
	r.solving += end.Sub(solve)
	r.accuracies = append(r.accuracies, accuracy)
	return &Step{b.Step, b.Angle, r.network.Loss(), accuracy, r.solver}, nil
}

// endPhase reads the test set at the angle that the network has just learned.
func (r *run) endPhase(angle float64) error {
	a, err := r.network.Evaluate(r.setup.Test, angle)
	r.heldOut = append(r.heldOut, a)
	return err
}

func (r *run) result() *Result {
	res := summarize(r.accuracies, r.setup.Schedule)
	res.HeldOut = r.heldOut
	steps := float64(len(r.accuracies))
	res.Steps = len(r.accuracies)
	res.StepMS = r.training.Seconds() * 1000 / steps
	res.SolverMS = r.solving.Seconds() * 1000 / steps
	last := &Step{solver: r.solver}
	res.Scale = Scale(last.Adaptations())
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
