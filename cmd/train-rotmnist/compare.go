package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/compare"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/files"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/ranks"
)

const compareUsage = `train-rotmnist trains networks to read digits while they rotate, one with each
solver, from the same weights and on the same batches, and compares them.

A solver is what changes a network's weights, step by step. funnel and
funneladam, this project's, find the length of their steps while they train.
adam, momentum, rmsprop and vanilla are Gorgonia's: theirs follows from a
learning rate, lr, that somebody has to choose. Without flags, the first two are
compared with adam and momentum at four learning rates each; it takes one to three
minutes on two cores. Whenever the digits turn to another angle, much of what a
network has learned is of no use, and it has to learn again.

usage: train-rotmnist [flags]          such a comparison
       train-rotmnist sweep -h         many runs: solvers, learning rates, seeds
       train-rotmnist table FILE...    means over runs: -json files and sweeps
       train-rotmnist report FILE...   one page with charts of the runs in -json files

examples:
  train-rotmnist
        synthetic digits that turn by 60° every 400 steps
  train-rotmnist -solvers funnel,adam:lr=0.003 -angles 0,90 -steps 200
        two solvers, one of them with a learning rate, and one turn by 90°
  train-rotmnist -model conv -steps 100
        a small convnet in the place of a perceptron
  train-rotmnist -data mnist -drift 0.1 -steps 3600 -csv run.csv
        real digits (downloaded once) that turn all the way round
  train-rotmnist -steps 20000 -checkpoint run
  train-rotmnist -resume run
        a long run, and how it goes on after a crash or Ctrl-C
  train-rotmnist -http 8080 -report run.html
        charts in a browser while it trains, and in a file to keep

flags:
`

// standard are the solvers that a comparison has by default: ours once, and the
// peers at learning rates that somebody may well begin with.
const standard = "funneladam,funnel," +
	"adam:lr=0.0001,adam:lr=0.001,adam:lr=0.01,adam:lr=0.1," +
	"momentum:lr=0.001,momentum:lr=0.01,momentum:lr=0.1,momentum:lr=1"

// solversUsage is the help below the flags.
func solversUsage() string {
	return "\nsolvers and their keys (X is a number; what is not set has the library's default):\n" + spec.Usage()
}

// compareFlags are the flags of a comparison as they were given.
type compareFlags struct {
	protocolFlags
	solvers         string
	seed            uint64
	files           files.Names
	http            string
	linger          bool
	onNonFinite     string
	checkpoint      string
	checkpointEvery int
	resume          string
	mpi             bool
	watch, quiet    bool
	version         bool

	arithmetic string // not a flag: that of the run that is resumed
}

func newCompareFlags() (*flag.FlagSet, *compareFlags) {
	fs, f := cli.NewFlags("train-rotmnist"), new(compareFlags)
	fs.StringVar(&f.solvers, "solvers", standard, "comma-separated `list` of solvers, each a name and its settings, such as\nadam:lr=0.003:clip=1; all are listed below; without, funneladam\nand funnel, adam at lr=0.0001, 0.001, 0.01 and 0.1, momentum at lr=0.001, 0.01,\n0.1 and 1")
	fs.Lookup("solvers").DefValue = "" // too long for a line of the help, which has it in words
	f.define(fs)
	fs.Uint64Var(&f.seed, "seed", 1, "`number` that the data, the weights and the batches follow from")
	cli.OutputVar(fs, &f.files.CSV, "csv", "write a row for each step and solver to this `FILE`; - is standard output, and\nwhat is for people then goes to standard error")
	cli.OutputVar(fs, &f.files.JSON, "json", "write the summary, and the course of the runs for train-rotmnist report,\nto this `FILE`; or -")
	cli.OutputVar(fs, &f.files.Report, "report", "write a page with charts and the table, in one piece, to this `FILE`; or -")
	fs.Func("http", "while it trains, serve the page of -report at this `ADDR`: a port such as 8080,\nfor this machine only, or host:port, for others, too", func(text string) error {
		if f.http = text; text == "" {
			return errors.New("its address is empty; give one, or leave the flag out")
		}
		return nil
	})
	fs.BoolVar(&f.linger, "http-linger", false, "go on serving the page when all is done, until Ctrl-C")
	fs.StringVar(&f.onNonFinite, "on-nonfinite", "stop", "`what` to do about NaN or Inf in a loss or a gradient: stop that solver's run,\nor skip the batch and count it")
	cli.PathVar(fs, &f.checkpoint, "checkpoint", "save checkpoints of the run, the last two, in this `DIR`; if one cannot be\nwritten, the run says so and goes on")
	fs.IntVar(&f.checkpointEvery, "checkpoint-every", 100, "`steps` from one checkpoint to the next")
	cli.PathVar(fs, &f.resume, "resume", "go on with the run in this `DIR`, with the flags that it was started with")
	fs.BoolVar(&f.mpi, "mpi", false, "train on all ranks that mpirun or srun has started, each with its part of every\nbatch; for programs built with -tags mpi")
	fs.BoolVar(&f.watch, "watch", false, "show accuracy, scale and gains in the terminal while it trains")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress, only the table")
	fs.BoolVar(&f.version, "version", false, "print the version and stop")
	return fs, f
}

// runCompare runs a comparison: the command without a verb.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs, f := newCompareFlags()
	err := cli.Parse(fs, args, stdout, compareUsage, solversUsage(), verbs...)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return cli.Done
	case err == nil && f.version:
		_, err = fmt.Fprintln(stdout, cli.Version(compare.Program))
		return cli.Conclude(stderr, compare.Program, err, nil)
	}
	var all *ranks.Ranks // nil for one process
	if err == nil && f.mpi {
		all, err = ranks.Join()
	}
	stdout, stderr = all.Outputs(stdout, stderr)
	var job *compare.Job
	if err == nil {
		job, err = newJob(fs, f, args, all)
	}
	if err = all.Settle(err); err == nil {
		err = job.Run(ctx, stdout, stderr)
	}
	defer job.Close()
	return all.End(err, func() int {
		status := cli.Conclude(stderr, compare.Program, err, job.Progress)
		job.Linger(ctx, stdout, stderr)
		return status
	})
}

// newJob returns the job that the flags ask for: a new one, or one that is resumed.
func newJob(fs *flag.FlagSet, f *compareFlags, args []string, all *ranks.Ranks) (*compare.Job, error) {
	if f.resume == "" {
		o, err := f.options(fs, args)
		return start(o, err, all, nil)
	}
	fs, f, dir, err := resume(fs, f, args, all)
	if err != nil {
		return nil, err
	}
	o, err := f.options(fs, commandLine(fs, all))
	if err == nil {
		o.Checkpoint = f.resume
	}
	return start(o, err, all, dir)
}

// start makes the job, or closes dir and returns the mistake in the flags.
func start(o *compare.Options, err error, all *ranks.Ranks, dir *checkpoint.Directory) (*compare.Job, error) {
	if err == nil && o.Protocol.Batch%all.Size() != 0 {
		err = fmt.Errorf("-batch: %d images cannot be divided among %d ranks; make it a multiple of that", o.Protocol.Batch, all.Size())
	}
	if err != nil {
		if dir != nil {
			dir.Close()
		}
		return nil, cli.Usage(err)
	}
	if !all.First() {
		return compare.New(o.Silent(), all, dir), nil
	}
	return compare.New(*o, all, dir), nil
}

// options parses the flags.
func (f *compareFlags) options(fs *flag.FlagSet, commandLine []string) (*compare.Options, error) {
	o := &compare.Options{
		Seed: f.seed, Names: f.files, HTTP: f.http, HTTPLinger: f.linger, Watch: f.watch, Quiet: f.quiet,
		Checkpoint: f.checkpoint, CheckpointEvery: f.checkpointEvery, Resume: f.resume, Arithmetic: f.arithmetic, Flags: described(fs), CommandLine: commandLine,
	}
	var err error
	if o.Solvers, err = spec.Parse(f.solvers); err != nil {
		return nil, fmt.Errorf("-solvers: %w", err)
	}
	if o.OnNonFinite, err = policy(f.onNonFinite); err != nil {
		return nil, fmt.Errorf("-on-nonfinite: %w", err)
	}
	switch _, every := o.Flags["checkpoint-every"]; {
	case f.checkpointEvery < 1:
		return nil, fmt.Errorf("-checkpoint-every: %d; there must be at least 1 step", f.checkpointEvery)
	case every && f.checkpoint == "" && f.resume == "":
		return nil, errors.New("-checkpoint-every: there are no checkpoints without -checkpoint DIR")
	case f.watch && f.quiet:
		return nil, errors.New("-watch and -quiet cannot both be given")
	case f.linger && f.http == "":
		return nil, errors.New("-http-linger: there is no page without -http ADDR")
	}
	if err := f.files.Distinct(); err != nil {
		return nil, err
	}
	if f.http != "" {
		if err := live.CheckAddress(f.http); err != nil {
			return nil, fmt.Errorf("-http: %w", err)
		}
	}
	o.Protocol, o.Schedule, err = f.protocol(fs)
	return o, err
}

func policy(text string) (experiment.Policy, error) {
	switch text {
	case "stop":
		return experiment.Stop, nil
	case "skip":
		return experiment.Skip, nil
	}
	return 0, fmt.Errorf("%q is neither stop nor skip", text)
}
