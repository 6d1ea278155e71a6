// Package experiment trains networks on a stream of rotating digits, one with
// each of several solvers, and measures how they do.
package experiment

import (
	"context"
	"fmt"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
)

// Setup is what solvers under comparison have in common. Two runs with one
// setup see the same initial weights and the same batches.
type Setup struct {
	Train, Test *mnist.Dataset
	Schedule    mnist.Schedule
	Batch       int
	NewNetwork  NewNetwork
	Seed        uint64
	OnNonFinite Policy
	World       *distributed.World // the ranks that train together, each with its part of every batch; nil for one process
}

// Comparison runs trainings in lockstep, on the same batches of one stream. They
// take turns, so that their step times can be compared, and none changes another's
// result.
type Comparison struct {
	setup *Setup
	runs  []*Run
	done  int // steps
}

// New returns a comparison without runs. Close it.
func New(setup *Setup) *Comparison { return &Comparison{setup: setup} }

// mostReserved is the greatest number of accuracies that memory is reserved for at
// the start, so that a long run takes no more memory at its end.
const mostReserved = 1 << 20

// Add adds a run that trains a network of its own with a solver. The name is for
// messages and tables.
func (c *Comparison) Add(name string, s gorgonia.Solver) (*Run, error) {
	network, err := c.setup.NewNetwork(c.setup.Batch/c.setup.ranks(), c.setup.Seed)
	if err != nil {
		return nil, err
	}
	r := &Run{Name: name, setup: c.setup, network: network, model: network.Model(), solver: s, stepper: c.setup.together(s)}
	r.HeldOut = []float64{}
	r.Accuracies = make([]float64, 0, min(c.setup.Schedule.Steps(), mostReserved))
	c.runs = append(c.runs, r)
	return r, nil
}

// Runs returns all runs, failed or not, in the order in which they were added.
func (c *Comparison) Runs() []*Run { return c.runs }

// Done returns how many batches of the stream the runs have been given.
func (c *Comparison) Done() int { return c.done }

// Resume makes a comparison that has not trained yet go on after done batches.
// The caller restores its runs to that step.
func (c *Comparison) Resume(done int) { c.done = done }

// Train gives every remaining batch of the stream to every run, and calls observe
// with the steps made. When ctx ends, Train returns nil after the current batch, so
// that all runs have made equally many steps. A run that fails drops out (see
// Run.Err), and the others go on. An error of observe ends Train. So does, with
// several ranks, an error that only some of them have; and when ctx ends on one
// rank, Train returns ErrInterrupted on all.
func (c *Comparison) Train(ctx context.Context, observe func([]*Step) error) error {
	stream, err := c.setup.stream(c.done)
	if err != nil {
		return err
	}
	defer stream.Close()
	for !c.failed() {
		if stop, err := c.interrupted(ctx); stop || err != nil {
			return err
		}
		b := stream.Next()
		if b == nil {
			return nil
		}
		steps, err := c.step(b)
		if err != nil {
			return err
		}
		c.done++
		if len(steps) == 0 {
			return nil
		}
		if err := observe(steps); err != nil {
			return fmt.Errorf("step %d: %w", b.Step+1, err)
		}
	}
	return nil
}

// failed tells whether every run has failed.
func (c *Comparison) failed() bool {
	for _, r := range c.runs {
		if r.err == nil {
			return false
		}
	}
	return true
}

// step gives a batch to every run that has not failed.
func (c *Comparison) step(b *mnist.Batch) ([]*Step, error) {
	var steps []*Step
	for _, r := range c.runs {
		if r.err != nil {
			continue
		}
		step, err := r.step(b)
		if err != nil {
			r.err = fmt.Errorf("%s: step %d (batch %d of epoch %d): %w", r.Name, b.Step+1, b.Index+1, b.Epoch+1, err)
			if !c.setup.common(err) {
				return nil, r.err
			}
			continue
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// Close frees the networks.
func (c *Comparison) Close() {
	for _, r := range c.runs {
		r.network.Close()
	}
}
