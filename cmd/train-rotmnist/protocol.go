package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/suggest"
	"github.com/seed1e560811/funnel/mnist"
)

// protocolFlags say what the runs of a comparison, or of a sweep, have in common.
type protocolFlags struct {
	data         string
	angles       string
	drift        float64
	steps, batch int
	model        string
	hidden       string
}

func (f *protocolFlags) define(fs *flag.FlagSet) {
	fs.StringVar(&f.data, "data", "synthetic", "`SOURCE` of the digits: synthetic, made from the seed; mnist, the real ones,\ndownloaded once to the cache directory; or a directory with MNIST's IDX files")
	fs.StringVar(&f.angles, "angles", "0,60,120,180,240,300", "comma-separated `degrees` to turn the digits to, counter-clockwise, one after the\nother")
	fs.Float64Var(&f.drift, "drift", 0, "`degrees` to turn every step, instead of -angles")
	fs.IntVar(&f.steps, "steps", 400, "training `steps` at each angle, or in all with -drift")
	fs.IntVar(&f.batch, "batch", 128, "`images` in a training step")
	fs.StringVar(&f.model, "model", "mlp", "the `network`: mlp, a multilayer perceptron, or conv, a small convnet, whose\nsteps take longer")
	fs.StringVar(&f.hidden, "hidden", "128,64", "comma-separated `sizes` of the perceptron's hidden layers; \"\" for none")
}

// protocol parses the flags.
func (f *protocolFlags) protocol(fs *flag.FlagSet) (p results.Protocol, s mnist.Schedule, err error) {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	p = results.Protocol{Data: f.data, Steps: f.steps, Batch: f.batch, Drift: f.drift, Angles: []float64{}}
	if err = f.network(&p, given["hidden"]); err != nil {
		return p, s, err
	}
	switch {
	case given["drift"] && given["angles"]:
		return p, s, errors.New("-angles and -drift cannot both be given; the digits either jump or drift")
	case p.Data == "":
		return p, s, errors.New("-data: its name is empty; give synthetic, mnist or a directory")
	case p.Steps < 1:
		return p, s, fmt.Errorf("-steps: %d; there must be at least 1", p.Steps)
	case p.Batch < 1:
		return p, s, fmt.Errorf("-batch: %d; there must be at least 1", p.Batch)
	}
	if given["drift"] {
		if s, err = mnist.Drift(p.Drift, p.Steps); err != nil {
			err = fmt.Errorf("-drift: %w", err)
		}
		return p, s, err
	}
	if p.Angles, err = list(f.angles, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); err == nil {
		s, err = mnist.Jumps(p.Angles, p.Steps)
	}
	if err != nil {
		err = fmt.Errorf("-angles: %w", err)
	}
	return p, s, err
}

// network sets the protocol's network. sized says that -hidden was given.
func (f *protocolFlags) network(p *results.Protocol, sized bool) (err error) {
	switch f.model {
	case "mlp":
		if p.Hidden, err = list(f.hidden, strconv.Atoi); err == nil {
			p.Parameters, err = mnist.Parameters(p.Hidden)
		}
		if err != nil {
			return fmt.Errorf("-hidden: %w", err)
		}
	case results.Conv:
		if sized {
			return errors.New("-hidden: the layers of -model conv have the sizes that they have; leave -hidden out")
		}
		p.Network, p.Hidden, p.Parameters = results.Conv, []int{}, mnist.ConvParameters
	default:
		return fmt.Errorf("-model: unknown network %q%s", f.model, suggest.Meant(f.model, "known are", []string{"mlp", results.Conv}))
	}
	return nil
}

// list reads comma-separated numbers; an empty text has none.
func list[T any](text string, read func(string) (T, error)) ([]T, error) {
	xs := []T{} // not nil, which JSON would have as null
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
