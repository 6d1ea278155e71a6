package progress

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestProgressIsALineNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	var b bytes.Buffer
	p := New(&b, "funnel", "steps", 0, 100)
	p.Set(1, "too early")
	p.printed = time.Now().Add(-2 * between)
	p.start = time.Now().Add(-50 * time.Second)
	p.Set(50, "accuracy 90%")
	p.End()
	if b.String() != "funnel: 50 of 100, accuracy 90%, 50s left\n" {
		t.Errorf("%q", b.String())
	}
}

func TestTheLineIsNeverAsWideAsTheTerminalAndTellsMoreInAWiderOne(t *testing.T) {
	note := "120°, accuracy 10% to 91%"
	before := 0
	for columns := 1; columns < 200; columns++ {
		p := New(new(bytes.Buffer), "training", "steps", 0, 2400)
		p.start = time.Now().Add(-10 * time.Second)
		line := p.line(812, note, columns-1)
		if n := utf8.RuneCountInString(line); n >= columns {
			t.Errorf("%d columns: %q", columns, line)
		}
		has := 0
		for _, part := range []string{" 33%", "20s left", "812 of 2400 steps", note} {
			if strings.Contains(line, part) {
				has++
			}
		}
		if has < before {
			t.Errorf("%d columns: %q tells less than with one fewer", columns, line)
		}
		if before = has; columns == 60 && has < 3 {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
	if before != 4 {
		t.Errorf("%d parts", before)
	}
}

func TestTheBarIsAsFullAsTheTaskIsDone(t *testing.T) {
	p := New(new(bytes.Buffer), "x", "", 100, 100) // so that no time is left
	for done, want := range map[int64]string{0: "x   0% ░░░░░░░░░░", 50: "x  50% █████░░░░░", 100: "x 100% ██████████"} {
		if line := p.line(done, "", 17); line != want {
			t.Errorf("%d: %q, want %q", done, line, want)
		}
	}
}

func TestADumbTerminalIsNone(t *testing.T) {
	t.Setenv("TERM", "dumb")
	if Terminal(os.Stderr) != nil {
		t.Error("it is one")
	}
}

// A file that is no terminal gets no bar either.
func TestProgressInAFileHasNoControlCharacters(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := New(f, "funnel", "steps", 0, 10)
	p.Set(10, "")
	p.End()
	if b, _ := os.ReadFile(f.Name()); len(b) != 0 {
		t.Errorf("%q", b)
	}
}
