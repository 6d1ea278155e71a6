package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/files"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

const reportUsage = `train-rotmnist report writes one page with charts of the runs in several files, to be
opened in a browser.

usage: train-rotmnist report [flags] FILE...

A FILE is one that -json wrote. Files of versions that did not write the course of
the runs have only their rows in the table.

flags:
`

// runReport writes the page of the runs in files.
func runReport(args []string, stdout, stderr io.Writer) int {
	fs := cli.NewFlags("train-rotmnist report")
	out := "report.html"
	cli.OutputVar(fs, &out, "o", "write the page to this `FILE`; - is standard output")
	paths, err := filesAmong(fs, args, stdout, reportUsage, "report wants files that -json wrote")
	if errors.Is(err, flag.ErrHelp) {
		return cli.Done
	}
	if err == nil {
		err = writeReport(out, paths, stdout)
	}
	return cli.Conclude(stderr, "train-rotmnist report", err, nil)
}

// filesAmong parses the flags, which may stand before, between and after the files.
// Without a file, it returns the error wants.
func filesAmong(fs *flag.FlagSet, args []string, stdout io.Writer, usage, wants string) (paths []string, err error) {
	for {
		if err := cli.ParseFirst(fs, args, stdout, usage, ""); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			break
		}
		paths, args = append(paths, fs.Arg(0)), fs.Args()[1:]
	}
	if len(paths) == 0 {
		return nil, cli.Usage(errors.New(wants))
	}
	return paths, nil
}

// writeReport writes the page and then prints the name of its file, unless the page
// went to standard output or a device.
func writeReport(out string, paths []string, stdout io.Writer) error {
	var read []*report.File
	for _, path := range paths {
		if files.Resolved(path) == files.Resolved(out) {
			return cli.Usage(fmt.Errorf("-o %s would replace one of the files that are read; name another", out))
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := report.Read(path, b)
		if err != nil {
			return fmt.Errorf("%s is no file that -json wrote: %w", path, err)
		}
		read = append(read, f)
	}
	err := files.Write(stdout, "-o", out, func(w io.Writer) error { return report.WriteFiles(w, read) })
	if err == nil && out != cli.Stdout && !files.Device(out) {
		fmt.Fprintln(stdout, out)
	}
	return err
}
