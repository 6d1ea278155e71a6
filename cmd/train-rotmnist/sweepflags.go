package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/sweep"
)

const sweepUsage = `train-rotmnist sweep makes a run with every solver at every learn rate with every
seed, several at a time, and adds a line of JSON to a file for each that is done.
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

// sweepConfig is what the flags of a sweep say.
type sweepConfig struct {
	protocol
	runs    []sweep.Run // of this shard
	out     string
	workers int
	quiet   bool
}

func parseSweepFlags(args []string, w io.Writer) (*sweepConfig, error) {
	c := new(sweepConfig)
	fs := newFlagSet("train-rotmnist sweep")
	specs := fs.String("solvers", "funnel,funneladam,adam,momentum", "comma-separated `list` of solvers, each name[:key=value]...; see below")
	rates := fs.String("lr", "", "comma-separated learn `rates` for every solver; 1e-6..1 is every power of ten\nbetween them; without, each solver has its own")
	seeds := fs.String("seeds", "1", "comma-separated `numbers` that data, weights and batches follow from; 1..5 is all between")
	var factors [][]string
	fs.Func("vary", "another `key=value,value...` of every solver; may be given several times", func(text string) error {
		key, values, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("write key=value,value")
		}
		var factor []string
		for _, v := range strings.Split(values, ",") {
			factor = append(factor, key+"="+strings.TrimSpace(v))
		}
		factors = append(factors, factor)
		return nil
	})
	c.define(fs)
	fs.StringVar(&c.out, "out", "", "add the results to this `FILE`, and make no run that is in it")
	shard := fs.String("shard", "0/1", "make every n-th run only, as `i/n`, i from 0")
	fs.IntVar(&c.workers, "workers", runtime.GOMAXPROCS(0), "`runs` at a time")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress")
	if err := read(fs, args, w, sweepUsage); err != nil {
		return nil, err
	}
	switch {
	case c.out == "":
		return nil, errors.New("-out: name the file for the results")
	case c.workers < 1:
		return nil, fmt.Errorf("-workers: %d; there must be at least 1", c.workers)
	}
	if err := c.interpret(fs); err != nil {
		return nil, err
	}
	return c, c.plan(*specs, *rates, *seeds, *shard, factors)
}

// plan makes the list of runs.
func (c *sweepConfig) plan(specs, rates, seeds, shard string, factors [][]string) error {
	if rates != "" {
		lr, err := powers(rates)
		if err != nil {
			return fmt.Errorf("-lr: %w", err)
		}
		factors = append(factors, lr)
	}
	texts := strings.Split(specs, ",")
	for _, factor := range factors {
		texts = times(texts, factor)
	}
	kinds, err := solvers.Parse(strings.Join(texts, ","))
	if err != nil {
		return fmt.Errorf("-solvers, -lr or -vary: %w", err)
	}
	numbers, err := between(seeds)
	if err != nil {
		return fmt.Errorf("-seeds: %w", err)
	}
	if err := c.differ(kinds); err != nil {
		return fmt.Errorf("-solvers, -lr or -vary: %w", err)
	}
	var all []sweep.Run
	for _, seed := range numbers {
		for _, spec := range kinds {
			all = append(all, sweep.Run{Spec: spec, Seed: seed})
		}
	}
	i, n, err := part(shard)
	if err != nil {
		return fmt.Errorf("-shard: %w", err)
	}
	c.runs = sweep.Shard(all, i, n)
	return nil
}

// differ finds the run that would be made twice.
func (c *sweepConfig) differ(kinds []solvers.Spec) error {
	texts := map[string]string{}
	for _, spec := range kinds {
		r := sweep.Record(c.Protocol, sweep.Run{Spec: spec})
		if text, twice := texts[r.Key()]; twice {
			return fmt.Errorf("%s and %s are one run; give only one of them", text, spec.Text)
		}
		texts[r.Key()] = spec.Text
	}
	return nil
}

// times adds each of the settings to each of the solvers.
func times(texts, settings []string) []string {
	var all []string
	for _, t := range texts {
		for _, s := range settings {
			all = append(all, strings.TrimSpace(t)+":"+s)
		}
	}
	return all
}

// powers reads learn rates, each a number or a range in powers of ten. One
// number is always written the same way.
func powers(text string) ([]string, error) {
	var lr []string
	for _, s := range strings.Split(text, ",") {
		low, high := ends(s)
		digits, from, err := scientific(low)
		same, to, err2 := scientific(high)
		switch {
		case err != nil || err2 != nil:
			return nil, fmt.Errorf("%q is not a number, nor two with .. between them", s)
		case digits != same || to < from:
			return nil, fmt.Errorf("%q: the second number is not the first times a power of ten", s)
		}
		for e := from; e <= to; e++ {
			x, _ := strconv.ParseFloat(fmt.Sprintf("%se%d", digits, e), 64)
			lr = append(lr, "lr="+strconv.FormatFloat(x, 'g', -1, 64))
		}
	}
	return lr, nil
}

// ends are those of a range, low..high, or twice the same number.
func ends(text string) (low, high string) {
	low, high, ok := strings.Cut(text, "..")
	if !ok {
		high = low
	}
	return strings.TrimSpace(low), strings.TrimSpace(high)
}

// scientific is a number as digits × 10^exponent.
func scientific(text string) (digits string, exponent int, err error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", 0, err
	}
	digits, after, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	exponent, err = strconv.Atoi(after) // none of Inf and NaN
	return digits, exponent, err
}

// mostSeeds is how long a range of seeds may be, against a slip of the finger.
const mostSeeds = 10_000

// between reads seeds, each a number or a range.
func between(text string) ([]uint64, error) {
	var seeds []uint64
	for _, s := range strings.Split(text, ",") {
		low, high := ends(s)
		a, err := strconv.ParseUint(low, 10, 64)
		b, err2 := strconv.ParseUint(high, 10, 64)
		switch {
		case err != nil || err2 != nil || b < a:
			return nil, fmt.Errorf("%q is not a whole number of at least 0, nor two with .. between them", s)
		case b-a >= mostSeeds:
			return nil, fmt.Errorf("%q is more than %d numbers", s, mostSeeds)
		}
		for k := range b - a + 1 {
			if slices.Contains(seeds, a+k) {
				return nil, fmt.Errorf("%d is given twice", a+k)
			}
			seeds = append(seeds, a+k)
		}
	}
	return seeds, nil
}

// part reads i/n.
func part(text string) (i, n int, err error) {
	first, second, _ := strings.Cut(text, "/")
	i, err = strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if err != nil || err2 != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("%q is not i/n with i from 0 to n-1", text)
	}
	return i, n, nil
}
