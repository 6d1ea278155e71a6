// Package cli is what commands have in common: signals and exit statuses, messages
// of one sentence, flags, the version.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// Exit statuses.
const (
	Done        = 0
	Failed      = 1
	Misused     = 2
	Interrupted = 130 // as a shell has it for SIGINT
)

// Main runs a program and exits with the status that it returns. Its context ends
// with the first Ctrl-C or SIGTERM; a second one ends the program at once.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Command returns what this process's program is called on a command line: its
// name or, where go run has built it, the way to run it again.
func Command(program string) string {
	if strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return "go run ./cmd/" + program
	}
	return program
}

// UsageError is a mistake in the command line.
type UsageError struct{ error }

// Usage returns err as a mistake in the command line, but nil and flag.ErrHelp as
// they are.
func Usage(err error) error {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return UsageError{err}
}

// Conclude returns the exit status for what a command returned, and prints the
// error if there is one. For a UsageError it refers to the help; for the end of a
// context it prints "interrupted" and what state says about what was done.
func Conclude(stderr io.Writer, command string, err error, state func() string) int {
	program, _, _ := strings.Cut(command, " ")
	switch usage := (UsageError{}); {
	case err == nil:
		return Done
	case errors.As(err, &usage):
		Complain(stderr, program, fmt.Errorf("%w; see %s -h", err, command))
		return Misused
	case interrupted(err):
		if err := besides(err); err != nil {
			Complain(stderr, program, err)
		}
		Complain(stderr, program, errors.New("interrupted"+state()))
		return Interrupted
	}
	Complain(stderr, program, err)
	return Failed
}

// interrupted tells whether err is, in whole or in part, the end of a context.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// besides returns the parts of a joined error that are not about an interruption;
// nil if there are none.
func besides(err error) error {
	if !interrupted(err) {
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

// Complain prints an error on one line.
func Complain(stderr io.Writer, program string, err error) {
	fmt.Fprintf(stderr, "%s: %v\n", program, OneLine(err))
}

// OneLine returns an error without line breaks, which joined errors have, and
// without the names of packages, which mean nothing to who runs a command.
func OneLine(err error) error {
	return errors.New(packageNames.ReplaceAllString(strings.ReplaceAll(err.Error(), "\n", "; "), "$1"))
}

// packageNames are those that our packages begin their errors with.
var packageNames = regexp.MustCompile(`(^|: |; )(?:mnist|solver|distributed|fetch): `)

// Cause returns a file error without its operation and path, for a message that
// has the path as the user wrote it.
func Cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
