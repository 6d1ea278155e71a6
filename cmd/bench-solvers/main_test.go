package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
)

// command runs the program.
func command(t testing.TB, ctx context.Context, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

// quick are problems of a moment.
var quick = []string{"-problem", "ill-conditioned,rosenbrock", "-solvers", "funneladam,adam,dog", "-quiet"}

func TestTheTableIsPrintedAndTheRunsAreInTheFileAndNotMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.jsonl")
	args := append([]string{"-out", path}, quick...)
	status, first, stderr := command(t, t.Context(), args...)
	if status != cli.Done || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for _, want := range []string{"problem", "ill-conditioned", "rosenbrock", "ratio, geometric mean"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	written := read(t, path)
	if strings.Count(written, "\n") != 6 {
		t.Errorf("the file has\n%s", written)
	}
	status, second, _ := command(t, t.Context(), args...)
	if status != cli.Done || second != first || read(t, path) != written {
		t.Errorf("again, status %d:\n%s", status, second)
	}
	if _, alone, _ := command(t, t.Context(), append(quick, "-workers", "1")...); alone != first {
		t.Errorf("without a file, one at a time:\n%s\nwant\n%s", alone, first)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnInterruptedBenchGoesOnWhereItStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.jsonl")
	args := append([]string{"-out", path, "-workers", "1"}, quick...)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for { // until there is a line
			if b, _ := os.ReadFile(path); bytes.Contains(b, []byte("\n")) {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	status, _, stderr := command(t, ctx, args...)
	if status != cli.Interrupted || !strings.Contains(stderr, "of 6 runs are in "+path+", and the same command goes on from there") {
		t.Fatalf("status %d, %s", status, stderr)
	}
	begun := read(t, path)
	status, table, stderr := command(t, t.Context(), args...)
	if status != cli.Done || !strings.HasPrefix(read(t, path), begun) || strings.Count(read(t, path), "\n") != 6 {
		t.Errorf("status %d, %s\n%s", status, stderr, read(t, path))
	}
	if _, whole, _ := command(t, t.Context(), quick...); table != whole {
		t.Errorf("got\n%s\nwant\n%s", table, whole)
	}
}

func TestTunedPeersHaveTheLearningRatesThatAreGiven(t *testing.T) {
	_, table, _ := command(t, t.Context(), "-problem", "rosenbrock", "-solvers", "funneladam", "-lr", "1e-4,1e-2..0.1", "-quiet")
	if line := strings.Fields(strings.Split(table, "\n")[1]); len(line) != 7 || line[2] != "1e-1" || line[4] != "1e-4" {
		t.Errorf("got\n%s", table)
	}
}

func TestMistakesInTheFlagsAreNamed(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-problem quantil", "-problem: unknown problem \"quantil\"; did you mean quantile?"},
		{"-problem td,td", "given twice"},
		{"-problem ,", "unknown problem \"\""},
		{"-solvers funel", "did you mean funnel?"},
		{"-solvers dog:lr=1", "dog has no settings"},
		{"-seeds x", "-seeds: \"x\" is not a whole number"},
		{"-lr fast", "-lr: \"fast\" is not a number"},
		{"-lr 0.1,0.10", "-lr: "},
		{"-workers 0", "-workers: 0; there must be at least 1"},
		{"td", "unexpected argument \"td\""},
		{"-tuned=x", "-tuned: \"x\" is not true or false"},
		{"-nonsense", "unknown flag -nonsense"},
		{"-tunde", "unknown flag -tunde; did you mean -tuned?"},
		{"-out=", "-out: its name is empty"},
		{"-problem=", "-problem: the name of a problem is missing"},
		{"-lr 0", "-lr: \"0\": a learning rate must be above 0"},
	} {
		status, stdout, stderr := command(t, t.Context(), strings.Fields(c.args)...)
		if status != cli.Misused || stdout != "" || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "; see bench-solvers -h\n") {
			t.Errorf("%s: status %d, %q", c.args, status, stderr)
		}
	}
}

func TestTheVersionIsPrinted(t *testing.T) {
	if status, stdout, _ := command(t, t.Context(), "-version"); status != cli.Done || !strings.HasPrefix(stdout, "bench-solvers v") {
		t.Errorf("status %d, %q", status, stdout)
	}
}

func TestAFileOfAnotherKindIsLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("precious\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := command(t, t.Context(), append([]string{"-out", path}, quick...)...)
	if status != cli.Failed || !strings.Contains(stderr, "-out "+path+": line 1 is not a run of bench-solvers") || read(t, path) != "precious\n" {
		t.Errorf("status %d, %s", status, stderr)
	}
}

func TestADirectoryThatIsNotThereIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "bench.jsonl")
	status, _, stderr := command(t, t.Context(), append([]string{"-out", path}, quick...)...)
	if status != cli.Failed || strings.Count(stderr, path) != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

func TestAFailedRunIsReportedWithWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.jsonl")
	line := `{"problem":"rosenbrock","steps":2000,"seed":1,"solver":"dog","end":null,"mean":null,"seconds":1,"error":"panic: no"}` + "\n"
	if err := os.WriteFile(path, []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
	status, table, stderr := command(t, t.Context(), append([]string{"-out", path}, quick...)...)
	if status != cli.Failed || !strings.Contains(stderr, "1 of 6 runs failed, first dog on rosenbrock with seed 1: panic: no; delete their lines in "+path) || !strings.Contains(table, "–") {
		t.Errorf("status %d, %s\n%s", status, stderr, table)
	}
}

func TestTheHelpAndTheListFitTheScreen(t *testing.T) {
	for _, arg := range []string{"-h", "-list"} {
		status, stdout, stderr := command(t, t.Context(), arg)
		if status != cli.Done || stderr != "" {
			t.Errorf("%s: status %d, %s", arg, status, stderr)
		}
		for _, line := range strings.Split(stdout, "\n") {
			if utf8.RuneCountInString(line) > 100 {
				t.Errorf("%s: %s", arg, line)
			}
		}
		if !strings.Contains(stdout, "td") || arg == "-h" && !strings.Contains(stdout, "dog, prodigy, schedulefree") {
			t.Errorf("%s: %s", arg, stdout)
		}
	}
}
