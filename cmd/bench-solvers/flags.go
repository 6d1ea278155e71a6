package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/bench"
	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/problem"
	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/suggest"
	"github.com/seed1e560811/funnel/cmd/internal/sweep"
)

const usage = `bench-solvers trains each solver on each of many small problems and prints how it
did: its score, the mean over the last tenth of the steps, and the ratio of that
to the best tuned peer's. Lower is better, for both. -list says what the problems
and their scores are. For one seed, all solvers begin with the same weights and
see the same batches.

usage: bench-solvers [flags]

The peers are Gorgonia's Adam and momentum. With -tuned both are run with eight
learning rates, 1e-4 to 0.3, and each problem's best is what others are compared
with; without, peers are what -solvers has of them: Adam at 0.001. On two cores
the default takes one to three minutes, and -tuned six to fifteen for each seed.

Scores below a problem's floor, where differences mean nothing, count as the
floor. A run diverges where its loss or score is not finite, or where a step is
refused for such numbers; its ratio counts as 1000, as does any larger one. With
several seeds the ratio is of the mean scores.

-out FILE has a line of JSON for each run that is done. A run that is in FILE is
not made again: after Ctrl-C or a kill the same command goes on where it stopped,
and solvers or seeds can be added. Begin a new file, or delete lines, when a
solver's code or defaults have changed.

examples:
  bench-solvers -out bench.jsonl
        ours and Adam at 0.001
  bench-solvers -out bench.jsonl -tuned -solvers funnel,funneladam,prodigy,dog,schedulefree
        the peers tuned, and those that need no learning rate
  bench-solvers -problem lstm,td -solvers funneladam,funneladam:scale-rate=0.05 -tuned -seeds 1..3
        what a setting does

flags:
`

// grid is the tuned peers' learning rates.
const grid = "1e-4..0.1,3e-4..0.3"

// config has the parsed flags.
type config struct {
	bench.Plan
	out     string
	workers int
	quiet   bool
	list    bool
	version bool
}

// parseFlags reads the command line. On -h it writes the help to w.
func parseFlags(args []string, w io.Writer) (*config, error) {
	c := new(config)
	fs := cli.NewFlags("bench-solvers")
	names := fs.String("problem", "", "comma-separated `names` of problems; without, all")
	solvers := fs.String("solvers", "funnel,funneladam,adam", "comma-separated `list` of solvers, each name[:key=value]...;\nsee below")
	tuned := fs.Bool("tuned", false, "run Adam and momentum with every learning rate of -lr, and compare with their best")
	rates := fs.String("lr", grid, "comma-separated `rates` for -tuned, which it implies; 1e-4..0.1 is every power of\nten between them")
	seeds := fs.String("seeds", "1", "comma-separated `numbers` that data, weights and batches follow from;\n1..3 is all between")
	cli.PathVar(fs, &c.out, "out", "add the results to this `FILE`, and make no run that is in it")
	fs.IntVar(&c.workers, "workers", runtime.GOMAXPROCS(0), "`runs` at a time")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress, only the table")
	fs.BoolVar(&c.list, "list", false, "say what the problems are, and stop")
	fs.BoolVar(&c.version, "version", false, "print the version and stop")
	if err := cli.Parse(fs, args, w, usage, keys()); err != nil {
		return nil, err
	}
	if c.workers < 1 {
		return nil, cli.Usage(fmt.Errorf("-workers: %d; there must be at least 1", c.workers))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["problem"] && strings.TrimSpace(*names) == "" {
		return nil, cli.Usage(errors.New("-problem: the name of a problem is missing; give one, or leave the flag out for all"))
	}
	return c, cli.Usage(c.plan(*names, *solvers, *rates, *seeds, *tuned || given["lr"]))
}

// plan parses the flags that say what to run.
func (c *config) plan(names, solvers, rates, seeds string, tuned bool) (err error) {
	if c.Problems, err = problems(names); err != nil {
		return fmt.Errorf("-problem: %w", err)
	}
	if c.Contestants, err = bench.ParseContestants(solvers); err != nil {
		return fmt.Errorf("-solvers: %w", err)
	}
	if c.Seeds, err = sweep.Seeds(seeds); err != nil {
		return fmt.Errorf("-seeds: %w", err)
	}
	if !tuned {
		return nil
	}
	lr, err := sweep.LearningRates(rates)
	if err == nil {
		c.Grid, err = bench.ParseContestants(spec.Vary("adam,momentum", "lr", lr))
	}
	if err != nil {
		return fmt.Errorf("-lr: %w", err)
	}
	return nil
}

// problems returns the problems that a comma-separated list names, in its order; all
// for an empty list.
func problems(names string) ([]*problem.Problem, error) {
	all := problem.All()
	if names == "" {
		return all, nil
	}
	var known []string
	for _, p := range all {
		known = append(known, p.Name)
	}
	var chosen []*problem.Problem
	for _, name := range strings.Split(names, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(known, name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("unknown problem %q%s", name, suggest.Meant(name, "known are", known))
		case slices.Contains(chosen, all[i]):
			return nil, fmt.Errorf("problem %q is given twice", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// keys describes the solvers and their keys, for the help.
func keys() string {
	return fmt.Sprintf("\nsolvers and their keys (X is a number; what is not set has the library's default);\n%s need no learning rate and take no keys:\n%s",
		strings.Join(bench.Peers(), ", "), spec.Usage())
}

// list prints a table of the problems.
func list(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "problem\tsteps\tseconds\tscore\tfloor\twhat is learned")
	for _, p := range problem.All() {
		fmt.Fprintf(t, "%s\t%d\t%v\t%s\t%v\t%s\n", p.Name, p.Steps, p.Seconds, p.Score, p.Floor, p.About)
	}
	return t.Flush()
}
