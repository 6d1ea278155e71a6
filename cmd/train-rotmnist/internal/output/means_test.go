package output

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// run is a record of a made-up sweep.
func run(spec string, rate float64, seed uint64, accuracy float64) results.Record {
	solver, _, _ := strings.Cut(spec, ":")
	return results.Record{
		Protocol: results.Protocol{Data: "digits", Steps: 400, Batch: 128, Angles: []float64{0, 60}, Hidden: []int{128}},
		Seed:     seed,
		Row: results.Row{
			Solver: solver, Spec: fmt.Sprintf("%s:lr=%v", spec, rate), Settings: map[string]string{"lr": fmt.Sprint(rate)},
			LearnRate: rate, StepsDone: 800, Accuracy: table.Number(accuracy), HeldOut: []float64{},
		},
	}
}

// sweepOf has two seeds at each learning rate, at equal distances from a mean.
func sweepOf(solver string, means map[float64]float64) []results.Record {
	var rs []results.Record
	for rate, mean := range means {
		rs = append(rs, run(solver, rate, 1, mean-0.01), run(solver, rate, 2, mean+0.01))
	}
	return rs
}

// rows are the lines of a text that begin with a word.
func rows(text, word string) []string {
	var found []string
	for _, line := range strings.Split(text, "\n") {
		if f := strings.Fields(line); len(f) > 0 && f[0] == word {
			found = append(found, strings.Join(f[1:], " "))
		}
	}
	return found
}

func text(t *testing.T, records []results.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := Means(&b, records); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestToleranceIsTheRangeOfLearningRatesAroundTheBestThatAreWithinTwoPointsOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		means map[float64]float64
		want  string
	}{
		"everything is good":         {map[float64]float64{1e-6: 0.9, 1e-3: 0.91, 1: 0.9}, "0.001 91.00% ± 1.41% 91.00% ± 1.41% ≥6"},
		"both ends are seen":         {map[float64]float64{1e-6: 0.1, 1e-5: 0.9, 1e-3: 0.91, 0.1: 0.9, 1: 0.1}, "0.001 91.00% ± 1.41% 91.00% ± 1.41% 4"},
		"one end is not":             {map[float64]float64{1e-5: 0.9, 1e-3: 0.91, 0.1: 0.9, 1: 0.1}, "0.001 91.00% ± 1.41% 91.00% ± 1.41% ≥4"},
		"exactly two points off":     {map[float64]float64{1e-4: 0.1, 1e-3: 0.92, 0.01: 0.9, 0.1: 0.8999, 1: 0.1}, "0.001 92.00% ± 1.41% 92.00% ± 1.41% 1"},
		"a gap ends the range":       {map[float64]float64{1e-4: 0.1, 1e-3: 0.92, 0.01: 0.8, 0.1: 0.92, 1: 0.1}, "0.001 92.00% ± 1.41% 92.00% ± 1.41% 0"},
		"between powers of ten":      {map[float64]float64{1e-3: 0.1, 3e-3: 0.92, 1e-2: 0.92, 3e-2: 0.91, 0.1: 0.1}, "0.003 92.00% ± 1.41% 10.00% ± 1.41% 1"},
		"no default":                 {map[float64]float64{0.01: 0.1, 0.1: 0.92, 1: 0.1}, "0.1 92.00% ± 1.41% – 0"},
		"a learning rate of nothing": {map[float64]float64{0: 0.92, 0.1: 0.92, 1: 0.1}, "0 92.00% ± 1.41% – –"},
	} {
		out := text(t, sweepOf("funnel", c.means))
		if got := rows(out, "funnel"); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %q, want %q in\n%s", name, got, c.want, out)
		}
	}
}

func TestMeansAreOverTheRunsOfEachSolver(t *testing.T) {
	var records []results.Record
	for seed, accuracy := range []float64{0.7, 0.8, 0.9} {
		records = append(records, run("a", 1, uint64(seed), accuracy), run("b", 1, uint64(seed), 0.5))
	}
	out := text(t, records)
	for _, want := range []string{"80.00% ± 10.00%", "50.00% ± 0.00%"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestTheMeansFit80Columns(t *testing.T) {
	var records []results.Record
	for seed := range 3 {
		r := run("funneladam", 0.001, uint64(seed), 0.9+0.01*float64(seed))
		r.AfterShift, r.Recovery, r.Plateau, r.HeldOut, r.Scale = r.Accuracy, table.Number(50+seed), r.Accuracy, []float64{0.9}, table.Number(seed)
		records = append(records, r)
	}
	out := text(t, records)
	for _, line := range strings.Split(out, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("%d characters: %s", utf8.RuneCountInString(line), line)
		}
	}
	if !strings.Contains(out, "plateau") || !strings.Contains(out, "held-out") || strings.Contains(out, "scale") {
		t.Errorf("%s", out)
	}
}

func TestASolverThatDidNotRecoverSaysSo(t *testing.T) {
	records := []results.Record{run("funnel", 1, 1, 0.9), run("funnel", 1, 2, 0.9), run("adam", 1, 1, 0.5), run("momentum", 1, 1, 0.5)}
	nan := table.Number(math.NaN())
	records[0].Recovery = 50
	records[1].Recovery, records[1].Unrecovered = nan, 1
	records[2].Recovery, records[2].Unrecovered = nan, 1
	records[3].Recovery, records[3].Unrecovered = 300, 1
	out := text(t, records)
	for name, want := range map[string]string{"funnel:lr=1": "never in 1", "adam:lr=1": "never", "momentum:lr=1": "≥300.0"} {
		if got := rows(out, name); len(got) == 0 || !strings.Contains(got[0], " "+want+" ") {
			t.Errorf("%s: %q, want %s in\n%s", name, got, want, out)
		}
	}
}

func TestSettingsMakeSolversAndLearningRatesDoNot(t *testing.T) {
	slow, fast := sweepOf("funnel", map[float64]float64{0.1: 0.8, 1: 0.9}), sweepOf("funnel", map[float64]float64{0.1: 0.85, 1: 0.95})
	for i := range fast {
		fast[i].Settings["scale-rate"] = "0.2"
	}
	out := text(t, append(slow, fast...))
	for name, want := range map[string]string{"funnel": "1 90.00%", "funnel:scale-rate=0.2": "1 95.00%"} {
		if got := rows(out, name); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: %q, want %q in\n%s", name, got, want, out)
		}
	}
}

func TestEveryProtocolHasTablesOfItsOwn(t *testing.T) {
	a := run("adam", 1, 1, 0.9)
	b := a
	b.Batch, b.Accuracy = 32, 0.8
	out := text(t, []results.Record{a, b})
	if strings.Count(out, " runs ") != 2 || !strings.Contains(out, "400 steps each, batches of 32, MLP 784-128-10") || strings.Contains(out, "±") {
		t.Errorf("%s", out)
	}
	if one := text(t, []results.Record{a}); strings.Contains(one, "batches") {
		t.Errorf("one protocol needs no heading:\n%s", one)
	}
}

func TestARunOfTwoShardsCountsOnceIfItCameToTheSame(t *testing.T) {
	a := run("adam", 1, 1, 0.9)
	again := a
	again.Settings, again.Spec, again.StepMS = map[string]string{"lr": "1e0"}, "adam:lr=1e0", 7
	if got := rows(text(t, []results.Record{a, again}), "adam:lr=1"); len(got) != 1 || !strings.HasPrefix(got[0], "1 90.00%") {
		t.Errorf("%q", got)
	}
}

func TestARunThatCameToDifferentResultsNamesTheFiles(t *testing.T) {
	a, b := run("adam", 1, 1, 0.9), run("adam", 1, 1, 0.8)
	a.File, b.File = "a.jsonl", "b.jsonl"
	err := Means(io.Discard, []results.Record{a, b})
	if want := "adam:lr=1 with seed 1 has different results in a.jsonl and in b.jsonl; give only one"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestAResultStandsForAFailureOfItsRun(t *testing.T) {
	good, bad := run("adam", 1, 1, 0.9), run("adam", 1, 1, 0)
	bad.Error = "panic: oh"
	other := bad
	other.Error = "panic: no"
	for _, records := range [][]results.Record{{good, bad}, {bad, good}, {bad, other, good}} {
		out := text(t, records)
		if got := rows(out, "adam:lr=1"); len(got) != 1 || !strings.HasPrefix(got[0], "1 90.00%") || strings.Contains(out, "left out") {
			t.Errorf("%s", out)
		}
	}
	if out := text(t, []results.Record{bad, other}); strings.Count(out, "left out") != 1 {
		t.Errorf("%s", out)
	}
}

func TestARunThatFailedIsLeftOutAndOneThatDivergedIsCounted(t *testing.T) {
	bad, diverged := run("adam", 1, 2, 0), run("adam", 1, 3, 0.1)
	bad.Error, diverged.DivergedAt = "panic: oh", 7
	out := text(t, []results.Record{run("adam", 1, 1, 0.9), bad, diverged})
	for _, want := range []string{"adam:lr=1     2  50.00%", "diverged\n", "  1\n", "left out: adam:lr=1 with seed 2, which failed: panic: oh\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestARunThatWasCutShortIsLeftOutAndSaid(t *testing.T) {
	whole, short := run("adam", 1, 1, 0.9), run("adam", 1, 2, 0.2)
	short.StepsDone = 50
	out := text(t, []results.Record{whole, short})
	if got := rows(out, "adam:lr=1"); len(got) != 1 || !strings.HasPrefix(got[0], "1 90.00%") || !strings.Contains(out, "left out: adam:lr=1 with seed 2, which made 50 of 800 steps\n") {
		t.Errorf("%s", out)
	}
	if out := text(t, []results.Record{short}); out != "left out: adam:lr=1 with seed 2, which made 50 of 800 steps\n" {
		t.Errorf("%s", out)
	}
	again := short
	again.StepsDone, again.Accuracy = 800, 0.8
	for _, records := range [][]results.Record{{short, again}, {again, short}} {
		if out := text(t, records); !strings.Contains(out, "80.00%") || strings.Contains(out, "left out") {
			t.Errorf("%s", out)
		}
	}
}

// Whatever a file holds, it is read, or refused, and what was read has a table.
func FuzzRead(f *testing.F) {
	f.Add([]byte(results.Identity(run("adam", 1, 1, 0.9)) + "\n" + results.Identity(run("adam", 2, 1, 0.8))))
	f.Add([]byte(`{"data":"x","steps":1,"batch":1,"results":[{"solver":"a","spec":"a","accuracy":0.5}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if records, err := results.Read("a", b); err == nil {
			Means(io.Discard, records)
		}
	})
}
