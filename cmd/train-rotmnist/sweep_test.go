package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/results"
)

// sweeping are the flags of a sweep that takes no time.
func sweeping(data, out string, more ...string) []string {
	return append([]string{"sweep", "-data", data, "-out", out, "-angles", "0,60", "-steps", "30", "-batch", "16", "-hidden", "16"}, more...)
}

// lines are the runs in a sweep's file, sorted: they are in the order in which
// they ended.
func lines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	slices.Sort(all)
	return all
}

func TestASweepHasTheMainJobsNumbers(t *testing.T) {
	dir, data := t.TempDir(), digits(t)
	sweep, job := filepath.Join(dir, "sweep.jsonl"), filepath.Join(dir, "job.json")
	if status, _, errs := invoke(sweeping(data, sweep, "-solvers", "funnel,adam", "-lr", "0.01", "-seeds", "3")...); status != 0 {
		t.Fatal(errs)
	}
	if status, _, errs := invoke("-data", data, "-json", job, "-angles", "0,60", "-steps", "30", "-batch", "16", "-hidden", "16", "-solvers", "funnel:lr=0.01,adam:lr=0.01", "-seed", "3"); status != 0 {
		t.Fatal(errs)
	}
	b, err := os.ReadFile(job)
	if err != nil {
		t.Fatal(err)
	}
	var s results.Summary
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	for i, line := range lines(t, sweep) { // adam comes before funnel
		var r results.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		want := results.Record{Protocol: s.Protocol, Seed: s.Seed, Row: s.Results[1-i]}
		want.StepMS, want.SolverMS = r.StepMS, r.SolverMS
		if got, want := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", want); got != want {
			t.Errorf("the sweep has\n%s\nthe main job\n%s", got, want)
		}
	}
}

func TestASweepGoesOnWhereAKillStoppedIt(t *testing.T) {
	file, data := filepath.Join(t.TempDir(), "sweep.jsonl"), digits(t)
	flags := sweeping(data, file, "-lr", "1e-3..0.1", "-seeds", "1,2", "-solvers", "funneladam,augment:inner=momentum")
	if status, out, errs := invoke(flags...); status != 0 || !strings.Contains(out, "12, of which 0 are") || !strings.Contains(out, "done    12 runs, 0 diverged") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	whole := lines(t, file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b[:len(b)*2/3], 0o666); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := invoke(flags...); status != 0 || strings.Contains(out, "of which 0") || !strings.Contains(out, "done    12 runs") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if got := lines(t, file); !slices.Equal(got, whole) {
		t.Errorf("after the kill\n%s\nwithout\n%s", strings.Join(got, "\n"), strings.Join(whole, "\n"))
	}
	if status, out, errs := invoke(flags...); status != 0 || !strings.Contains(out, "of which 12 are") {
		t.Errorf("when all is done: status %d\n%s%s", status, out, errs)
	}
	if got := lines(t, file); !slices.Equal(got, whole) {
		t.Error("a sweep that was done has done something")
	}
}

func TestShardsInFilesOfTheirOwnMakeOneTable(t *testing.T) {
	dir, data := t.TempDir(), digits(t)
	args := []string{"table"}
	for i := range 3 {
		file := filepath.Join(dir, fmt.Sprint(i))
		if status, _, errs := invoke(sweeping(data, file, "-quiet", "-lr", "1e-3,1e-1", "-seeds", "1..2", "-shard", fmt.Sprint(i, "/3"))...); status != 0 {
			t.Fatal(errs)
		}
		args = append(args, file)
	}
	status, out, errs := invoke(args...)
	if status != 0 || errs != "" || !strings.Contains(out, "tolerance") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	for _, solver := range []string{"funnel", "funneladam", "adam", "momentum"} {
		for _, rate := range []string{"0.001", "0.1"} {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), solver+":lr="+rate+" 2 ") {
				t.Errorf("not two runs of %s at %s in\n%s", solver, rate, out)
			}
		}
	}
}

func TestVaryAddsAKeyToEverySolver(t *testing.T) {
	fs, f := newSweepFlags()
	if err := fs.Parse([]string{
		"-out", "x", "-solvers", "funnel:scope=parameter, eggain", "-vary", "scale-rate=0.1, 0.2", "-vary", "momentum=0,0.9", "-lr", "3e-6..0.0003", "-seeds", "4,7..8",
	}); err != nil {
		t.Fatal(err)
	}
	job, err := f.job(fs)
	if err != nil {
		t.Fatal(err)
	}
	if len(job.Runs) != 2*2*2*3*3 || job.Runs[0].Spec.Text != "funnel:scope=parameter:scale-rate=0.1:momentum=0:lr=3e-06" || job.Runs[71].Seed != 8 {
		t.Errorf("%d runs, first %+v", len(job.Runs), job.Runs[0])
	}
}

func TestAMistakeInASweepIsOneSentenceAndStatus2(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "-out: name the file",
		"-out x -lr fast":       "-lr:",
		"-out x -lr 1..Inf":     "not a number",
		"-out x -lr 1e-3..0.05": "not the first times a power of ten",
		"-out x -lr 1..0.1":     "not the first times a power of ten",
		"-out x -lr -1":         "at least 0",
		"-out x -lr 0.1,1e-1":   "given twice",
		"-out x -solvers adam:lr=0.1,adam:lr=1e-1": "adam:lr=0.1 and adam:lr=1e-1 are one run; give only one of them",
		"-out x -solvers adam,adam:lr=0.001":       "adam and adam:lr=0.001 are one run",
		"-out x -lr 1 -solvers funnel:lr=1":        "set twice",
		"-out x -vary scale-rate=0.1":              "adam takes lr",
		"-out x -vary nonsense":                    "write key=value",
		"-out x -seeds 1,x":                        "-seeds:",
		"-out x -seeds 3..1":                       "not a whole number",
		"-out x -seeds 1,1":                        "1 is given twice",
		"-out x -seeds 1..1000000000":              "more than 10000",
		"-out x -shard 3/3":                        "i from 0 to n-1",
		"-out x -shard -1/3":                       "i from 0 to n-1",
		"-out x -shard 1":                          "-shard:",
		"-out x -workers 0":                        "at least 1",
		"-out x -steps 0":                          "at least 1",
		"-out x funnel":                            "unexpected argument",
	} {
		status, out, errs := invoke(append([]string{"sweep"}, strings.Fields(args)...)...)
		if status != 2 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%s: status %d, %q and %q; want status 2 and %q", args, status, out, errs, want)
		}
	}
	if _, err := os.Stat("x"); err == nil {
		t.Error("a mistake has made the file")
	}
}

func TestASweepThatCannotWriteSaysSo(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("precious\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for out, want := range map[string]string{
		dir: "is a directory", filepath.Join(dir, "none", "x"): "no such file", other: "line 1 is not a run", "/dev/full": "not a regular file",
	} {
		status, _, errs := invoke(sweeping(dir, out, "-quiet")...)
		if status != 1 || !strings.Contains(errs, "-out "+out+": ") || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want status 1 and %q", out, status, errs, want)
		}
	}
}

func TestARunThatFailedBeforeFailsTheSweepUntilItsLineIsDeleted(t *testing.T) {
	file, data := filepath.Join(t.TempDir(), "sweep.jsonl"), digits(t)
	flags := sweeping(data, file, "-quiet", "-solvers", "adam", "-seeds", "1,2")
	if status, _, errs := invoke(flags...); status != 0 {
		t.Fatal(errs)
	}
	all := lines(t, file)
	all[1] = strings.Replace(all[1], `"spec":`, `"error":"panic: oh","spec":`, 1)
	if err := os.WriteFile(file, []byte(strings.Join(all, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := invoke(flags...); status != 1 || !strings.Contains(errs, "1 of 2 runs failed, first adam with seed 2") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestAnInterruptedSweepSaysHowToGoOn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	var out, errs bytes.Buffer
	file := filepath.Join(t.TempDir(), "sweep.jsonl")
	status := run(ctx, sweeping(digits(t), file, "-steps", "10000000", "-seeds", "1..9"), &out, &errs)
	if status != 130 || !strings.Contains(errs.String(), "interrupted; 0 of 36 runs are in "+file+"; the same command goes on from there") {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
}

func TestTheHelpOfSweepAndTableSaysWhatTheyDo(t *testing.T) {
	if status, out, errs := invoke("sweep", "-h"); status != 0 || errs != "" || !strings.Contains(out, "-shard i/n") || !strings.Contains(out, "diverged_at") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	for _, args := range [][]string{{"table", "-h"}, {"table", "runs.jsonl", "-h"}} {
		if status, out, errs := invoke(args...); status != 0 || errs != "" || !strings.Contains(out, "Tolerance is") {
			t.Errorf("%q: status %d\n%s%s", args, status, out, errs)
		}
	}
}
