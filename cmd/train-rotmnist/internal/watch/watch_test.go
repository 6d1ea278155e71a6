package watch

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
)

// screen is what a terminal shows of text with this package's codes.
func screen(text string) []string {
	var lines []string
	for text != "" {
		if rest, ok := strings.CutPrefix(text, "\x1b["); ok {
			up := int(rest[0] - '0')
			lines = lines[:max(0, len(lines)-up)]
			text = rest[strings.Index(rest, "J")+1:]
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		lines, text = append(lines, line), rest
	}
	return lines
}

// dipped is of two solvers, one of which dips in the middle.
func dipped() *history.History {
	h := new(history.History)
	for i := range 320 {
		accuracy := 0.9
		if i/10 == 15 {
			accuracy = 0
		}
		h.Add([]*experiment.Step{
			{Solver: "funneladam", Number: i, Accuracy: accuracy, Loss: 1},
			{Solver: "adam", Number: i, Accuracy: 0.5, Loss: 1},
		})
	}
	h.Solvers[0].Scale = history.Series{Width: 1, Values: 2, Mean: history.Numbers{1, 250}}
	p := &history.Parameter{Name: "w1"}
	for i := range p.Gains {
		p.Gains[i] = history.Series{Width: 1, Values: 1, Mean: history.Numbers{float64(i) + 0.5}}
	}
	h.Solvers[0].Parameters = []*history.Parameter{p}
	return h
}

func wide() (columns, rows int) { return 120, 24 }

func TestTheViewHasALineForEachSolver(t *testing.T) {
	var b bytes.Buffer
	newView(&b, 0, wide).Show(dipped(), 320, 640, 60)
	lines := screen(b.String())
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "step 320 of 640, 60°, ") {
		t.Fatalf("%q", lines)
	}
	if want := "funneladam  " + strings.Repeat("█", 15) + "▁" + strings.Repeat("█", 16) + "  90%  scale 250        gains 0.50 to 4.50"; lines[1] != want {
		t.Errorf("%q, want %q", lines[1], want)
	}
	if want := "adam        " + strings.Repeat("▅", 32) + "  50%"; lines[2] != want {
		t.Errorf("%q, want %q", lines[2], want)
	}
}

func TestTheViewIsDrawnOverAndWarningsStay(t *testing.T) {
	var b bytes.Buffer
	v := newView(&b, 0, wide)
	for done := range 4 {
		v.Show(dipped(), done+1, 4, 0)
		v.drawn = v.drawn.Add(-between)
		if done == 1 {
			v.Write([]byte("a warning\n"))
		}
	}
	lines := screen(b.String())
	if len(lines) != 4 || lines[0] != "a warning" || !strings.HasPrefix(lines[1], "step 4 of 4") {
		t.Errorf("%q", lines)
	}
}

func TestNoLineIsAsWideAsTheTerminal(t *testing.T) {
	for columns := range 60 {
		var b bytes.Buffer
		newView(&b, 0, func() (int, int) { return columns + 1, 24 }).Show(dipped(), 1, 2, 0)
		for _, line := range screen(b.String()) {
			if len([]rune(line)) > columns {
				t.Errorf("%d columns: %q", columns+1, line)
			}
		}
	}
}

func TestAViewThatTheTerminalHasWrappedIsErasedWhole(t *testing.T) {
	columns, high := 120, 24
	var b bytes.Buffer
	v := newView(&b, 0, func() (int, int) { return columns, high })
	v.Show(dipped(), 1, 2, 0)
	longest := 0
	rows := 0
	for _, line := range screen(b.String()) {
		longest = max(longest, len([]rune(line)))
		rows += (len([]rune(line)) + 39) / 40
	}
	if columns = 40; rows < 4 || longest < 80 {
		t.Fatalf("%d rows, at most %d characters: nothing to wrap", rows, longest)
	}
	if want := fmt.Sprintf("\x1b[%dA\x1b[J", rows); v.erasure() != want {
		t.Errorf("%q, want %q", v.erasure(), want)
	}
	if high = 3; v.erasure() != "\x1b[2A\x1b[J" {
		t.Errorf("in three rows: %q", v.erasure())
	}
}

func TestWhereThereIsNoTerminalThereIsNoView(t *testing.T) {
	if New(new(bytes.Buffer), 0) != nil {
		t.Error("there is one")
	}
}

func TestInANarrowTerminalTheNumbersStay(t *testing.T) {
	var b bytes.Buffer
	newView(&b, 0, func() (int, int) { return 60, 24 }).Show(dipped(), 1, 2, 0)
	if lines := screen(b.String()); !strings.Contains(lines[1], "█  90%  scale 250        gains 0.50 to 4.50") {
		t.Errorf("%q", lines)
	}
}

func TestTheViewIsNotAsHighAsTheTerminal(t *testing.T) {
	for rows := range 5 {
		var b bytes.Buffer
		newView(&b, 0, func() (int, int) { return 80, rows + 1 }).Show(dipped(), 1, 2, 0)
		if lines := screen(b.String()); len(lines) > max(1, rows) {
			t.Errorf("%d lines in %d", len(lines), rows+1)
		}
	}
}
