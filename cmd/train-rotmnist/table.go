package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
func runTable(files []string, stdout, stderr io.Writer) int {
	if len(files) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, files[0]) {
		fmt.Fprint(stdout, tableUsage)
		return cli.Done
	}
	return cli.Conclude(stderr, "train-rotmnist table", table(files, stdout), nil)
}

func table(files []string, stdout io.Writer) error {
	if len(files) == 0 || strings.HasPrefix(files[0], "-") {
		return cli.Usage(errors.New("table wants the files that -json or sweep -out wrote"))
	}
	records, err := readRuns(files)
	if err != nil {
		return err
	}
	return output.Means(stdout, records)
}

// readRuns reads the runs in files. Some files may have none, as a shard's has
// before its first run is done.
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
