package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/bench"
	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/jsonlines"
	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/internal/sweep"
)

// width limits the lines of the table, in characters.
const width = 100

// benchmark is a plan and its results so far.
type benchmark struct {
	*config
	runs, missing []bench.Run
	file          *jsonlines.File[bench.Record] // nil without -out
	records       []bench.Record
}

// open reads the results that the file of -out has, and finds the runs that are
// missing.
func open(c *config) (*benchmark, error) {
	b := &benchmark{config: c, runs: c.Runs()}
	if c.out != "" {
		var err error
		if b.file, b.records, err = bench.Lines.Open(c.out); err != nil {
			return nil, fmt.Errorf("-out %s: %w", c.out, cli.Cause(err))
		}
	}
	b.missing = bench.Missing(b.runs, b.records)
	return b, nil
}

func (b *benchmark) close() error {
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// run makes the runs that are missing and prints the table.
func (b *benchmark) run(ctx context.Context, stdout, stderr io.Writer) error {
	notes := stderr
	if b.quiet {
		notes = io.Discard
	}
	running := b.make(ctx, notes)
	if len(b.records) > 0 {
		if err := b.Table(stdout, b.records, width); err != nil {
			return errors.Join(running, err)
		}
	}
	return errors.Join(running, b.failures())
}

// make makes the runs that are missing.
func (b *benchmark) make(ctx context.Context, notes io.Writer) error {
	work := newMeter(notes, b)
	defer work.End()
	do := func(ctx context.Context, r bench.Run) bench.Record {
		left := r.Problem.Seconds
		each := left / float64(r.Problem.Steps)
		record := r.Do(ctx, func() { left -= each; work.add(each, 0) })
		work.add(left, 1) // the rest, if the run ended early
		return record
	}
	return sweep.Do(ctx, b.workers, b.missing, do, func(r bench.Record) error {
		if b.file != nil {
			if err := b.file.Append(r); err != nil {
				return fmt.Errorf("-out %s: %w", b.out, cli.Cause(err))
			}
		}
		b.records = append(b.records, r)
		return nil
	})
}

// state says how far an interrupted benchmark came, after the word "interrupted".
func (b *benchmark) state() string {
	n := len(b.runs) - len(bench.Missing(b.runs, b.records))
	if b.file == nil {
		return fmt.Sprintf("; %d of %d runs were done, and -out FILE would save them", n, len(b.runs))
	}
	return fmt.Sprintf("; %d of %d runs are in %s, and the same command goes on from there", n, len(b.runs), b.out)
}

// failures returns an error if runs of the plan have failed.
func (b *benchmark) failures() error {
	planned := map[bench.Key]bool{}
	for i := range b.runs {
		planned[b.runs[i].Key()] = true
	}
	n, first := 0, ""
	for i := range b.records {
		r := &b.records[i]
		if r.Error == "" || !planned[r.Key()] {
			continue
		}
		if n++; n == 1 {
			first = fmt.Sprintf("%s on %s with seed %d: %s", r.Solver, r.Problem, r.Seed, r.Error)
		}
	}
	switch {
	case n == 0:
		return nil
	case b.file == nil:
		return fmt.Errorf("%d of %d runs failed, first %s", n, len(b.runs), first)
	}
	return fmt.Errorf("%d of %d runs failed, first %s; delete their lines in %s to try again", n, len(b.runs), first, b.out)
}

// meter shows progress in expected milliseconds of work, since steps of different
// problems take different times.
type meter struct {
	sync.Mutex
	*progress.Bar
	work        float64 // milliseconds
	runs, total int
}

func newMeter(w io.Writer, b *benchmark) *meter {
	seconds := 0.0
	for _, r := range b.missing {
		seconds += r.Problem.Seconds
	}
	m := &meter{runs: len(b.runs) - len(b.missing), total: len(b.runs)}
	m.Bar = progress.New(w, "bench", "", 0, int64(1000*seconds))
	return m
}

// add counts seconds of work, and runs, as done.
func (m *meter) add(seconds float64, runs int) {
	m.Lock()
	defer m.Unlock()
	m.work += 1000 * seconds
	m.runs += runs
	m.Set(int64(m.work), fmt.Sprintf("%d of %d runs", m.runs, m.total))
}
