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
	c, err := parseFlags(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return done
	case err != nil:
		return complain(stderr, misused, err)
	case c.showVersion:
		fmt.Fprintln(stdout, version())
		return done
	}
	err = compare(ctx, c, stdout, stderr)
	return conclude(ctx, err, stderr, "what is printed and written is of what was done")
}

// conclude says what came of a job, if it is not done: where it was
// interrupted, what there is.
func conclude(ctx context.Context, err error, stderr io.Writer, left string) int {
	switch {
	case err == nil:
		return done
	case errors.Is(err, errUsage):
		return complain(stderr, misused, err)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		fmt.Fprintf(stderr, "train-rotmnist: interrupted; %s\n", left)
		return interrupted
	}
	return complain(stderr, failed, err)
}

// errUsage is a mistake in the flags that only shows with the data.
var errUsage = errors.New("see train-rotmnist -h")

func complain(stderr io.Writer, status int, err error) int {
	text := strings.ReplaceAll(err.Error(), "\n", "; ") // of joined errors
	if status == misused && !errors.Is(err, errUsage) {
		text += "; " + errUsage.Error()
	}
	fmt.Fprintf(stderr, "train-rotmnist: %s\n", text)
	return status
}

// version is the module's, and what built it.
func version() string {
	v := "(devel)"
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		v = b.Main.Version
	}
	return fmt.Sprintf("train-rotmnist %s, %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
