package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
)

const usage = `train-rotmnist trains networks to read digits while they rotate, one with each
solver, from the same weights and on the same batches, and compares them.

usage: train-rotmnist [flags]
       train-rotmnist sweep -h         many runs: solvers, learn rates, seeds
       train-rotmnist table FILE...    means over runs: -json files and sweeps

examples:
  train-rotmnist
        synthetic digits that jump by 60° every 400 steps; the default solvers
  train-rotmnist -solvers funnel:lr=0.0001,momentum:lr=0.0001 -angles 0,90 -steps 200
        a learn rate that is far too small, for two solvers
  train-rotmnist -data mnist -drift 0.1 -steps 3600 -csv run.csv
        real digits (downloaded once) that turn all the way round

flags:
`

// config is what the flags say.
type config struct {
	protocol
	solvers     []solvers.Spec
	seed        uint64
	csv, json   string
	quiet       bool
	showVersion bool
}

// parseFlags reads the command line. On -h it writes the help to w and returns
// flag.ErrHelp.
func parseFlags(args []string, w io.Writer) (*config, error) {
	c := new(config)
	fs := newFlagSet("train-rotmnist")
	specs := fs.String("solvers", "funnel,funneladam,adam,momentum", "comma-separated `list` of solvers, each name[:key=value]...; see below")
	c.define(fs)
	fs.Uint64Var(&c.seed, "seed", 1, "`number` that the data, the weights and the batches follow from")
	fs.StringVar(&c.csv, "csv", "", "write a row for each step and solver to this `FILE`")
	fs.StringVar(&c.json, "json", "", "write the summary to this `FILE`")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress, only the table")
	fs.BoolVar(&c.showVersion, "version", false, "print the version and stop")
	if err := read(fs, args, w, usage); err != nil {
		return nil, err
	}
	var err error
	if c.solvers, err = solvers.Parse(*specs); err != nil {
		return nil, fmt.Errorf("-solvers: %w", err)
	}
	if c.csv != "" && filepath.Clean(c.csv) == filepath.Clean(c.json) {
		return nil, fmt.Errorf("-csv and -json both name %s", c.csv)
	}
	return c, c.interpret(fs)
}

// newFlagSet makes flags for read.
func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one sentence, and the help is asked for
	fs.Usage = func() {}
	return fs
}

// read reads flags that are to be the whole command line. On -h it writes the
// help to w.
func read(fs *flag.FlagSet, args []string, w io.Writer, usage string) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(w, usage)
			fs.SetOutput(w)
			fs.PrintDefaults()
			fmt.Fprint(w, "\nsolvers and their keys (X is a number; what is not set has the library's default):\n", solvers.Usage())
		}
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; flags start with -, and sweep and table come first", fs.Arg(0))
	}
	return nil
}
