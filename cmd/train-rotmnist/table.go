package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

const tableUsage = `train-rotmnist table prints mean ± standard deviation over runs, for each solver
and learning rate; and where solvers have several learning rates, for each solver its
best one, its accuracy there and at the default of 0.001, and its tolerance.

usage: train-rotmnist table FILE...

A file is one that -json or sweep -out wrote; a sweep's may still be empty. Runs
of different protocols have tables of their own. A run that is there twice
counts once, and a result stands for a failure; two different results of one
run, but for its times, are an error.

Tolerance is over how many powers of ten of learning rate a solver stays within 2
points of its own best mean accuracy: the logarithm of the highest over the
lowest learning rate of those around the best one that are all that good. ≥ stands
before it where that goes on to the edge of what was tried.
`

// runTable prints means over the runs in files.
func runTable(args []string, stdout, stderr io.Writer) int {
	const command = "train-rotmnist table"
	paths, err := filesAmong(cli.NewFlags(command), args, stdout, tableUsage, "table wants the files that -json or sweep -out wrote")
	if errors.Is(err, flag.ErrHelp) {
		return cli.Done
	}
	if err == nil {
		err = table(paths, stdout)
	}
	return cli.Conclude(stderr, command, err, nil)
}

func table(paths []string, stdout io.Writer) error {
	records, err := readRuns(paths)
	if err != nil {
		return err
	}
	return output.Means(stdout, records)
}

// readRuns reads the runs in files. Some files may be empty, as a shard's is before
// its first run ends.
func readRuns(files []string) ([]results.Record, error) {
	var records []results.Record
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		runs, err := results.Read(name, b)
		if err != nil {
			return nil, fmt.Errorf("%s is no file that -json or sweep -out wrote: %w", name, err)
		}
		records = append(records, runs...)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("there is no run in %s", strings.Join(files, ", "))
	}
	return records, nil
}
