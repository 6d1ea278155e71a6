package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
)

// ErrInterrupted ends a comparison on all ranks when one of them was interrupted.
var ErrInterrupted = fmt.Errorf("the ranks were interrupted: %w", context.Canceled)

// ranks returns how many processes train together, each with its part of every
// batch.
func (s *Setup) ranks() int {
	if s.World == nil {
		return 1
	}
	return s.World.Size()
}

// stream returns this rank's part of the batches after the first done.
func (s *Setup) stream(done int) (*mnist.Stream, error) {
	options := []mnist.StreamOption{mnist.From(done)}
	if s.World != nil {
		options = append(options, mnist.OfRank(s.World.Rank(), s.World.Size()))
	}
	return mnist.NewStream(s.Train, s.Schedule, s.Batch, s.Seed, options...)
}

// together returns a solver that steps with the gradients of all ranks.
func (s *Setup) together(inner gorgonia.Solver) gorgonia.Solver {
	if s.World == nil {
		return inner
	}
	return distributed.New(inner, s.World)
}

// sum replaces xs by their sums over all ranks.
func (s *Setup) sum(xs ...float64) ([]float64, error) {
	if s.World == nil {
		return xs, nil
	}
	return xs, distributed.AllReduce(s.World, xs)
}

// part returns this rank's part of a data set.
func (s *Setup) part(d *mnist.Dataset) *mnist.Dataset {
	if s.World == nil {
		return d
	}
	rank, size := s.World.Rank(), s.World.Size()
	from, to := rank*d.Len()/size, (rank+1)*d.Len()/size
	return &mnist.Dataset{Images: d.Images[from*mnist.Pixels : to*mnist.Pixels], Labels: d.Labels[from:to]}
}

// heldOut returns the accuracy on the test set, of which each rank reads a part.
func (r *Run) heldOut(angle float64) (float64, error) {
	correct, part := 0.0, r.setup.part(r.setup.Test)
	if part.Len() > 0 || r.setup.Test.Len() == 0 { // Evaluate refuses an empty test set
		accuracy, err := r.network.Evaluate(part, angle)
		if err != nil {
			return 0, err
		}
		correct = math.Round(accuracy * float64(part.Len()))
	}
	sums, err := r.setup.sum(correct)
	return sums[0] / float64(r.setup.Test.Len()), err
}

// interrupted tells whether ctx has ended on any rank, so that all stop after the
// same batch.
func (c *Comparison) interrupted(ctx context.Context) (bool, error) {
	if c.setup.World == nil {
		return ctx.Err() != nil, nil
	}
	ended := 0.0
	if ctx.Err() != nil {
		ended = 1
	}
	sums, err := c.setup.sum(ended)
	if err == nil && sums[0] > 0 {
		err = ErrInterrupted
	}
	return err != nil, err
}

// common reports whether an error of a run is one that every rank has. After any
// other the ranks cannot go on together.
func (s *Setup) common(err error) bool {
	return s.ranks() == 1 || errors.Is(err, ErrNonFinite) || spec.Refused(err)
}

// asNonFinite marks another rank's refusal of a gradient as ErrNonFinite, which is
// what checkBatch returns for a gradient of this rank.
func asNonFinite(err error) error {
	var rank *distributed.RankError
	if errors.As(err, &rank) && spec.Refused(err) {
		return fmt.Errorf("%w: %w", ErrNonFinite, err)
	}
	return err
}
