// Package grid makes the runs of a sweep over solvers and seeds on rotating
// digits, and saves a record of each.
package grid

import (
	"context"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/sweep"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// Run is one run of a sweep.
type Run struct {
	Spec spec.Spec
	Seed uint64
}

// Sweep is what the runs have in common.
type Sweep struct {
	Protocol results.Protocol
	Setup    experiment.Setup // except Seed and OnNonFinite
	Workers  int              // runs at a time
	Step     func()           // called after every step, by several runs at once
	Save     func(results.Record) error
}

// Record returns the record of a run that was not made yet.
func Record(p results.Protocol, r Run) results.Record {
	return results.Record{Protocol: p, Seed: r.Seed, Row: output.Unmade(r.Spec)}
}

// Do makes runs and saves the record of each, one at a time, in the order in
// which they end. The record of a run that fails or panics says so. When ctx
// ends, or Save fails, the runs that have begun are dropped.
func (s *Sweep) Do(ctx context.Context, runs []Run) error {
	return sweep.Do(ctx, s.Workers, runs, s.train, s.Save)
}

// train makes a run. Runs share only the digits, which none of them writes.
func (s *Sweep) train(ctx context.Context, run Run) (record results.Record) {
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
	// Times mean nothing where several runs use the same cores.
	record.StepMS, record.SolverMS = table.Number(math.NaN()), table.Number(math.NaN())
	return record
}

func train(ctx context.Context, setup *experiment.Setup, s spec.Spec, step func()) (*experiment.Result, error) {
	c := experiment.New(setup)
	defer c.Close()
	r, err := c.Add(s.Text, s.New())
	if err != nil {
		return nil, err
	}
	if err := c.Train(ctx, func([]*experiment.Step) error { step(); return nil }); err != nil {
		return nil, err
	}
	return r.Result(), r.Err()
}
