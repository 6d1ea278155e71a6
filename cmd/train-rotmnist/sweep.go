package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/sweep"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/grid"
)

const sweepUsage = `train-rotmnist sweep makes a run with every solver at every learning rate with
every seed, several at a time, and adds a line of JSON to a file for each that is
done.
Runs that are in the file are not made again: started anew after Ctrl-C, a kill
or a power cut, a sweep goes on where it stopped. A run is the same if seed,
solver, settings and protocol are, with -data as it was written; so one file may
hold several sweeps. Begin a new one when a solver's code or defaults change.

usage: train-rotmnist sweep -out FILE [flags]
       train-rotmnist table FILE...    what is in the files

A run that diverges is a result. From the first step whose loss is not finite,
or which the solver refuses for numbers that are not, the weights stay as they
are, and the run counts with what they predict; diverged_at is that step. A run
that fails in another way has a line with its error; delete it to try again.

-shard i/n makes every n-th run only, the first being number i, from 0: a job
array makes one sweep with i its index. Give every shard that runs on a machine
of its own a file of its own, and all of the files to table. Processes on one
machine may add to one file.

examples:
  train-rotmnist sweep -out sweep.jsonl -lr 1e-6..1 -seeds 1..3
        21 runs of each of the default solvers
  train-rotmnist sweep -out sweep.jsonl -solvers funnel -vary scale-rate=0.05,0.1,0.2
        three runs, in the same file if you like
  train-rotmnist sweep -out sweep.$I.jsonl -shard $I/8 -lr 1e-6..1 -seeds 1..3
        an eighth of the first

flags:
`

// sweepFlags are the flags of a sweep as they were given.
type sweepFlags struct {
	protocolFlags
	solvers, rates, seeds string
	vary                  []variation
	out, shard            string
	workers               int
	quiet                 bool
}

// variation is one -vary: a key of every solver, and its values.
type variation struct {
	key    string
	values []string
}

func newSweepFlags() (*flag.FlagSet, *sweepFlags) {
	fs, f := cli.NewFlags("train-rotmnist sweep"), new(sweepFlags)
	fs.StringVar(&f.solvers, "solvers", spec.Default, "comma-separated `list` of solvers, each name[:key=value]...; see below")
	fs.StringVar(&f.rates, "lr", "", "comma-separated learning `rates` for every solver; 1e-6..1 is every power of ten\nbetween them; without, each solver has its own")
	fs.StringVar(&f.seeds, "seeds", "1", "comma-separated `numbers` that data, weights and batches follow from; 1..5 is all between")
	fs.Func("vary", "another `key=value,value...` of every solver; may be given several times", func(text string) error {
		key, values, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("write key=value,value")
		}
		f.vary = append(f.vary, variation{key, strings.Split(values, ",")})
		return nil
	})
	f.define(fs)
	cli.PathVar(fs, &f.out, "out", "add the results to this `FILE`, and make no run that is in it")
	fs.StringVar(&f.shard, "shard", "0/1", "make every n-th run only, as `i/n`, i from 0")
	fs.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "`runs` at a time")
	fs.BoolVar(&f.quiet, "quiet", false, "no progress")
	return fs, f
}

// runSweep makes the runs that are not in the file yet.
func runSweep(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	const command = "train-rotmnist sweep"
	fs, f := newSweepFlags()
	err := cli.Parse(fs, args, stdout, sweepUsage, solversUsage())
	if errors.Is(err, flag.ErrHelp) {
		return cli.Done
	}
	var job *grid.Job
	if err == nil {
		job, err = f.job(fs)
	}
	if err == nil {
		err = job.Run(ctx, stdout, stderr)
	}
	return cli.Conclude(stderr, command, err, job.Progress)
}

// job returns the job that the flags ask for.
func (f *sweepFlags) job(fs *flag.FlagSet) (*grid.Job, error) {
	switch {
	case f.out == "":
		return nil, cli.Usage(errors.New("-out: name the file for the results"))
	case f.workers < 1:
		return nil, cli.Usage(fmt.Errorf("-workers: %d; there must be at least 1", f.workers))
	}
	o := grid.Options{Out: f.out, Workers: f.workers, Quiet: f.quiet}
	var err error
	if o.Protocol, o.Schedule, err = f.protocol(fs); err != nil {
		return nil, cli.Usage(err)
	}
	specs, err := f.specs(o.Protocol)
	if err != nil {
		return nil, cli.Usage(err)
	}
	seeds, err := sweep.Seeds(f.seeds)
	if err != nil {
		return nil, cli.Usage(fmt.Errorf("-seeds: %w", err))
	}
	i, n, err := sweep.ParseShard(f.shard)
	if err != nil {
		return nil, cli.Usage(fmt.Errorf("-shard: %w", err))
	}
	o.Runs = sweep.Shard(grid.Runs(specs, seeds), i, n)
	return grid.New(o), nil
}

// specs returns the solvers with every combination of learning rates and other
// settings. It is an error if two of their runs would be the same.
func (f *sweepFlags) specs(p results.Protocol) ([]spec.Spec, error) {
	list := f.solvers
	for _, v := range f.vary {
		list = spec.Vary(list, v.key, v.values)
	}
	if f.rates != "" {
		rates, err := sweep.LearningRates(f.rates)
		if err != nil {
			return nil, fmt.Errorf("-lr: %w", err)
		}
		list = spec.Vary(list, "lr", rates)
	}
	specs, err := spec.Parse(list)
	if err == nil {
		err = grid.Distinct(p, specs)
	}
	if err != nil {
		return nil, fmt.Errorf("-solvers, -lr or -vary: %w", err)
	}
	return specs, nil
}
