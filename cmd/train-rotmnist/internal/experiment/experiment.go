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
	Hidden      []int
	Seed        uint64
	OnNonFinite Policy
	World       *distributed.World // the ranks that train together, each with its share of every batch; nil for one alone

	// fault, in tests, spoils what a batch has made before it is looked at.
	fault func(step int, network *mnist.MLP)
}

// Comparison is runs in lockstep: all have learned from the same batches of
// one stream. They take turns, so that what a step of each takes can be
// compared too; and none changes another's result.
type Comparison struct {
	setup  *Setup
	stream *mnist.Stream
	runs   []*Run
	done   int // steps
}

// New returns a comparison that nobody takes part in yet. Close it.
func New(setup *Setup) (*Comparison, error) {
	stream, err := mnist.NewStream(setup.Train, setup.Schedule, setup.Batch, setup.Seed)
	if err != nil {
		return nil, err
	}
	if setup.World != nil {
		if err := stream.Share(setup.World.Rank(), setup.World.Size()); err != nil {
			return nil, err
		}
	}
	return &Comparison{setup: setup, stream: stream}, nil
}

// mostAtOnce is how many accuracies there is room for from the start, so that a
// long run takes no more memory at its end.
const mostAtOnce = 1 << 20

// Add makes a run that trains a network with a solver. The name is for those
// who read about it.
func (c *Comparison) Add(name string, s gorgonia.Solver) (*Run, error) {
	network, err := mnist.NewMLP(c.setup.Hidden, c.setup.Batch/c.setup.ranks(), c.setup.Seed)
	if err != nil {
		return nil, err
	}
	r := &Run{Name: name, setup: c.setup, network: network, model: network.Model(), solver: s, stepper: c.setup.together(s)}
	r.HeldOut = []float64{}
	r.Accuracies = make([]float64, 0, min(c.setup.Schedule.Steps(), mostAtOnce))
	c.runs = append(c.runs, r)
	return r, nil
}

// Runs are those that take part, failed or not, as they were added.
func (c *Comparison) Runs() []*Run { return c.runs }

// Done is how many batches of the stream the runs have been given.
func (c *Comparison) Done() int { return c.done }

// Resume makes a comparison that has not trained yet go on after so many
// batches. Its runs are to be restored to that place.
func (c *Comparison) Resume(done int) {
	c.done = done
	c.stream.SkipTo(done)
}

// Train gives every batch of the stream to every run, and calls observe with
// the steps that they made of it. When ctx ends it stops after the batch under
// way, so that all have made as many steps. A run that fails drops out (see
// Run.Err) and the others go on, while there are any; an error of observe ends
// all. With several ranks, so does an error that not all of them have; and when ctx
// ends on any rank, ErrInterrupted does on all.
func (c *Comparison) Train(ctx context.Context, observe func([]*Step) error) error {
	for !c.failed() {
		if stop, err := c.interrupted(ctx); stop || err != nil {
			return err
		}
		b := c.stream.Next()
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

// failed tells whether no run is left.
func (c *Comparison) failed() bool {
	for _, r := range c.runs {
		if r.err == nil {
			return false
		}
	}
	return true
}

// step is a batch for every run that has not failed.
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

// Close frees the stream and the networks.
func (c *Comparison) Close() {
	c.stream.Close()
	for _, r := range c.runs {
		r.network.Close()
	}
}
