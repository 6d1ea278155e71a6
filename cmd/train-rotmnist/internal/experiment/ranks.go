package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
)

// ErrInterrupted ends a comparison on several ranks of which one was to stop.
var ErrInterrupted = errors.New("the ranks were interrupted")

// ranks are how many processes train together, each with its share of every
// batch.
func (s *Setup) ranks() int {
	if s.World == nil {
		return 1
	}
	return s.World.Size()
}

// together makes a solver step with the gradients of all ranks.
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

// share is this rank's part of a data set.
func (s *Setup) share(d *mnist.Dataset) *mnist.Dataset {
	if s.World == nil {
		return d
	}
	rank, size := s.World.Rank(), s.World.Size()
	from, to := rank*d.Len()/size, (rank+1)*d.Len()/size
	return &mnist.Dataset{Images: d.Images[from*mnist.Pixels : to*mnist.Pixels], Labels: d.Labels[from:to]}
}

// heldOut is the accuracy on the test set, of which each rank reads its share.
func (r *Run) heldOut(angle float64) (float64, error) {
	correct, share := 0.0, r.setup.share(r.setup.Test)
	if share.Len() > 0 || r.setup.Test.Len() == 0 { // which is an error
		accuracy, err := r.network.Evaluate(share, angle)
		if err != nil {
			return 0, err
		}
		correct = math.Round(accuracy * float64(share.Len()))
	}
	sums, err := r.setup.sum(correct)
	return sums[0] / float64(r.setup.Test.Len()), err
}

// interrupted tells whether ctx has ended, on any rank: all stop after the same
// batch.
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

// common tells whether a run's error is the same on every rank. After any other
// they cannot go on together.
func (s *Setup) common(err error) bool {
	return s.ranks() == 1 || errors.Is(err, ErrNonFinite) || refused(err)
}

// told is the error of a step. One about the gradient of another rank says what
// checkBatch says of one's own.
func told(err error) error {
	var rank *distributed.RankError
	if errors.As(err, &rank) && refused(err) {
		return fmt.Errorf("%w: %w", ErrNonFinite, err)
	}
	return err
}
