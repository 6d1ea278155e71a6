// Package ranks coordinates the processes that train together over MPI.
package ranks

import (
	"errors"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver/distributed"
)

// Ranks are the processes that train together; nil is one process. If all come to
// the same end, the job has rank 0's exit status; if not, it is aborted.
type Ranks struct {
	*distributed.World
	left bool // all ranks have come to the same end
}

// Join starts MPI, which mpirun or srun has prepared for this process.
func Join() (*Ranks, error) {
	w, err := distributed.Start()
	if err != nil {
		return nil, fmt.Errorf("-mpi: %w", err)
	}
	return &Ranks{World: w}, nil
}

// First tells whether this is rank 0, the one that prints and writes.
func (r *Ranks) First() bool { return r == nil || r.Rank() == 0 }

// Size returns how many processes train together.
func (r *Ranks) Size() int {
	if r == nil {
		return 1
	}
	return r.World.Size()
}

// Settle compares the outcomes of all ranks. If every rank has an error it returns
// err, and the ranks have left the job. If only some have, it returns err on those,
// which are to abort the job, and waits for that on the others.
func (r *Ranks) Settle(err error) error {
	if r == nil {
		return err
	}
	failed := []float64{0}
	if err != nil {
		failed[0] = 1
	}
	if err := distributed.AllReduce(r.World, failed); err != nil {
		return err
	}
	switch int(failed[0]) {
	case 0:
		return nil
	case r.Size():
		return errors.Join(err, r.Leave())
	}
	if err == nil {
		err = distributed.AllReduce(r.World, failed)
	}
	return err
}

// Leave ends this process's part in the job. All ranks must do so.
func (r *Ranks) Leave() error {
	if r == nil {
		return nil
	}
	r.left = true
	return r.Close()
}

// End returns the exit status of a process that ends with err. On rank 0 that is
// what conclude returns, unless the ranks were interrupted.
func (r *Ranks) End(err error, conclude func() int) int {
	switch {
	case r == nil:
		return conclude()
	case errors.Is(err, experiment.ErrInterrupted):
		return r.stop(conclude)
	case !r.left:
		r.Abort(cli.OneLine(err))
	case !r.First():
		return cli.Done
	}
	return conclude()
}

// stop ends a job that was interrupted. It does not finalize MPI, which would wait
// for mpirun, perhaps the one that interrupts. The other ranks wait until rank 0 has
// written everything, since mpirun kills it when one of them ends.
func (r *Ranks) stop(conclude func() int) int {
	conclude()
	distributed.AllReduce(r.World, []float64{0})
	return cli.Failed
}

// Outputs returns where a process prints: only rank 0 does.
func (r *Ranks) Outputs(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	if r.First() {
		return stdout, stderr
	}
	return io.Discard, io.Discard
}

// Record returns the record of rank 0 on every rank, unless rank 0 has failed.
func (r *Ranks) Record(own *checkpoint.Record, err error) (*checkpoint.Record, error) {
	if r == nil {
		return own, err
	}
	if err != nil {
		own = nil
	}
	record, broadcastErr := checkpoint.Broadcast(r.World, own)
	if err == nil {
		err = broadcastErr
	}
	return record, err
}

// Restore restores the runs of every rank to those of rank 0, which has loaded
// them from the directory of its checkpoints, unless rank 0 has failed. It returns
// the record of rank 0.
func (r *Ranks) Restore(own *checkpoint.Record, err error, runs []*experiment.Run) (*checkpoint.Record, error) {
	record, err := r.Record(own, err)
	if err == nil && r != nil {
		err = checkpoint.BroadcastRuns(r.World, record, runs)
	}
	return record, r.Settle(err)
}

// Same returns an error if own is not what rank 0 has. what names it.
func (r *Ranks) Same(own, what string) error {
	if r == nil {
		return nil
	}
	theirs, err := r.Broadcast([]byte(own))
	if err == nil && string(theirs) != own {
		err = fmt.Errorf("%s are not those that rank 0 has; give all ranks the same", what)
	}
	return err
}
