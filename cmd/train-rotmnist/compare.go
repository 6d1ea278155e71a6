package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/watch"
)

// comparing is the main job: the solvers, and all who follow what they do.
type comparing struct {
	*config
	setup      *experiment.Setup
	comparison *experiment.Comparison
	history    *history.History // nil if nobody wants it
	files      *files
	keeper     *keeper // of checkpoints; nil if there are none
	page       *report.Report
	digits     string // SHA-256 of the data sets, where somebody wants it
}

// compare runs the solvers and prints the table, as far as they came. dir is
// that of a run to be resumed, or nil.
func compare(ctx context.Context, c *config, dir *checkpoint.Directory, stdout, stderr io.Writer) (err error) {
	news, notes := stdout, stderr
	if c.quiet {
		news, notes = io.Discard, io.Discard
	}
	keeper, err := newKeeper(c, dir, stderr)
	if err != nil {
		return err
	}
	defer keeper.close()
	j := &comparing{config: c, keeper: keeper}
	if err := c.ranks.settle(j.prepare(ctx, notes)); err != nil {
		return err
	}
	defer j.comparison.Close()
	if err := c.ranks.settle(j.sameEverywhere()); err != nil {
		return err
	}
	record, err := j.restore()
	if err != nil {
		return err
	}
	if j.files, err = create(c, record); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.files.close()) }()
	if err := j.serve(stderr); err != nil {
		return err
	}
	j.announce(news)
	if err := keeper.save(j); err != nil { // there is nothing yet that could be lost
		return err
	}
	if err := j.files.begin(); err != nil {
		return err
	}

	err = j.train(ctx, notes)
	summary := j.summary()
	if len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	// The files first: whoever reads the table may have stopped reading.
	err = errors.Join(err, j.files.finish(summary, func(w io.Writer) error { return j.page.Write(w, j.history, summary.Results, j.ended()) }))
	fmt.Fprintln(news)
	err = errors.Join(err, output.Table(stdout, summary.Results), skipped(stdout, summary.Results), ctx.Err())
	j.leave(summary)
	return err
}

// prepare loads the digits and makes the solvers, before their first step.
func (j *comparing) prepare(ctx context.Context, notes io.Writer) error {
	digits, held, err := loadData(ctx, j.Data, j.seed, notes)
	if err != nil {
		return err
	}
	if err := j.fits(digits); err != nil {
		return err
	}
	j.setup = &experiment.Setup{
		Train: digits, Test: held, Schedule: j.schedule, Batch: j.Batch, Hidden: j.Hidden, Seed: j.seed, OnNonFinite: j.onNonFinite,
	}
	if j.ranks != nil {
		j.setup.World = j.ranks.World
	}
	if j.comparison, err = experiment.New(j.setup); err != nil {
		return err
	}
	for _, spec := range j.solvers {
		if _, err := j.comparison.Add(spec.Text, spec.New()); err != nil {
			j.comparison.Close()
			return err
		}
	}
	if j.keeper != nil || j.watch || j.report != "" || j.http != "" {
		j.history = new(history.History)
	}
	if j.history != nil || j.ranks != nil {
		j.digits = digest(digits, held)
	}
	j.page = report.New(&report.Description{
		Protocol: j.Protocol, Args: j.commandLine(), Version: version(), Seed: j.seed, Schedule: j.schedule, Solvers: j.solvers, Digits: held, SHA256: j.digits,
	})
	return nil
}

// restore makes the job what it was at the checkpoint that it goes on from. It
// returns nil if it begins.
func (j *comparing) restore() (*checkpoint.Record, error) {
	own, err := j.keeper.restore(j)
	if j.resume == "" {
		return nil, err
	}
	record, err := j.ranks.restore(own, err, j.comparison.Runs())
	if err != nil {
		return nil, err
	}
	j.comparison.Resume(record.Done)
	if own != nil {
		j.history = own.History
	}
	return own, nil
}

// train runs the solvers in lockstep. The error is of all that went wrong.
func (j *comparing) train(ctx context.Context, notes io.Writer) error {
	show, end := j.progress(notes)
	err := j.comparison.Train(ctx, func(steps []*experiment.Step) error {
		if j.history != nil {
			j.history.Add(steps)
		}
		if j.server != nil {
			j.server.Observe(j.comparison.Done(), j.history, func() []output.Row { return j.summary().Results })
		}
		show(steps)
		if err := j.files.write(steps); err != nil {
			return err
		}
		j.keeper.step(j)
		return nil
	})
	end()
	switch {
	case err == nil:
		err = errors.Join(j.keeper.save(j), j.ranks.leave())
	case errors.Is(err, experiment.ErrInterrupted):
		err = errors.Join(err, j.keeper.save(j))
	}
	for _, run := range j.comparison.Runs() {
		err = errors.Join(err, j.advised(run.Err()))
	}
	return err
}

// progress shows how far the training is: as a view of it all, if that is asked
// for and can be drawn, or as a bar or lines.
func (j *comparing) progress(notes io.Writer) (show func([]*experiment.Step), end func()) {
	done, steps := j.comparison.Done(), j.schedule.Steps()
	if view := watch.New(notes, done); j.watch && view != nil {
		if j.keeper != nil {
			j.keeper.warnings = view
		}
		return func(s []*experiment.Step) { view.Show(j.history, s[0].Number+1, steps, s[0].Angle) }, func() {}
	}
	p := output.NewProgress(notes, "training", "steps", int64(done), int64(steps))
	return func(s []*experiment.Step) { p.Set(int64(s[0].Number+1), note(s)) }, p.End
}

// note is the angle and how each solver is doing, in the order in which they
// were announced: there is no room for names beside a bar.
func note(steps []*experiment.Step) string {
	text := fmt.Sprintf("%.0f°, accuracy", steps[0].Angle)
	for _, s := range steps {
		text += fmt.Sprintf(" %.0f%%", 100*s.Recent)
	}
	return text
}

// advised is why a run has ended, with what can be done about it.
func (c *config) advised(err error) error {
	if errors.Is(err, experiment.ErrNonFinite) && c.onNonFinite == experiment.Stop {
		return fmt.Errorf("%w; -on-nonfinite skip drops such batches", err)
	}
	return err
}

// summary is of the runs that made a step.
func (j *comparing) summary() *output.Summary {
	summary := &output.Summary{Protocol: j.Protocol, Seed: j.seed, Ranks: j.ranks.size()}
	for i, run := range j.comparison.Runs() {
		if result := run.Result(); result.Steps > 0 {
			summary.Results = append(summary.Results, output.NewRow(j.solvers[i], result))
		}
	}
	return summary
}

// skipped says how many batches were.
func skipped(w io.Writer, rows []output.Row) error {
	for _, r := range rows {
		if r.Skipped > 0 {
			if _, err := fmt.Fprintf(w, "%s skipped %d of %d batches: numbers that are not finite\n", r.Spec, r.Skipped, r.StepsDone); err != nil {
				return err
			}
		}
	}
	return nil
}

// announce says what is about to run.
func (j *comparing) announce(w io.Writer) {
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", j.Data, j.setup.Train.Len(), j.setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, seed %d\n", j.Stream(), j.seed)
	fmt.Fprintf(w, "model   %s\n", j.Model())
	if j.ranks != nil {
		fmt.Fprintf(w, "ranks   %d\n", j.ranks.size())
	}
	fmt.Fprintf(w, "solvers %s\n", strings.Join(texts(j.solvers), ", "))
	switch done, steps := j.comparison.Done(), j.schedule.Steps(); {
	case j.resume != "" && done == steps:
		fmt.Fprintf(w, "resume  the run in %s is finished: all of its %d steps are done\n", j.resume, steps)
	case j.resume != "":
		fmt.Fprintf(w, "resume  after step %d of %d\n", done, steps)
	}
	if j.server != nil {
		fmt.Fprintf(w, "page    %s\n", j.server.URL())
	}
}

func texts(specs []solvers.Spec) []string {
	var ts []string
	for _, s := range specs {
		ts = append(ts, s.Text)
	}
	return ts
}
