// Package cli has what the commands share: signals and exit statuses, messages of
// one sentence, flags, the version.
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
	Interrupted = 130 // what a shell reports for SIGINT
)

// Main runs a program and exits with the status that it returns. The program's
// context ends with the first Ctrl-C or SIGTERM; a second one ends the program at
// once.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Command returns how to run this process's program again: by its name or, if go run
// built it, by go run.
func Command(program string) string {
	if strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return "go run ./cmd/" + program
	}
	return program
}

// UsageError is a mistake in the command line.
type UsageError struct{ error }

// Usage marks err as a mistake in the command line, unless it is nil or
// flag.ErrHelp.
func Usage(err error) error {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return UsageError{err}
}

// Conclude prints a command's error, if there is one, and returns the exit status.
// For a UsageError it refers to the help; for the end of a context it prints
// "interrupted" and then state().
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
// without package names, which mean nothing to a command's users.
func OneLine(err error) error {
	return errors.New(packageNames.ReplaceAllString(strings.ReplaceAll(err.Error(), "\n", "; "), "$1"))
}

// packageNames matches the names that our packages begin their errors with.
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
