package grid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/jsonlines"
	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/digits"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// Options determine a job. Nothing changes them.
type Options struct {
	Protocol results.Protocol
	Schedule mnist.Schedule // the protocol's
	Runs     []Run
	Out      string // path of the file
	Workers  int    // runs at a time
	Quiet    bool
}

// Job makes the runs that are not in its file yet.
type Job struct {
	Options
	tally *tally
}

// New returns a job.
func New(o Options) *Job { return &Job{Options: o} }

// Runs returns a run with every solver and every seed, seed by seed.
func Runs(specs []spec.Spec, seeds []uint64) []Run {
	var all []Run
	for _, seed := range seeds {
		for _, s := range specs {
			all = append(all, Run{s, seed})
		}
	}
	return all
}

// Distinct returns an error if two solvers would make the same run.
func Distinct(p results.Protocol, specs []spec.Spec) error {
	texts := map[string]string{}
	for _, s := range specs {
		r := Record(p, Run{Spec: s})
		if text, twice := texts[r.Key()]; twice {
			return fmt.Errorf("%s and %s are one run; give only one of them", text, s.Text)
		}
		texts[r.Key()] = s.Text
	}
	return nil
}

// Run makes the runs that are missing.
func (j *Job) Run(ctx context.Context, stdout, stderr io.Writer) error {
	news, notes := stdout, stderr
	if j.Quiet {
		news, notes = io.Discard, io.Discard
	}
	file, records, err := results.Lines.Open(j.Out)
	if err != nil {
		return j.blame(err)
	}
	j.tally = newTally(&j.Options, records)
	fmt.Fprintf(news, "data    %s\nstream  %s\nmodel   %s\n", j.Protocol.Data, j.Protocol.Stream(), j.Protocol.Model())
	fmt.Fprintf(news, "runs    %d, of which %d are in %s; %d at a time\n", len(j.Runs), j.tally.runs, j.Out, j.Workers)
	if err := errors.Join(j.make(ctx, file, notes), file.Close()); err != nil {
		return err
	}
	if t := j.tally; t.failed > 0 {
		return fmt.Errorf("%d of %d runs failed, %s; their lines in %s say why: delete them to try again", t.failed, len(j.Runs), t.failure, j.Out)
	}
	fmt.Fprintf(news, "done    %d runs, %d diverged; see train-rotmnist table %s\n", j.tally.runs, j.tally.diverged, j.Out)
	return nil
}

// Progress says how far an interrupted job came, after the word "interrupted".
func (j *Job) Progress() string {
	if j == nil || j.tally == nil {
		return ""
	}
	return fmt.Sprintf("; %d of %d runs are in %s; the same command goes on from there", j.tally.runs, len(j.Runs), j.Out)
}

func (j *Job) blame(err error) error { return fmt.Errorf("-out %s: %w", j.Out, cli.Cause(err)) }

// make makes the runs that are left.
func (j *Job) make(ctx context.Context, file *jsonlines.File[results.Record], notes io.Writer) error {
	bar := progress.New(notes, "sweep", "steps", 0, int64(len(j.tally.left)*j.Schedule.Steps()))
	defer bar.End()
	save := func(r results.Record) error {
		if err := file.Append(r); err != nil {
			return j.blame(err)
		}
		j.tally.add(r)
		return nil
	}
	for _, runs := range j.byDigits(j.tally.left) {
		train, test, err := digits.Load(ctx, j.Protocol.Data, runs[0].Seed, notes)
		if err == nil {
			err = digits.Fits(j.Protocol.Batch, train)
		}
		if err != nil {
			return err
		}
		s := Sweep{
			Protocol: j.Protocol,
			Setup:    experiment.Setup{Train: train, Test: test, Schedule: j.Schedule, Batch: j.Protocol.Batch, NewNetwork: experiment.NetworkOf(&j.Protocol)},
			Workers:  j.Workers,
			Step:     func() { j.tally.step(bar) },
			Save:     save,
		}
		if err := s.Do(ctx, runs); err != nil {
			return err
		}
	}
	return nil
}

// byDigits groups runs that read the same digits: synthetic digits follow from the
// seed.
func (j *Job) byDigits(runs []Run) [][]Run {
	var groups [][]Run
	for i, r := range runs {
		if i == 0 || j.Protocol.Data == "synthetic" && r.Seed != runs[i-1].Seed {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], r)
	}
	return groups
}

// tally counts which of the job's runs are in the file.
type tally struct {
	left []Run // that were not in the file at the start

	sync.Mutex
	of, runs, diverged, failed int
	failure                    string // the first run that failed
	steps                      int64  // made since the start
}

func newTally(o *Options, records []results.Record) *tally {
	t := &tally{of: len(o.Runs)}
	known := map[string]results.Record{}
	for i := range records {
		known[records[i].Key()] = records[i]
	}
	for _, run := range o.Runs {
		r := Record(o.Protocol, run)
		if k, ok := known[r.Key()]; ok {
			t.add(k)
		} else {
			t.left = append(t.left, run)
		}
	}
	return t
}

func (t *tally) add(r results.Record) {
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

func (t *tally) step(p *progress.Bar) {
	t.Lock()
	defer t.Unlock()
	t.steps++
	p.Set(t.steps, fmt.Sprintf("%d of %d runs", t.runs, t.of))
}
