package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func TestTheStatusAndTheSentenceFollowFromTheError(t *testing.T) {
	full := errors.New("disk full")
	for name, c := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"none":                   {nil, 0, ""},
		"a failure":              {full, 1, "prog: disk full\n"},
		"several":                {errors.Join(full, full), 1, "prog: disk full; disk full\n"},
		"a mistake":              {fmt.Errorf("-x: %w", Usage(full)), 2, "prog: -x: disk full; see prog verb -h\n"},
		"Ctrl-C":                 {context.Canceled, 130, "prog: interrupted after step 3\n"},
		"Ctrl-C after a failure": {errors.Join(full, context.Canceled), 130, "prog: disk full\nprog: interrupted after step 3\n"},
		"Ctrl-C, wrapped":        {fmt.Errorf("stopped: %w", context.Canceled), 130, "prog: interrupted after step 3\n"},
		"the end of a deadline":  {context.DeadlineExceeded, 130, "prog: interrupted after step 3\n"},
	} {
		var b bytes.Buffer
		status := Conclude(&b, "prog verb", c.err, func() string { return " after step 3" })
		if status != c.status || b.String() != c.want {
			t.Errorf("%s: status %d, %q; want %d, %q", name, status, b.String(), c.status, c.want)
		}
	}
}

func TestPackageNamesAreNotInMessages(t *testing.T) {
	for text, want := range map[string]string{
		"mnist: label 3":               "prog: label 3\n",
		"-angles: mnist: no angles":    "prog: -angles: no angles\n",
		"a: bad\nsolver: worse":        "prog: a: bad; worse\n",
		"-data mnist: it is not there": "prog: -data mnist: it is not there\n",
	} {
		var b bytes.Buffer
		if Complain(&b, "prog", errors.New(text)); b.String() != want {
			t.Errorf("%q: %q, want %q", text, b.String(), want)
		}
	}
}

// flags have one of each type.
func flags() *flag.FlagSet {
	fs := NewFlags("prog")
	fs.Int("number", 1, "a `number`")
	fs.Uint64("seed", 1, "a `seed`")
	fs.Float64("drift", 1, "`degrees`")
	fs.Bool("quiet", false, "")
	fs.Func("vary", "a `setting`", func(string) error { return errors.New("write key=value") })
	PathVar(fs, new(string), "out", "a `FILE`")
	OutputVar(fs, new(string), "page", "a `FILE`")
	return fs
}

func TestAMistakeInTheFlagsSaysWhatIsMeantAndWanted(t *testing.T) {
	for line, want := range map[string]string{
		"-number 3": "",
		"-number x": `-number: "x" is not a whole number`,
		"-seed abc": `-seed: "abc" is not a whole number from 0 to 18446744073709551615`,
		"-seed -1":  `-seed: "-1" is not a whole number from 0 to 18446744073709551615`,
		"-drift x":  `-drift: "x" is not a number`,
		"-quiet=x":  `-quiet: "x" is not true or false`,
		"-vary x":   "-vary: write key=value",
		"-nubmer 3": "unknown flag -nubmer; did you mean -number?",
		"-m":        "unknown flag -m",
		"-out":      "-out: its value is missing; write -out FILE",
		"-out=":     "-out: its name is empty; give one, or leave the flag out",
		"-out x":    "",
		"-out -":    "-out: it cannot be standard output; give the name of a file",
		"-page -":   "",
		"-page=":    "-page: its name is empty; give one, or leave the flag out",
		"verb":      `unexpected argument "verb"; flags start with -, and a verb comes before them`,
		"tabel":     `unexpected argument "tabel"; did you mean table?`,
	} {
		err := Parse(flags(), strings.Fields(line), io.Discard, "", "", "table", "sweep")
		usage := UsageError{}
		if want == "" && err != nil || want != "" && (!errors.As(err, &usage) || err.Error() != want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestACommandWithoutVerbsSaysNothingOfThem(t *testing.T) {
	if err := Parse(flags(), []string{"verb"}, io.Discard, "", ""); err == nil || err.Error() != `unexpected argument "verb"; flags start with -` {
		t.Error(err)
	}
}

func TestTheHelpHasTheFlagsBetweenTheTexts(t *testing.T) {
	var b bytes.Buffer
	err := Parse(flags(), []string{"-h"}, &b, "before\n", "after\n")
	if !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(b.String(), "before\n  -drift degrees") || !strings.HasSuffix(b.String(), "after\n") || !strings.Contains(b.String(), "-out FILE") {
		t.Errorf("%v: %s", err, &b)
	}
}

func TestHelpThatCannotBeWrittenIsAFailure(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := Parse(flags(), []string{"-h"}, w, "before\n", "after\n"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v", err)
	}
}

func TestTheCauseOfAFileErrorIsWithoutItsPath(t *testing.T) {
	_, err := os.Open("none")
	if got := Cause(err); !errors.Is(got, os.ErrNotExist) || strings.Contains(got.Error(), "none") {
		t.Errorf("%v", got)
	}
}
