package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
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
  train-rotmnist -steps 20000 -checkpoint run
  train-rotmnist -resume run
        a long run, and how it goes on after a crash or Ctrl-C
  train-rotmnist -http 8080 -report run.html
        charts in a browser while it trains, and in a file to keep

flags:
`

// config is what the flags say.
type config struct {
	protocol
	solvers         []solvers.Spec
	seed            uint64
	csv, json       string
	report          string
	http            string
	linger          bool
	onNonFinite     experiment.Policy
	checkpoint      string
	checkpointEvery int
	resume          string
	mpi             bool
	watch, quiet    bool
	showVersion     bool

	args  []string          // the command line
	given map[string]string // the flags that say what is run, as they were given
	kept  bool              // there is a checkpoint
	ranks *ranks            // nil without -mpi

	server   *live.Server // of the page; nil if there is none
	finished bool         // the page shows what came of it
}

// unbound are the flags that may differ in a run that is resumed: they say
// nothing of what is run.
var unbound = []string{"checkpoint", "resume", "http", "http-linger", "mpi", "watch", "quiet", "version"}

// loose are those that a run keeps until others are given.
var loose = []string{"json", "report"}

// parseFlags reads the command line. On -h it writes the help to w and returns
// flag.ErrHelp. A run that is resumed has the flags that it was started with;
// its directory is left open, and nil without -resume. With -mpi this process
// has then joined the others, unless the flags could not be read.
func parseFlags(args []string, w io.Writer) (*config, *checkpoint.Directory, error) {
	c := &config{args: args}
	fs := newFlagSet("train-rotmnist")
	specs := fs.String("solvers", "funnel,funneladam,adam,momentum", "comma-separated `list` of solvers, each name[:key=value]...; see below")
	c.define(fs)
	fs.Uint64Var(&c.seed, "seed", 1, "`number` that the data, the weights and the batches follow from")
	fs.StringVar(&c.csv, "csv", "", "write a row for each step and solver to this `FILE`")
	fs.StringVar(&c.json, "json", "", "write the summary to this `FILE`")
	fs.StringVar(&c.report, "report", "", "write a page with charts and the table, in one piece, to this `FILE`")
	fs.StringVar(&c.http, "http", "", "serve that page while it trains at this `ADDR`, such as 8080, on this machine only;\nor at host:port, for others, too")
	fs.BoolVar(&c.linger, "http-linger", false, "go on serving it when all is done, until Ctrl-C")
	policy := fs.String("on-nonfinite", "stop", "`what` to do about NaN or Inf in a loss or a gradient: stop that solver's run,\nor skip the batch and count it")
	fs.StringVar(&c.checkpoint, "checkpoint", "", "keep the last two checkpoints of the run in this `DIR`; where one cannot be\nwritten, the run says so and goes on")
	fs.IntVar(&c.checkpointEvery, "checkpoint-every", 100, "`steps` from one checkpoint to the next")
	fs.StringVar(&c.resume, "resume", "", "go on with the run in this `DIR`, with the flags that it was started with")
	fs.BoolVar(&c.mpi, "mpi", false, "train on all ranks that mpirun or srun has started, each with its share of every\nbatch; for programs built with -tags mpi")
	fs.BoolVar(&c.watch, "watch", false, "show accuracy, scale and gains in the terminal while it trains")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress, only the table")
	fs.BoolVar(&c.showVersion, "version", false, "print the version and stop")
	if err := read(fs, args, w, usage); err != nil {
		return c, nil, asUsage(err)
	}
	if err := c.join(); err != nil {
		return c, nil, err
	}
	dir, err := c.adopt(fs)
	if err != nil {
		return c, nil, err
	}
	if err = c.interpretAll(fs, *specs, *policy); err != nil && dir != nil {
		dir.Close()
	}
	c.silence()
	return c, dir, asUsage(err)
}

// adopt takes the flags of the run that is to be resumed, which must not differ
// from those that are given.
func (c *config) adopt(fs *flag.FlagSet) (*checkpoint.Directory, error) {
	c.given = map[string]string{}
	fs.Visit(func(f *flag.Flag) {
		if !slices.Contains(unbound, f.Name) {
			c.given[f.Name] = f.Value.String()
		}
	})
	if c.resume == "" {
		return nil, nil
	}
	if c.checkpoint != "" {
		return nil, usageError{errors.New("-checkpoint and -resume cannot both be given; a run that is resumed keeps its directory")}
	}
	dir, own, err := c.open()
	run, err := c.ranks.record(own, err)
	if err == nil {
		err = agree(fs, c.given, run.Flags)
	}
	if err == nil {
		err = c.ranks.asMany(run)
	}
	if err != nil {
		if dir != nil {
			dir.Close()
		}
		return nil, fmt.Errorf("-resume %s: %w", c.resume, err)
	}
	for _, name := range loose {
		if value, ok := c.given[name]; ok {
			run.Flags[name] = value
		}
	}
	c.given, c.checkpoint = run.Flags, c.resume
	return dir, nil
}

// open opens the directory of the run that is to be resumed, on rank 0.
func (c *config) open() (*checkpoint.Directory, *checkpoint.Record, error) {
	if !c.ranks.first() {
		return nil, nil, nil
	}
	dir, err := checkpoint.Open(c.resume)
	if err != nil {
		return nil, nil, cause(err)
	}
	run, err := dir.Newest()
	return dir, run, err
}

// agree sets the flags of the run, and refuses others.
func agree(fs *flag.FlagSet, given, run map[string]string) error {
	var differences []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(loose, name) {
			continue
		}
		there, ok := run[name]
		if !ok {
			there = fs.Lookup(name).DefValue
		}
		if given[name] != there {
			differences = append(differences, fmt.Sprintf("-%s is %q in the run and %q here", name, there, given[name]))
		}
	}
	if len(differences) > 0 {
		return usageError{fmt.Errorf("it was started with other flags: %s; leave them out, or start a run of its own", strings.Join(differences, ", "))}
	}
	for name, value := range run {
		if _, now := given[name]; now {
			continue // as in the run, or loose
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("its flag -%s %s is not known to this version: %w", name, value, err)
		}
	}
	return nil
}

// interpretAll turns the flags into what they mean.
func (c *config) interpretAll(fs *flag.FlagSet, specs, policy string) (err error) {
	if c.solvers, err = solvers.Parse(specs); err != nil {
		return fmt.Errorf("-solvers: %w", err)
	}
	switch policy {
	case "stop":
		c.onNonFinite = experiment.Stop
	case "skip":
		c.onNonFinite = experiment.Skip
	default:
		return fmt.Errorf("-on-nonfinite: %q is neither stop nor skip", policy)
	}
	switch _, every := c.given["checkpoint-every"]; {
	case c.checkpointEvery < 1:
		return fmt.Errorf("-checkpoint-every: %d; there must be at least 1 step", c.checkpointEvery)
	case every && c.checkpoint == "":
		return errors.New("-checkpoint-every: there are no checkpoints without -checkpoint DIR")
	case c.watch && c.quiet:
		return errors.New("-watch and -quiet cannot both be given")
	case c.linger && c.http == "":
		return errors.New("-http-linger: there is no page without -http ADDR")
	}
	if err := c.distinct(); err != nil {
		return err
	}
	if c.http != "" {
		if err := live.CheckAddress(c.http); err != nil {
			return fmt.Errorf("-http: %w", err)
		}
	}
	if err := c.interpret(fs); err != nil {
		return err
	}
	return c.divisible()
}

// distinct finds two flags that name one file.
func (c *config) distinct() error {
	names := map[string]string{}
	for _, f := range [][2]string{{"-csv", c.csv}, {"-json", c.json}, {"-report", c.report}} {
		if f[1] == "" || device(f[1]) {
			continue
		}
		flag, path := f[0], resolved(f[1])
		if other, ok := names[path]; ok {
			return fmt.Errorf("%s and %s both name %s", other, flag, f[1])
		}
		names[path] = flag
	}
	return nil
}

// resolved is a path behind links, as far as it exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// asUsage is err as a mistake in the flags, but for flag.ErrHelp.
func asUsage(err error) error {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{err}
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
