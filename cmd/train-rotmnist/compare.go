package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
)

// compare is the main job: it runs the solvers and prints the table, as far as
// they came. dir is that of a run to be resumed, or nil.
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
	digits, held, err := loadData(ctx, c.Data, c.seed, notes)
	if err != nil {
		return err
	}
	if err := c.fits(digits); err != nil {
		return err
	}
	setup := &experiment.Setup{
		Train: digits, Test: held, Schedule: c.schedule, Batch: c.Batch, Hidden: c.Hidden, Seed: c.seed, OnNonFinite: c.onNonFinite,
	}
	comparison, err := c.comparison(setup)
	if err != nil {
		return err
	}
	defer comparison.Close()
	record, err := keeper.begin(comparison, setup)
	if err != nil {
		return err
	}
	files, err := create(c, record)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	announce(news, c, setup, comparison.Done())
	if err := keeper.save(files); err != nil { // there is nothing yet that could be lost
		return err
	}

	err = train(ctx, c, comparison, keeper, files, notes)
	summary := c.summary(comparison)
	if len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	// The files first: whoever reads the table may have stopped reading.
	err = errors.Join(err, files.finish(summary))
	fmt.Fprintln(news)
	return errors.Join(err, output.Table(stdout, summary.Results), skipped(stdout, summary.Results), ctx.Err())
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

// comparison is of the solvers, before their first step.
func (c *config) comparison(setup *experiment.Setup) (*experiment.Comparison, error) {
	comparison, err := experiment.New(setup)
	if err != nil {
		return nil, err
	}
	for _, spec := range c.solvers {
		if _, err := comparison.Add(spec.Text, spec.New()); err != nil {
			comparison.Close()
			return nil, err
		}
	}
	return comparison, nil
}

// train runs the solvers in lockstep. The error is of all that went wrong.
func train(ctx context.Context, c *config, comparison *experiment.Comparison, keeper *keeper, files *files, notes io.Writer) error {
	progress := output.NewProgress(notes, "training", "steps", int64(comparison.Done()), int64(c.schedule.Steps()))
	err := comparison.Train(ctx, func(steps []*experiment.Step) error {
		progress.Set(int64(steps[0].Number+1), note(steps))
		if err := files.write(steps); err != nil {
			return err
		}
		keeper.step(steps, files)
		return nil
	})
	progress.End()
	if err == nil {
		err = keeper.save(files)
	}
	for _, run := range comparison.Runs() {
		err = errors.Join(err, c.advised(run.Err()))
	}
	return err
}

// advised is why a run has ended, with what can be done about it.
func (c *config) advised(err error) error {
	if errors.Is(err, experiment.ErrNonFinite) && c.onNonFinite == experiment.Stop {
		return fmt.Errorf("%w; -on-nonfinite skip drops such batches", err)
	}
	return err
}

// summary is of the runs that made a step.
func (c *config) summary(comparison *experiment.Comparison) *output.Summary {
	summary := &output.Summary{Protocol: c.Protocol, Seed: c.seed}
	for i, run := range comparison.Runs() {
		if result := run.Result(); result.Steps > 0 {
			summary.Results = append(summary.Results, output.NewRow(c.solvers[i], result))
		}
	}
	return summary
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

// announce says what is about to run.
func announce(w io.Writer, c *config, setup *experiment.Setup, done int) {
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", c.Data, setup.Train.Len(), setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, seed %d\n", c.Stream(), c.seed)
	fmt.Fprintf(w, "model   %s\n", c.Model())
	fmt.Fprintf(w, "solvers %s\n", strings.Join(texts(c.solvers), ", "))
	switch steps := setup.Schedule.Steps(); {
	case c.resume != "" && done == steps:
		fmt.Fprintf(w, "resume  the run in %s is finished: all of its %d steps are done\n", c.resume, steps)
	case c.resume != "":
		fmt.Fprintf(w, "resume  after step %d of %d\n", done, steps)
	}
}

func texts(specs []solvers.Spec) []string {
	var ts []string
	for _, s := range specs {
		ts = append(ts, s.Text)
	}
	return ts
}
