// Command train-rotmnist trains a network to read digits while they rotate,
// and compares the solvers that train it. See train-rotmnist -h.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

// Exit statuses.
const (
	done        = 0
	failed      = 1
	misused     = 2
	interrupted = 130 // as a shell has it for SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "table":
			return table(args[1:], stdout, stderr)
		case "sweep":
			return runSweep(ctx, args[1:], stdout, stderr)
		}
	}
	c, dir, err := parseFlags(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err == nil && c.showVersion:
		fmt.Fprintln(stdout, version())
		return done
	}
	stdout, stderr = c.ranks.outputs(stdout, stderr)
	if err = c.ranks.settle(err); err == nil {
		err = compare(ctx, c, dir, stdout, stderr)
	}
	defer c.stopServing()
	return c.ranks.end(err, func() int {
		status := conclude(ctx, "train-rotmnist", err, stderr, left(c))
		c.stay(ctx, stdout, stderr)
		return status
	})
}

// left is what there is of a run that is interrupted.
func left(c *config) string {
	switch {
	case c.kept && c.ranks != nil:
		return fmt.Sprintf("it goes on with train-rotmnist -mpi -resume %s, on %d ranks", report.Quote(c.checkpoint), c.ranks.size())
	case c.kept:
		return "it goes on with train-rotmnist -resume " + report.Quote(c.checkpoint)
	}
	return "what is printed and written is of what was done"
}

// conclude says what came of a command, if it is not done: where it was
// interrupted, what there is.
func conclude(ctx context.Context, command string, err error, stderr io.Writer, left string) int {
	switch usage := (usageError{}); {
	case err == nil:
		return done
	case errors.As(err, &usage):
		return misuse(stderr, command, err)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()), errors.Is(err, experiment.ErrInterrupted):
		if err := besides(err); err != nil {
			complain(stderr, failed, err)
		}
		fmt.Fprintf(stderr, "train-rotmnist: interrupted; %s\n", left)
		return interrupted
	}
	return complain(stderr, failed, err)
}

// besides is what err is about beside an interruption; nil if nothing.
func besides(err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, experiment.ErrInterrupted) {
		return err
	}
	var rest []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			rest = append(rest, besides(e))
		}
	}
	return errors.Join(rest...)
}

// usageError is a mistake in the flags that only shows with the data.
type usageError struct{ error }

// misuse complains about a command line, and says where the help is.
func misuse(stderr io.Writer, command string, err error) int {
	return complain(stderr, misused, fmt.Errorf("%w; see %s -h", err, command))
}

func complain(stderr io.Writer, status int, err error) int {
	fmt.Fprintf(stderr, "train-rotmnist: %v\n", inOneLine(err))
	return status
}

// inOneLine is an error that may be of several, joined.
func inOneLine(err error) error { return errors.New(strings.ReplaceAll(err.Error(), "\n", "; ")) }

// version is the module's, and what built it.
func version() string {
	v := "(devel)"
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		v = b.Main.Version
	}
	return fmt.Sprintf("train-rotmnist %s, %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
