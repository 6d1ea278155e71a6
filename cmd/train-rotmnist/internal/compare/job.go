// Package compare runs a comparison: it trains a network with each of several
// solvers, in lockstep, and shows and writes the results.
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

// Program is the name in front of messages.
const Program = "train-rotmnist"

// Options determine a job. Only New changes them: it completes Arithmetic.
type Options struct {
	Protocol    results.Protocol
	Schedule    mnist.Schedule // the protocol's
	Solvers     []spec.Spec
	Seed        uint64
	OnNonFinite experiment.Policy

	files.Names        // files to write
	HTTP        string // address that the page is served at; empty for none
	HTTPLinger  bool
	Watch       bool // show the comparison in the terminal
	Quiet       bool

	Checkpoint      string // directory of the checkpoints; empty for none
	CheckpointEvery int    // steps
	Resume          string // directory of the run to resume; empty for a new run

	Arithmetic  string            // of the run that is resumed; empty for a new one
	Flags       map[string]string // flags to save in checkpoints
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
	history    *history.History // nil if no file, page, view or checkpoint needs it
	files      *files.Files
	saver      *saver // nil if there are no checkpoints
	page       *report.Report
	digest     string // SHA-256 of the data sets, where it is needed
	server     *live.Server
	finished   bool // the page shows the final results
}

// New returns a job on these ranks, which are nil for one process. dir is the open
// directory of a run that is resumed; nil for a new run, and on ranks but the first.
func New(o Options, r *ranks.Ranks, dir *checkpoint.Directory) *Job {
	o.Arithmetic = cmp.Or(o.Arithmetic, arithmeticOf(&o.Protocol))
	return &Job{Options: o, ranks: r, dir: dir}
}

// Run trains the networks and prints the table of the steps made.
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
	// Finds out before the first step whether a new run can write checkpoints.
	if err := j.saver.save(j); err != nil {
		return err
	}
	if err := j.files.Begin(); err != nil {
		return err
	}
	return j.conclude(ctx, j.train(ctx, notes), news, stdout)
}

// conclude writes the files and the table. err is the error of the training.
func (j *Job) conclude(ctx context.Context, err error, news, stdout io.Writer) error {
	summary := j.summary()
	if len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	if j.JSON != "" {
		data, failed := j.page.Data(j.history, summary.Results, j.ended())
		summary.Report, err = data, errors.Join(err, failed)
	}
	// The files come first: writing the table ends the process if its reader has closed
	// the pipe.
	page := func(w io.Writer) error { return j.page.Write(w, j.history, summary.Results, j.ended()) }
	err = errors.Join(err, j.files.Finish(summary, page))
	fmt.Fprintln(news)
	err = errors.Join(err, output.Table(stdout, summary.Results, j.comparison.Done()), j.explain(news, summary.Results), ctx.Err())
	j.finishPage(summary)
	return err
}

// Close stops serving the page and frees the networks. The job may be nil.
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

// sameEverywhere returns an error if this rank's flags or digits differ from rank
// 0's. All ranks make both comparisons, since the others would wait for one that
// left early.
func (j *Job) sameEverywhere() error {
	flags := fmt.Sprint(j.Protocol, j.Seed, j.OnNonFinite, texts(j.Solvers))
	return errors.Join(j.ranks.Same(flags, "the flags"), j.ranks.Same(j.digest, "the digits of "+j.Protocol.Data))
}

// restore restores the runs from the checkpoint to resume, and returns its record;
// nil for a new run, and on ranks but the first.
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

// advised adds the remedy to the error that ended a run.
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
