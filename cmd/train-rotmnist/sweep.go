package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/sweep"
)

// runSweep makes the runs that are not in the file yet.
func runSweep(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parseSweepFlags(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return misuse(stderr, "train-rotmnist sweep", err)
	}
	news, notes := stdout, stderr
	if c.quiet {
		news, notes = io.Discard, io.Discard
	}
	file, records, err := sweep.Open(c.out)
	if err != nil {
		return complain(stderr, failed, fmt.Errorf("-out %s: %w", c.out, cause(err)))
	}
	t := newTally(c, records)
	fmt.Fprintf(news, "data    %s\nstream  %s\nmodel   %s\n", c.Data, c.Stream(), c.Model())
	fmt.Fprintf(news, "runs    %d, of which %d are in %s; %d at a time\n", len(c.runs), t.runs, c.out, c.workers)
	err = c.make(ctx, file, t, notes)
	err = errors.Join(err, file.Close())
	status := conclude(ctx, "train-rotmnist sweep", err, stderr, fmt.Sprintf("%d of %d runs are in %s; the same command goes on from there", t.runs, len(c.runs), c.out))
	if status == done && t.failed > 0 {
		return complain(stderr, failed, fmt.Errorf("%d of %d runs failed, %s; their lines in %s say why: delete them to try again", t.failed, len(c.runs), t.failure, c.out))
	}
	if status == done {
		fmt.Fprintf(news, "done    %d runs, %d diverged; see train-rotmnist table %s\n", t.runs, t.diverged, c.out)
	}
	return status
}

// make makes the runs that are left.
func (c *sweepConfig) make(ctx context.Context, file *sweep.File, t *tally, notes io.Writer) error {
	if c.workers > 1 {
		oneBLASThread()
	}
	progress := output.NewProgress(notes, "sweep", "steps", 0, int64(len(t.left)*c.schedule.Steps()))
	defer progress.End()
	for _, runs := range c.byDigits(t.left) {
		digits, held, err := loadData(ctx, c.Data, runs[0].Seed, notes)
		if err == nil {
			err = c.fits(digits)
		}
		if err != nil {
			return err
		}
		s := sweep.Sweep{
			Protocol: c.Protocol,
			Setup:    experiment.Setup{Train: digits, Test: held, Schedule: c.schedule, Batch: c.Batch, Hidden: c.Hidden},
			Workers:  c.workers,
			Step:     func() { t.step(progress) },
			Save: func(r *output.Record) error {
				if err := file.Append(r); err != nil {
					return fmt.Errorf("-out %s: %w", c.out, cause(err))
				}
				t.add(r)
				return nil
			},
		}
		if err := s.Do(ctx, runs); err != nil {
			return err
		}
	}
	return nil
}

// byDigits groups runs that read the same digits: synthetic ones follow from
// the seed.
func (c *sweepConfig) byDigits(runs []sweep.Run) [][]sweep.Run {
	var groups [][]sweep.Run
	for i, r := range runs {
		if i == 0 || c.Data == "synthetic" && r.Seed != runs[i-1].Seed {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], r)
	}
	return groups
}

// tally counts what is in the file of the runs to be made.
type tally struct {
	left []sweep.Run // were not in the file

	sync.Mutex
	of, runs, diverged, failed int
	failure                    string // the first
	steps                      int64  // that were made now
}

func newTally(c *sweepConfig, records []output.Record) *tally {
	t := &tally{of: len(c.runs)}
	known := map[string]*output.Record{}
	for i := range records {
		known[records[i].Key()] = &records[i]
	}
	for _, run := range c.runs {
		r := sweep.Record(c.Protocol, run)
		if k, ok := known[r.Key()]; ok {
			t.add(k)
		} else {
			t.left = append(t.left, run)
		}
	}
	return t
}

func (t *tally) add(r *output.Record) {
	t.Lock()
	defer t.Unlock()
	t.runs++
	if r.DivergedAt > 0 {
		t.diverged++
	}
	if r.Error != "" {
		if t.failed++; t.failed == 1 {
			t.failure = fmt.Sprintf("first %s with seed %d", r.Spec, r.Seed)
		}
	}
}

func (t *tally) step(p *output.Progress) {
	t.Lock()
	defer t.Unlock()
	t.steps++
	p.Set(t.steps, fmt.Sprintf("%d of %d runs", t.runs, t.of))
}
