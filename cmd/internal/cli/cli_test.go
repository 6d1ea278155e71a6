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

func TestFlagsAreTheWholeCommandLine(t *testing.T) {
	for line, want := range map[string]string{"-n 3": "", "-n x": "invalid value", "-m": "not defined: -m", "verb": `unexpected argument "verb"`} {
		fs := NewFlags("prog")
		fs.Int("n", 1, "a `number`")
		err := Parse(fs, strings.Fields(line), io.Discard, "", "")
		if usage := (UsageError{}); want == "" && err != nil || want != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", line, err, want)
		}
	}
	var b bytes.Buffer
	fs := NewFlags("prog")
	fs.Int("n", 1, "a `number`")
	if err := Parse(fs, []string{"-h"}, &b, "before\n", "after\n"); !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(b.String(), "before\n  -n number") || !strings.HasSuffix(b.String(), "after\n") {
		t.Errorf("%v: %s", err, &b)
	}
}

func TestTheCauseOfAFileErrorIsWithoutItsPath(t *testing.T) {
	_, err := os.Open("none")
	if got := Cause(err); !errors.Is(got, os.ErrNotExist) || strings.Contains(got.Error(), "none") {
		t.Errorf("%v", got)
	}
}
