package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/compare"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/ranks"
)

// A run that is resumed has the flags that it was started with.

// unsaved are the flags that do not say what is run. They are not saved, and may
// change when a run is resumed.
var unsaved = []string{"checkpoint", "resume", "http", "http-linger", "mpi", "watch", "quiet", "version"}

// replaceable are the saved flags that may change when a run is resumed.
var replaceable = []string{"json", "report"}

// formerly has the flags whose defaults have changed, with the earlier ones. These
// flags are always saved; a checkpoint without one is from an earlier version and
// means this value.
var formerly = map[string]string{"solvers": "funnel,funneladam,adam,momentum"}

// described returns the flags to save: those that were given, and those in formerly.
func described(fs *flag.FlagSet) map[string]string {
	all := given(fs)
	for name := range formerly {
		all[name] = fs.Lookup(name).Value.String()
	}
	return all
}

// given returns the flags that were given, except unsaved ones.
func given(fs *flag.FlagSet) map[string]string {
	given := map[string]string{}
	fs.Visit(func(f *flag.Flag) {
		if !slices.Contains(unsaved, f.Name) {
			given[f.Name] = f.Value.String()
		}
	})
	return given
}

// resume returns the flags that the run in f.resume was started with, overridden by
// args, and the run's open directory, which is nil on ranks but the first.
func resume(fs *flag.FlagSet, f *compareFlags, args []string, all *ranks.Ranks) (*flag.FlagSet, *compareFlags, *checkpoint.Directory, error) {
	if f.checkpoint != "" {
		return nil, nil, nil, cli.Usage(errors.New("-checkpoint and -resume cannot both be given; a run that is resumed keeps its directory"))
	}
	dir, own, err := open(f.resume, all)
	record, err := all.Record(own, err)
	if err == nil {
		for name, value := range formerly {
			if _, saved := record.Flags[name]; !saved {
				record.Flags[name] = value
			}
		}
		err = agree(fs, record.Flags)
	}
	if err == nil {
		err = asMany(record, all)
	}
	merged, values := newCompareFlags()
	if err == nil {
		values.arithmetic = cmp.Or(record.Arithmetic, compare.EarlierArithmetic)
		err = merge(merged, record.Flags, args)
	}
	if err != nil {
		if dir != nil {
			dir.Close()
		}
		return nil, nil, nil, fmt.Errorf("-resume %s: %w", f.resume, err)
	}
	return merged, values, dir, nil
}

// open opens the directory of the run that is to be resumed, on the first rank.
func open(path string, all *ranks.Ranks) (*checkpoint.Directory, *checkpoint.Record, error) {
	if !all.First() {
		return nil, nil, nil
	}
	dir, err := checkpoint.Open(path)
	if err != nil {
		return nil, nil, cli.Cause(err)
	}
	record, err := dir.Newest()
	return dir, record, err
}

// agree refuses flags that differ from those that the run was started with.
func agree(fs *flag.FlagSet, run map[string]string) error {
	var differences []string
	given := given(fs)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(replaceable, name) {
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
		return cli.Usage(fmt.Errorf("it was started with other flags: %s; leave them out, or start a run of its own", strings.Join(differences, ", ")))
	}
	return nil
}

// asMany refuses to go on with a run on another number of ranks.
func asMany(run *checkpoint.Record, all *ranks.Ranks) error {
	there, here := max(1, run.Ranks), all.Size()
	if there == here {
		return nil
	}
	return cli.Usage(fmt.Errorf("it was started with %d of -mpi's ranks, and here %d; only with as many does it end with the same bits", there, here))
}

// merge sets the flags that the run was started with, and then those of the
// command line.
func merge(fs *flag.FlagSet, run map[string]string, args []string) error {
	for name, value := range run {
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("its flag -%s %s is not known to this version: %w", name, value, err)
		}
	}
	return fs.Parse(args)
}

// commandLine returns the arguments that start the same run.
func commandLine(fs *flag.FlagSet, all *ranks.Ranks) []string {
	var args []string
	if all != nil {
		args = append(args, "-mpi")
	}
	flags := described(fs)
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		args = append(args, "-"+name, flags[name])
	}
	return args
}
