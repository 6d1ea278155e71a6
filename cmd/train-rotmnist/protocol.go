package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/mnist"
)

// protocol is what the runs of one comparison, or sweep, have in common.
type protocol struct {
	output.Protocol
	schedule       mnist.Schedule
	angles, hidden string // as given
}

func (p *protocol) define(fs *flag.FlagSet) {
	fs.StringVar(&p.Data, "data", "synthetic", "`SOURCE` of the digits: synthetic, made from the seed; mnist, the real ones,\ndownloaded once to the cache directory; or a directory with MNIST's IDX files")
	fs.StringVar(&p.angles, "angles", "0,60,120,180,240,300", "comma-separated `degrees`, counter-clockwise, held one after the other")
	fs.Float64Var(&p.Drift, "drift", 0, "`degrees` to turn every step, instead of -angles")
	fs.IntVar(&p.Steps, "steps", 400, "training `steps` at each angle, or in all with -drift")
	fs.IntVar(&p.Batch, "batch", 128, "`images` in a training step")
	fs.StringVar(&p.hidden, "hidden", "128,64", "comma-separated `sizes` of the network's hidden layers")
}

// interpret turns the flags into what they mean.
func (p *protocol) interpret(fs *flag.FlagSet) (err error) {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if p.Hidden, err = list(p.hidden, strconv.Atoi); err != nil {
		return fmt.Errorf("-hidden: %w", err)
	}
	if p.Parameters, err = mnist.Parameters(p.Hidden); err != nil {
		return fmt.Errorf("-hidden: %w", err)
	}
	switch {
	case given["drift"] && given["angles"]:
		return errors.New("-angles and -drift cannot both be given; the digits either jump or drift")
	case p.Steps < 1:
		return fmt.Errorf("-steps: %d; there must be at least 1", p.Steps)
	case p.Batch < 1:
		return fmt.Errorf("-batch: %d; there must be at least 1", p.Batch)
	}
	if given["drift"] {
		p.Angles = []float64{}
		if p.schedule, err = mnist.Drift(p.Drift, p.Steps); err != nil {
			return fmt.Errorf("-drift: %w", err)
		}
		return nil
	}
	if p.Angles, err = list(p.angles, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); err != nil {
		return fmt.Errorf("-angles: %w", err)
	}
	if p.schedule, err = mnist.Jumps(p.Angles, p.Steps); err != nil {
		return fmt.Errorf("-angles: %w", err)
	}
	return nil
}

// fits finds the mistake that only shows with the data.
func (p *protocol) fits(digits *mnist.Dataset) error {
	if p.Batch > digits.Len() {
		return usageError{fmt.Errorf("-batch: %d; the data set has %d images", p.Batch, digits.Len())}
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
