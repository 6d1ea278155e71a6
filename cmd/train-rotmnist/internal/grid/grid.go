// Package sweep makes many runs, several at a time, and keeps a file of those
// that are done.
package sweep

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
)

// Run is one of a sweep.
type Run struct {
	Spec solvers.Spec
	Seed uint64
}

// Shard is every n-th run, the first being number i, from 0. The n shards are
// all runs, each once.
func Shard(runs []Run, i, n int) []Run {
	var shard []Run
	for k := i; k < len(runs); k += n {
		shard = append(shard, runs[k])
	}
	return shard
}

// Sweep is what runs have in common.
type Sweep struct {
	Protocol output.Protocol
	Setup    experiment.Setup // but for the seed
	Workers  int              // runs at a time
	Step     func()           // called after every step, by several runs at once
	Save     func(*output.Record) error
}

// Record is of a run that has not been made yet.
func Record(p output.Protocol, r Run) output.Record {
	return output.Record{Protocol: p, Seed: r.Seed, Row: output.NewRow(r.Spec, nil)}
}

// Do makes runs and saves the record of each, one at a time, in the order in
// which they end. A run that fails, or panics, has a record that says so. When
// ctx ends, or Save fails, the runs under way are dropped.
func (s *Sweep) Do(ctx context.Context, runs []Run) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan Run)
	var saving sync.Mutex
	var workers sync.WaitGroup
	for range s.Workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for r := range next {
				record := s.train(ctx, r)
				saving.Lock()
				if ctx.Err() == nil { // or the run may have been cut short
					if err := s.Save(&record); err != nil {
						cancel(err)
					}
				}
				saving.Unlock()
			}
		}()
	}
	for _, r := range runs {
		select {
		case next <- r:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// train makes a run with nothing in common with any other but the digits, which
// nobody changes.
func (s *Sweep) train(ctx context.Context, run Run) (record output.Record) {
	record = Record(s.Protocol, run)
	defer func() {
		if p := recover(); p != nil {
			record.Error = fmt.Sprintf("panic: %v", p)
		}
	}()
	setup := s.Setup
	setup.Seed, setup.OnNonFinite = run.Seed, experiment.Freeze
	result, err := train(ctx, &setup, run.Spec, s.Step)
	if err != nil {
		record.Error = err.Error()
		return record
	}
	record.Row = output.NewRow(run.Spec, result)
	// Runs that share the cores keep each other waiting.
	record.StepMS, record.SolverMS = output.Number(math.NaN()), output.Number(math.NaN())
	return record
}

func train(ctx context.Context, setup *experiment.Setup, spec solvers.Spec, step func()) (*experiment.Result, error) {
	c, err := experiment.New(setup)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, err := c.Add(spec.Text, spec.New())
	if err != nil {
		return nil, err
	}
	if err := c.Train(ctx, func([]*experiment.Step) error { step(); return nil }); err != nil {
		return nil, err
	}
	return r.Result(), r.Err()
}
