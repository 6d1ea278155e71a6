package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/suggest"
)

// NewFlags returns an empty set of flags for Parse.
func NewFlags(command string) *flag.FlagSet {
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // Conclude prints the error, and Parse the help
	fs.Usage = func() {}
	return fs
}

// Parse parses a command line that has only flags. The error for an argument
// suggests the one of verbs that it resembles. For -h Parse writes the help to w,
// the list of flags between two texts, and returns flag.ErrHelp, or w's error.
func Parse(fs *flag.FlagSet, args []string, w io.Writer, before, after string, verbs ...string) error {
	if err := ParseFirst(fs, args, w, before, after); err != nil || fs.NArg() == 0 {
		return err
	}
	meant := suggest.Closest(fs.Arg(0), verbs)
	if meant != "" {
		return Usage(fmt.Errorf("unexpected argument %q; did you mean %s?", fs.Arg(0), meant))
	}
	hint := "flags start with -"
	if len(verbs) > 0 {
		hint += ", and a verb comes before them"
	}
	return Usage(fmt.Errorf("unexpected argument %q; %s", fs.Arg(0), hint))
}

// ParseFirst is Parse up to the first argument, which it leaves to the caller.
func ParseFirst(fs *flag.FlagSet, args []string, w io.Writer, before, after string) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		var flags strings.Builder
		fs.SetOutput(&flags)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
		if _, failed := io.WriteString(w, before+flags.String()+after); failed != nil {
			return failed
		}
		return err
	case err != nil:
		return Usage(clearer(fs, err))
	}
	return nil
}

// The errors of package flag.
var (
	unknownFlag  = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	missingValue = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
	invalidValue = regexp.MustCompile(`(?s)^invalid (?:boolean )?value "(.*)" for (?:flag )?-([^:]*): (.*)$`)
)

// clearer rewords an error of package flag to name the flag and what it wants.
func clearer(fs *flag.FlagSet, err error) error {
	text := err.Error()
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		end := ""
		if meant := suggest.Closest(m[1], names(fs)); meant != "" {
			end = "; did you mean -" + meant + "?"
		}
		return fmt.Errorf("unknown flag -%s%s", m[1], end)
	}
	if m := missingValue.FindStringSubmatch(text); m != nil {
		what, _ := flag.UnquoteUsage(fs.Lookup(m[1]))
		return fmt.Errorf("-%s: its value is missing; write -%s %s", m[1], m[1], what)
	}
	if m := invalidValue.FindStringSubmatch(text); m != nil {
		value, name, reason := m[1], m[2], m[3]
		if want := wanted(fs.Lookup(name)); want != "" {
			return fmt.Errorf("-%s: %q is not %s", name, value, want)
		}
		return fmt.Errorf("-%s: %s", name, reason)
	}
	return err
}

func names(fs *flag.FlagSet) (all []string) {
	fs.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
	return all
}

// wanted describes the values of a flag, if its type tells.
func wanted(f *flag.Flag) string {
	value, ok := f.Value.(flag.Getter)
	if !ok {
		return ""
	}
	switch value.Get().(type) {
	case int, int64:
		return "a whole number"
	case uint, uint64:
		return "a whole number from 0 to 18446744073709551615"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return ""
}

// Stdout is the name that stands for standard output.
const Stdout = "-"

// PathVar defines a flag for the path of a file or a directory. Without the flag, *p
// stays as it is.
func PathVar(fs *flag.FlagSet, p *string, name, usage string) {
	fs.Var(&path{text: p, noStdout: true}, name, usage)
}

// OutputVar is PathVar of a file that may be Stdout.
func OutputVar(fs *flag.FlagSet, p *string, name, usage string) {
	fs.Var(&path{text: p}, name, usage)
}

type path struct {
	text     *string
	noStdout bool
}

func (p *path) String() string {
	if p == nil || p.text == nil {
		return ""
	}
	return *p.text
}

func (p *path) Set(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("its name is empty; give one, or leave the flag out")
	case text == Stdout && p.noStdout:
		return errors.New("it cannot be standard output; give the name of a file")
	}
	*p.text = text
	return nil
}
