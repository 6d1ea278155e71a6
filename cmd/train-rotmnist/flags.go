package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/mnist"
)

const usage = `train-rotmnist trains networks to read digits while they rotate, one with each
solver, from the same weights and on the same batches, and compares them.

usage: train-rotmnist [flags]
       train-rotmnist table FILE...    mean ± standard deviation over -json files

examples:
  train-rotmnist
        synthetic digits that jump by 60° every 400 steps; funnel, adam, momentum
  train-rotmnist -solvers funnel:lr=0.0001,momentum:lr=0.0001 -angles 0,90 -steps 200
        a learn rate that is far too small, for two solvers
  train-rotmnist -data mnist -drift 0.1 -steps 3600 -csv run.csv
        real digits (downloaded once) that turn all the way round

flags:
`

// config is what the flags say.
type config struct {
	solvers     []solvers.Spec
	data        string
	angles      []float64
	drift       float64
	steps       int
	batch       int
	hidden      []int
	seed        uint64
	csv, json   string
	quiet       bool
	showVersion bool

	schedule   mnist.Schedule
	parameters int // of the network
}

// parseFlags reads the command line. On -h it writes the help to w and returns
// flag.ErrHelp.
func parseFlags(args []string, w io.Writer) (*config, error) {
	c := new(config)
	var specs, angles, hidden string
	fs := flag.NewFlagSet("train-rotmnist", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // an error is one sentence, and the help is asked for
	fs.StringVar(&specs, "solvers", "funnel,adam,momentum", "comma-separated `list` of solvers, each name[:key=value]...; see below")
	fs.StringVar(&c.data, "data", "synthetic", "`SOURCE` of the digits: synthetic, made from the seed; mnist, the real ones,\ndownloaded once to the cache directory; or a directory with MNIST's IDX files")
	fs.StringVar(&angles, "angles", "0,60,120,180,240,300", "comma-separated `degrees`, counter-clockwise, held one after the other")
	fs.Float64Var(&c.drift, "drift", 0, "`degrees` to turn every step, instead of -angles")
	fs.IntVar(&c.steps, "steps", 400, "training `steps` at each angle, or in all with -drift")
	fs.IntVar(&c.batch, "batch", 128, "`images` in a training step")
	fs.StringVar(&hidden, "hidden", "128,64", "comma-separated `sizes` of the network's hidden layers")
	fs.Uint64Var(&c.seed, "seed", 1, "`number` that the data, the weights and the batches follow from")
	fs.StringVar(&c.csv, "csv", "", "write a row for each step and solver to this `FILE`")
	fs.StringVar(&c.json, "json", "", "write the summary to this `FILE`")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress, only the table")
	fs.BoolVar(&c.showVersion, "version", false, "print the version and stop")
	fs.Usage = func() {}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			help(fs, w)
		}
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; flags start with -", fs.Arg(0))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["drift"] && given["angles"] {
		return nil, errors.New("-angles and -drift cannot both be given; the digits either jump or drift")
	}
	return c, c.interpret(specs, angles, hidden, given["drift"])
}

func help(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprint(w, usage)
	fs.SetOutput(w)
	fs.PrintDefaults()
	fmt.Fprint(w, "\nsolvers and their keys (X is a number; what is not set has the library's default):\n", solvers.Usage())
}

// interpret turns the flags that are lists into what they mean.
func (c *config) interpret(specs, angles, hidden string, drifts bool) (err error) {
	if c.solvers, err = solvers.Parse(specs); err != nil {
		return fmt.Errorf("-solvers: %w", err)
	}
	if c.hidden, err = list(hidden, strconv.Atoi); err != nil {
		return fmt.Errorf("-hidden: %w", err)
	}
	if c.parameters, err = mnist.Parameters(c.hidden); err != nil {
		return fmt.Errorf("-hidden: %w", err)
	}
	switch {
	case c.steps < 1:
		return fmt.Errorf("-steps: %d; there must be at least 1", c.steps)
	case c.batch < 1:
		return fmt.Errorf("-batch: %d; there must be at least 1", c.batch)
	case c.csv != "" && filepath.Clean(c.csv) == filepath.Clean(c.json):
		return fmt.Errorf("-csv and -json both name %s", c.csv)
	}
	if drifts {
		c.angles = []float64{}
		if c.schedule, err = mnist.Drift(c.drift, c.steps); err != nil {
			return fmt.Errorf("-drift: %w", err)
		}
		return nil
	}
	if c.angles, err = list(angles, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); err != nil {
		return fmt.Errorf("-angles: %w", err)
	}
	if c.schedule, err = mnist.Jumps(c.angles, c.steps); err != nil {
		return fmt.Errorf("-angles: %w", err)
	}
	return nil
}

// list reads comma-separated numbers; none of an empty text.
func list[T any](text string, read func(string) (T, error)) ([]T, error) {
	xs := []T{} // in JSON a list without numbers is still a list
	if strings.TrimSpace(text) == "" {
		return xs, nil
	}
	for _, s := range strings.Split(text, ",") {
		x, err := read(strings.TrimSpace(s))
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		xs = append(xs, x)
	}
	return xs, nil
}
