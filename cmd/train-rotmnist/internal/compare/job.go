// Package compare is the main job: it trains a network with each of several
// solvers, in lockstep, and shows and writes what they come to.
package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/digits"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/files"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/ranks"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
	"github.com/seed1e560811/funnel/mnist"
)

// Program is the name that stands before messages.
const Program = "train-rotmnist"

// Options are what a job follows from. Nothing changes them.
type Options struct {
	Protocol    results.Protocol
	Schedule    mnist.Schedule // the protocol's
	Solvers     []spec.Spec
	Seed        uint64
	OnNonFinite experiment.Policy

	files.Names        // what is written
	HTTP        string // address that the page is served at; empty for none
	HTTPLinger  bool
	Watch       bool // show the comparison in the terminal
	Quiet       bool

	Checkpoint      string // directory of the checkpoints; empty for none
	CheckpointEvery int    // steps
	Resume          string // directory of the run that goes on; empty for a new run

	Arithmetic  string            // of the run that is resumed; empty for a new one
	Flags       map[string]string // flags that say what is run, for the checkpoint
	CommandLine []string          // for the report
}

// Silent returns the options for a rank that shows and writes nothing.
func (o Options) Silent() Options {
	o.Names = files.Names{}
	o.HTTP, o.Checkpoint = "", ""
	o.HTTPLinger, o.Watch, o.Quiet = false, false, true
	return o
}

// Job is one comparison. Make one with New.
type Job struct {
	Options
	ranks *ranks.Ranks
	dir   *checkpoint.Directory // of a run that is resumed, until the saver has it

	setup      *experiment.Setup
	comparison *experiment.Comparison
	history    *history.History // nil if neither a page, a view nor a checkpoint needs it
	files      *files.Files
	saver      *saver // nil if there are no checkpoints
	page       *report.Report
	digest     string // SHA-256 of the data sets, where it is needed
	server     *live.Server
	finished   bool // the page shows what the runs came to
}

// New returns a job on these ranks, which are nil for one process. dir is the open
// directory of a run that is resumed; nil for a new run, and on ranks but the first.
func New(o Options, r *ranks.Ranks, dir *checkpoint.Directory) *Job {
	o.Arithmetic = cmp.Or(o.Arithmetic, arithmeticOf(&o.Protocol))
	return &Job{Options: o, ranks: r, dir: dir}
}

// Run runs the solvers and prints the table, as far as they came.
func (j *Job) Run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	data, news, notes := stdout, stdout, stderr
	if j.UseStdout() {
		stdout, news = stderr, stderr
	}
	if j.Quiet {
		news, notes = io.Discard, io.Discard
	}
	if j.saver, err = newSaver(&j.Options, j.dir, stderr); err != nil {
		return err
	}
	defer j.saver.close()
	if err := j.ranks.Settle(j.prepare(ctx, notes)); err != nil {
		return err
	}
	if err := j.ranks.Settle(j.sameEverywhere()); err != nil {
		return err
	}
	record, err := j.restore()
	if err != nil {
		return err
	}
	if j.files, err = files.Create(j.Names, data, j.Checkpoint != "", record); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.files.Close()) }()
	if err := j.serve(stderr); err != nil {
		return err
	}
	j.announce(news)
	// A directory that a new run cannot write is found before the first step.
	if err := j.saver.save(j); err != nil {
		return err
	}
	if err := j.files.Begin(); err != nil {
		return err
	}
	return j.conclude(ctx, j.train(ctx, notes), news, stdout)
}

// conclude writes the files and the table of what was done. err is the outcome of
// the training.
func (j *Job) conclude(ctx context.Context, err error, news, stdout io.Writer) error {
	summary := j.summary()
	if len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	if j.JSON != "" {
		data, failed := j.page.Data(j.history, summary.Results, j.ended())
		summary.Report, err = data, errors.Join(err, failed)
	}
	// The files come first: the reader of the table may be gone, as of a pipe.
	page := func(w io.Writer) error { return j.page.Write(w, j.history, summary.Results, j.ended()) }
	err = errors.Join(err, j.files.Finish(summary, page))
	fmt.Fprintln(news)
	err = errors.Join(err, output.Table(stdout, summary.Results, j.comparison.Done()), j.explain(news, summary.Results), ctx.Err())
	j.finishPage(summary)
	return err
}

// Close ends the page and frees the networks. The job may be nil.
func (j *Job) Close() {
	if j == nil {
		return
	}
	if j.server != nil {
		j.server.Close()
	}
	if j.comparison != nil {
		j.comparison.Close()
	}
}

// Progress says how far an interrupted job came and how it goes on, after the word
// "interrupted".
func (j *Job) Progress() string {
	if j == nil || j.comparison == nil {
		return ""
	}
	text := fmt.Sprintf(" after step %d of %d; ", j.comparison.Done(), j.Schedule.Steps())
	switch {
	case j.comparison.Done() == 0 && j.saver == nil:
		return strings.TrimSuffix(text, "; ")
	case j.saver == nil || !j.saver.saved:
		return text + "the table and the files cover those steps"
	case j.ranks != nil:
		return text + fmt.Sprintf("it goes on with train-rotmnist -mpi -resume %s, on %d ranks", report.Quote(j.Checkpoint), j.ranks.Size())
	}
	return text + "it goes on with train-rotmnist -resume " + report.Quote(j.Checkpoint)
}

// prepare loads the digits and makes the runs, before their first step.
func (j *Job) prepare(ctx context.Context, notes io.Writer) error {
	train, test, err := digits.Load(ctx, j.Protocol.Data, j.Seed, notes)
	if err != nil {
		return err
	}
	if err := digits.Fits(j.Protocol.Batch, train); err != nil {
		return err
	}
	network, err := newNetwork(&j.Protocol, j.Arithmetic)
	if err != nil {
		return fmt.Errorf("-resume %s: %w", j.Resume, err)
	}
	j.setup = &experiment.Setup{
		Train: train, Test: test, Schedule: j.Schedule, Batch: j.Protocol.Batch, NewNetwork: network, Seed: j.Seed, OnNonFinite: j.OnNonFinite,
	}
	if j.ranks != nil {
		j.setup.World = j.ranks.World
	}
	j.comparison = experiment.New(j.setup)
	for _, s := range j.Solvers {
		if _, err := j.comparison.Add(s.Text, s.New()); err != nil {
			return err
		}
	}
	if j.saver != nil || j.Watch || j.JSON != "" || j.Report != "" || j.HTTP != "" {
		j.history = new(history.History)
	}
	if j.history != nil || j.ranks != nil {
		j.digest = digits.Digest(train, test)
	}
	j.page = report.New(&report.Description{
		Protocol: j.Protocol, Args: j.CommandLine, Version: cli.Version(Program), Seed: j.Seed, Schedule: j.Schedule, Solvers: j.Solvers, Digits: test, SHA256: j.digest,
	})
	return nil
}

// sameEverywhere returns an error if this rank is about to do something else than
// rank 0. All ranks compare both, since one that left early would be waited for.
func (j *Job) sameEverywhere() error {
	flags := fmt.Sprint(j.Protocol, j.Seed, j.OnNonFinite, texts(j.Solvers))
	return errors.Join(j.ranks.Same(flags, "the flags"), j.ranks.Same(j.digest, "the digits of "+j.Protocol.Data))
}

// restore restores the runs from the checkpoint of a run that is resumed. It
// returns the record of that; nil for a new run, and on ranks but the first.
func (j *Job) restore() (*checkpoint.Record, error) {
	own, err := j.saver.restore(j)
	if j.Resume == "" {
		return nil, err
	}
	record, err := j.ranks.Restore(own, err, j.comparison.Runs())
	if err != nil {
		return nil, err
	}
	j.comparison.Resume(record.Done)
	if own != nil {
		j.history = own.History
	}
	return own, nil
}

// train runs the solvers in lockstep. Its error has everything that went wrong.
func (j *Job) train(ctx context.Context, notes io.Writer) error {
	show, end := j.progress(notes)
	err := j.comparison.Train(ctx, func(steps []*experiment.Step) error {
		if j.history != nil {
			j.history.Add(steps)
		}
		if j.server != nil {
			j.server.Observe(j.comparison.Done(), j.history, func() []results.Row { return j.summary().Results })
		}
		show(steps)
		if err := j.files.Write(steps); err != nil {
			return err
		}
		j.saver.step(j)
		return nil
	})
	end()
	switch {
	case err == nil:
		err = errors.Join(j.saver.save(j), j.ranks.Leave())
	case errors.Is(err, experiment.ErrInterrupted):
		err = errors.Join(err, j.saver.save(j))
	}
	for _, run := range j.comparison.Runs() {
		err = errors.Join(err, j.advised(run.Err()))
	}
	return err
}

// advised adds to the error that ended a run what can be done about it.
func (j *Job) advised(err error) error {
	if errors.Is(err, experiment.ErrNonFinite) && j.OnNonFinite == experiment.Stop {
		return fmt.Errorf("%w; -on-nonfinite skip drops such batches", err)
	}
	return err
}

// summary has a row for each run, and none if no run has made a step.
func (j *Job) summary() *results.Summary {
	summary := &results.Summary{Protocol: j.Protocol, Seed: j.Seed, Ranks: j.ranks.Size()}
	if j.comparison.Done() == 0 {
		return summary
	}
	for i, run := range j.comparison.Runs() {
		summary.Results = append(summary.Results, output.NewRow(j.Solvers[i], run.Result()))
	}
	return summary
}
