package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver/distributed"
)

// ranks are the processes that train together; nil is one alone. Where they do
// not all come to the same end, the job is aborted. Where they do, rank 0's exit
// status is the job's.
type ranks struct {
	*distributed.World
	left bool // they have come to the same end
}

// join starts MPI, if that is asked for. Only rank 0 writes anything.
func (c *config) join() error {
	if !c.mpi || c.showVersion {
		return nil
	}
	w, err := distributed.Start()
	if err != nil {
		return fmt.Errorf("-mpi: %w", err)
	}
	c.ranks = &ranks{World: w}
	return nil
}

// first tells whether this is the rank that prints and writes.
func (r *ranks) first() bool { return r == nil || r.Rank() == 0 }

func (r *ranks) size() int {
	if r == nil {
		return 1
	}
	return r.Size()
}

// settle returns err if every rank has one, and they then leave the job. If only
// some have, they are to abort it, for which the others wait here.
func (r *ranks) settle(err error) error {
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
		return errors.Join(err, r.leave())
	}
	if err == nil {
		err = distributed.AllReduce(r.World, failed)
	}
	return err
}

// leave ends this process's part in the job, when all ranks do.
func (r *ranks) leave() error {
	if r == nil {
		return nil
	}
	r.left = true
	return r.Close()
}

// end is the exit status of a process that has come to an end.
func (r *ranks) end(err error, conclude func() int) int {
	switch {
	case r == nil:
		return conclude()
	case errors.Is(err, experiment.ErrInterrupted):
		return r.stop(conclude)
	case !r.left:
		r.Abort(inOneLine(err))
	case !r.first():
		return done
	}
	return conclude()
}

// stop ends a job that was interrupted. MPI is not finalized: that would wait for
// mpirun, which may be what interrupts. The others wait for what rank 0 has to
// write, for it is killed when they end.
func (r *ranks) stop(conclude func() int) int {
	conclude()
	distributed.AllReduce(r.World, []float64{0})
	return failed
}

// outputs are where a process prints: only rank 0 does.
func (r *ranks) outputs(stdout, stderr io.Writer) (io.Writer, io.Writer) {
	if r.first() {
		return stdout, stderr
	}
	return io.Discard, io.Discard
}

// silence takes what only rank 0 writes from the others.
func (c *config) silence() {
	if !c.ranks.first() {
		c.csv, c.json, c.report, c.http, c.checkpoint = "", "", "", "", ""
		c.linger, c.watch, c.quiet = false, false, true
	}
}

// divisible finds the mistake that only shows with the number of ranks.
func (c *config) divisible() error {
	if c.Batch%c.ranks.size() == 0 {
		return nil
	}
	return fmt.Errorf("-batch: %d images cannot be divided among %d ranks; make it a multiple of that", c.Batch, c.ranks.size())
}

// record gives every rank that of rank 0, unless that has failed.
func (r *ranks) record(own *checkpoint.Record, err error) (*checkpoint.Record, error) {
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

// asMany refuses to go on with a run on another number of ranks.
func (r *ranks) asMany(run *checkpoint.Record) error {
	there, here := max(1, run.Ranks), r.size()
	if there == here {
		return nil
	}
	return usageError{fmt.Errorf("it was started with %d of -mpi's ranks, and here %d; only with as many does it end with the same bits", there, here)}
}

// restore makes every rank what rank 0 was restored to, unless that has failed.
func (r *ranks) restore(own *checkpoint.Record, err error, runs []*experiment.Run) (*checkpoint.Record, error) {
	record, err := r.record(own, err)
	if err == nil && r != nil {
		err = checkpoint.BroadcastRuns(r.World, record, runs)
	}
	return record, r.settle(err)
}

// sameEverywhere finds out whether all ranks are about to do the same.
func (j *comparing) sameEverywhere() error {
	if j.ranks == nil {
		return nil
	}
	flags := fmt.Sprint(j.Protocol, j.seed, j.onNonFinite, texts(j.solvers))
	for _, same := range []struct{ own, what string }{{flags, "the flags"}, {j.digits, "the digits of " + j.Data}} {
		theirs, err := j.ranks.Broadcast([]byte(same.own))
		if err != nil {
			return err
		}
		if string(theirs) != same.own {
			return fmt.Errorf("%s are not those that rank 0 has; give all ranks the same", same.what)
		}
	}
	return nil
}
