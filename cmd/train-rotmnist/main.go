// Command train-rotmnist trains a network to read digits while they rotate,
// and compares the solvers that train it. See train-rotmnist -h.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/mnist"
)

// Exit statuses.
const (
	done        = 0
	failed      = 1
	misused     = 2
	interrupted = 130 // as a shell has it for SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "table" {
		return table(args[1:], stdout, stderr)
	}
	c, err := parseFlags(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return complain(stderr, misused, err)
	case c.showVersion:
		fmt.Fprintln(stdout, version())
		return done
	}
	err = compare(ctx, c, stdout, stderr)
	switch {
	case err == nil:
		return done
	case errors.Is(err, errUsage):
		return complain(stderr, misused, err)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintln(stderr, "train-rotmnist: interrupted; what is printed and written is of what was done")
		return interrupted
	}
	return complain(stderr, failed, err)
}

// errUsage is a mistake in the flags that only shows with the data.
var errUsage = errors.New("see train-rotmnist -h")

func complain(stderr io.Writer, status int, err error) int {
	text := strings.ReplaceAll(err.Error(), "\n", "; ") // of joined errors
	if status == misused && !errors.Is(err, errUsage) {
		text += "; " + errUsage.Error()
	}
	fmt.Fprintf(stderr, "train-rotmnist: %s\n", text)
	return status
}

// table prints means over the summaries in files.
func table(files []string, stdout, stderr io.Writer) int {
	if len(files) == 0 || strings.HasPrefix(files[0], "-") {
		return complain(stderr, misused, errors.New("table wants the files that -json wrote"))
	}
	var summaries []output.Summary
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return complain(stderr, failed, err)
		}
		var s output.Summary
		if err := json.Unmarshal(b, &s); err != nil {
			return complain(stderr, failed, fmt.Errorf("%s is not a summary that -json wrote: %w", name, err))
		}
		summaries = append(summaries, s)
	}
	if err := output.Means(stdout, summaries); err != nil {
		return complain(stderr, failed, err)
	}
	return done
}

// compare runs every solver and prints the table, as far as it came. A solver
// that fails does not keep the others from running.
func compare(ctx context.Context, c *config, stdout, stderr io.Writer) (err error) {
	news, notes := stdout, stderr
	if c.quiet {
		news, notes = io.Discard, io.Discard
	}
	train, test, err := loadData(ctx, c.data, c.seed, notes)
	if err != nil {
		return err
	}
	if c.batch > train.Len() {
		return fmt.Errorf("-batch: %d; the data set has %d images; %w", c.batch, train.Len(), errUsage)
	}
	files, err := create(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	setup := &experiment.Setup{Train: train, Test: test, Schedule: c.schedule, Batch: c.batch, Hidden: c.hidden, Seed: c.seed}
	announce(news, c, setup)

	summary := c.summary()
	for _, spec := range c.solvers {
		if ctx.Err() != nil {
			break
		}
		result, failure := train1(ctx, setup, spec, files.csv, notes)
		if result != nil && result.Steps > 0 {
			summary.Results = append(summary.Results, row(spec, result))
		}
		err = errors.Join(err, failure)
	}
	if len(summary.Results) == 0 {
		return errors.Join(err, ctx.Err())
	}
	// The files first: whoever reads the table may have stopped reading.
	err = errors.Join(err, files.finish(summary))
	fmt.Fprintln(news)
	return errors.Join(err, output.Table(stdout, summary.Results), ctx.Err())
}

// train1 runs one solver.
func train1(ctx context.Context, setup *experiment.Setup, spec solvers.Spec, csv *output.CSV, notes io.Writer) (*experiment.Result, error) {
	progress := output.NewProgress(notes, spec.Text, "steps", int64(setup.Schedule.Steps()))
	defer progress.End()
	recent := 0.5 // a moving mean of the accuracy, of some 50 steps
	result, err := experiment.Run(ctx, setup, spec.New(), func(s *experiment.Step) error {
		recent += (s.Accuracy - recent) * max(1/float64(s.Number+1), 0.02)
		progress.Set(int64(s.Number+1), fmt.Sprintf("%.0f°, accuracy %.1f%%", s.Angle, 100*recent))
		if csv == nil {
			return nil
		}
		return csv.Write(spec.Text, s)
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", spec.Text, err)
	}
	return result, err
}

// announce says what is about to run.
func announce(w io.Writer, c *config, setup *experiment.Setup) {
	motion := fmt.Sprintf("drifting %v° a step, %d steps", c.drift, c.steps)
	if len(c.angles) > 0 {
		motion = fmt.Sprintf("angles %s°, %d steps each", strings.Trim(fmt.Sprint(c.angles), "[]"), c.steps)
	}
	sizes := append(append([]int{mnist.Pixels}, c.hidden...), mnist.Classes)
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", c.data, setup.Train.Len(), setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, batches of %d, seed %d\n", motion, c.batch, c.seed)
	fmt.Fprintf(w, "model   MLP %s, ReLU, %d parameters\n", strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", "-"), c.parameters)
}

func (c *config) summary() *output.Summary {
	return &output.Summary{
		Data: c.data, Seed: c.seed, Steps: c.steps, Batch: c.batch, Angles: c.angles, Drift: c.drift, Hidden: c.hidden, Parameters: c.parameters,
	}
}

func row(spec solvers.Spec, r *experiment.Result) output.Row {
	return output.Row{
		Solver: spec.Name, Settings: spec.Settings, LearnRate: spec.LearnRate(), StepsDone: r.Steps,
		Accuracy: output.Number(r.Accuracy), AfterShift: output.Number(r.AfterShift),
		Recovery: output.Number(r.Recovery), Plateau: output.Number(r.Plateau), HeldOut: r.HeldOut,
		StepMS: output.Number(r.StepMS), SolverMS: output.Number(r.SolverMS), Scale: output.Number(r.Scale),
		Spec: spec.Text,
	}
}

// version is the module's, and what built it.
func version() string {
	v := "(devel)"
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		v = b.Main.Version
	}
	return fmt.Sprintf("train-rotmnist %s, %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
