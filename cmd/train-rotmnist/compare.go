package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
)

// compare is the main job: it runs the solvers and prints the table, as far as
// they came.
func compare(ctx context.Context, c *config, stdout, stderr io.Writer) (err error) {
	news, notes := stdout, stderr
	if c.quiet {
		news, notes = io.Discard, io.Discard
	}
	digits, held, err := loadData(ctx, c.Data, c.seed, notes)
	if err != nil {
		return err
	}
	if err := c.fits(digits); err != nil {
		return err
	}
	files, err := create(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	setup := &experiment.Setup{Train: digits, Test: held, Schedule: c.schedule, Batch: c.Batch, Hidden: c.Hidden, Seed: c.seed}
	announce(news, c, setup)

	summary, err := train(ctx, c, setup, files.csv, notes)
	if summary == nil || len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	// The files first: whoever reads the table may have stopped reading.
	err = errors.Join(err, files.finish(summary))
	fmt.Fprintln(news)
	return errors.Join(err, output.Table(stdout, summary.Results), ctx.Err())
}

// train runs the solvers in lockstep. The summary is of those that made a step;
// the error, of all that went wrong.
func train(ctx context.Context, c *config, setup *experiment.Setup, csv *output.CSV, notes io.Writer) (*output.Summary, error) {
	comparison, err := experiment.New(setup)
	if err != nil {
		return nil, err
	}
	defer comparison.Close()
	var runs []*experiment.Run
	for _, spec := range c.solvers {
		run, err := comparison.Add(spec.Text, spec.New())
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	progress := output.NewProgress(notes, "training", "steps", int64(c.schedule.Steps()))
	err = comparison.Train(ctx, func(steps []*experiment.Step) error {
		progress.Set(int64(steps[0].Number+1), note(steps))
		return write(csv, steps)
	})
	progress.End()
	summary := &output.Summary{Protocol: c.Protocol, Seed: c.seed}
	for i, run := range runs {
		if result := run.Result(); result.Steps > 0 {
			summary.Results = append(summary.Results, output.NewRow(c.solvers[i], result))
		}
		err = errors.Join(err, run.Err())
	}
	return summary, err
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

func write(csv *output.CSV, steps []*experiment.Step) error {
	if csv == nil {
		return nil
	}
	for _, s := range steps {
		if err := csv.Write(s); err != nil {
			return err
		}
	}
	return nil
}

// announce says what is about to run.
func announce(w io.Writer, c *config, setup *experiment.Setup) {
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", c.Data, setup.Train.Len(), setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, seed %d\n", c.Stream(), c.seed)
	fmt.Fprintf(w, "model   %s\n", c.Model())
	fmt.Fprintf(w, "solvers %s\n", strings.Join(texts(c.solvers), ", "))
}

func texts(specs []solvers.Spec) []string {
	var ts []string
	for _, s := range specs {
		ts = append(ts, s.Text)
	}
	return ts
}
