package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAComparisonPrintsWhatItRunsAndATable(t *testing.T) {
	status, out, _ := invoke(small(t)...)
	if status != 0 {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{
		"500 digits to train on, 100 held out", "angles 0 60°, 30 steps each, batches of 16, seed 1", "784-16-10, ReLU, 12730 parameters", "solvers funneladam, funnel, adam:lr=0.0001,",
		"solver", "after shift", "\nfunnel ", "\nfunneladam ", "\nadam:lr=0.001 ", "\nmomentum:lr=0.1 ",
		"recovery     steps from a jump", "8 learning rates", "A step",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// Which of ours reads more after so few steps is chance.
	if !regexp.MustCompile(`\nfunnel(adam)? read \d+\.\d% of the digits right with no`).MatchString(out) {
		t.Errorf("it does not say what ours read\n%s", out)
	}
}

func TestQuietPrintsTheTableAlone(t *testing.T) {
	status, out, errs := invoke(small(t, "-quiet", "-solvers", "vanilla")...)
	if status != 0 || strings.Count(out, "\n") != 2 || !strings.HasPrefix(out, "solver ") || errs != "" {
		t.Errorf("status %d, printed\n%s\n%s", status, out, errs)
	}
}

func TestTheJSONHasARowForEachSolver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.json")
	status, _, errs := invoke(small(t, "-json", file, "-seed", "7", "-solvers", "funnel:lr=0.01:scope=parameter,adam")...)
	if status != 0 {
		t.Fatal(errs)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Data               string
		Seed, Steps, Batch int
		Angles             []float64
		Results            []struct {
			Solver            string
			Settings          map[string]string
			LearnRate         float64 `json:"learn_rate"`
			Accuracy, Plateau float64
			Recovery          *float64
			Unrecovered       int
			AfterShift        float64 `json:"after_shift"`
			HeldOut           []float64
			StepMS            float64 `json:"step_ms"`
			Scale             *float64
		}
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if s.Seed != 7 || s.Steps != 30 || s.Batch != 16 || !slices.Equal(s.Angles, []float64{0, 60}) || len(s.Results) != 2 {
		t.Errorf("%s", b)
	}
	f, a := s.Results[0], s.Results[1]
	if f.Solver != "funnel" || f.LearnRate != 0.01 || f.Settings["scope"] != "parameter" || f.Scale == nil || len(f.HeldOut) != 2 || !(f.StepMS > 0) {
		t.Errorf("%+v", f)
	}
	if a.Solver != "adam" || a.LearnRate != 0.001 || a.Scale != nil || !(a.Accuracy > 0 && a.Accuracy < 1) || a.Recovery != nil || a.Unrecovered != 1 {
		t.Errorf("%+v", a)
	}
}

func TestTheCSVHasARowForEachStepAndSolver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.csv")
	if status, _, errs := invoke(small(t, "-csv", file, "-solvers", "funnel,momentum")...); status != 0 {
		t.Fatal(errs)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+2*60 {
		t.Fatalf("%d rows", len(rows))
	}
	want := []string{"solver", "step", "angle", "loss", "accuracy", "scale", "gain_01", "gain_25", "gain_50", "gain_75", "gain_99"}
	if !slices.Equal(rows[0], want) {
		t.Errorf("columns %v", rows[0])
	}
	last, momentum := rows[119], rows[120] // by step, then by solver
	if !slices.Equal(last[:3], []string{"funnel", "60", "60"}) || !slices.Equal(momentum[:3], []string{"momentum", "60", "60"}) {
		t.Errorf("rows %v and %v", last, momentum)
	}
	before := 0.0
	for _, q := range last[6:] {
		x, err := strconv.ParseFloat(q, 64)
		if err != nil || x < before || x < 0.01 || x > 100 {
			t.Errorf("gain quantiles %v", last[6:])
		}
		before = x
	}
	if strings.Join(momentum[5:], "") != "" {
		t.Errorf("momentum has a scale or gains: %v", momentum)
	}
}

func TestAFileCanBeStandardOutputAndThenTheTableGoesToStandardError(t *testing.T) {
	rows := func(text string) int {
		all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Errorf("%v in\n%.500s", err, text)
		}
		return len(all)
	}
	for _, quiet := range [][]string{nil, {"-quiet"}} {
		args := append(quiet, "-solvers", "funnel,momentum")
		status, out, errs := invoke(small(t, append(args, "-csv", "-")...)...)
		if status != 0 || rows(out) != 1+2*60 || !strings.Contains(errs, "\nmomentum ") {
			t.Errorf("-csv -: status %d, %d rows\n%s", status, rows(out), errs)
		}
		status, out, errs = invoke(small(t, append(args, "-json", "-")...)...)
		if status != 0 || !json.Valid([]byte(out)) || !strings.Contains(errs, "\nmomentum ") {
			t.Errorf("-json -: status %d\n%s\n%s", status, out, errs)
		}
	}
	status, _, errs := invoke(small(t, "-csv", "-", "-json", "-")...)
	if status != 2 || !strings.Contains(errs, "-csv and -json both name standard output") {
		t.Errorf("both: status %d, %s", status, errs)
	}
	status, _, errs = invoke(small(t, "-csv", "-", "-checkpoint", filepath.Join(t.TempDir(), "run"))...)
	if status != 1 || !strings.Contains(errs, "could not go on when the run is resumed") {
		t.Errorf("with checkpoints: status %d, %s", status, errs)
	}
}

func TestASolverThatDivergesSaysSoInItsRowAndInTheJSON(t *testing.T) {
	status, out, errs := invoke(small(t, "-quiet", "-solvers", "funnel,vanilla:lr=1e30")...)
	if status != 1 || !regexp.MustCompile(`(?m)^vanilla:lr=1e30  diverged at step [1-3]$`).MatchString(out) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	file := filepath.Join(t.TempDir(), "out.json")
	invoke(small(t, "-quiet", "-json", file, "-solvers", "funnel,vanilla:lr=1e30")...)
	if b := readFile(t, file); !bytes.Contains(b, []byte(`"diverged_at": `)) {
		t.Errorf("%s", b)
	}
}

func TestARunIsReproducible(t *testing.T) {
	var files [2][]byte
	for k := range files {
		name := filepath.Join(t.TempDir(), "out.csv")
		if status, _, errs := invoke(small(t, "-quiet", "-csv", name)...); status != 0 {
			t.Fatal(errs)
		}
		files[k], _ = os.ReadFile(name)
	}
	if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) {
		t.Error("two runs with one seed differ")
	}
}

func TestSyntheticDigitsNeedNothing(t *testing.T) {
	status, out, errs := invoke("-steps", "3", "-angles", "0", "-solvers", "funnel")
	if status != 0 || !strings.Contains(out, "60000 digits to train on, 10000 held out") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

func TestDriftTurnsALittleEveryStep(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.csv")
	status, out, errs := invoke("-data", digits(t), "-drift", "0.5", "-steps", "20", "-batch", "8", "-solvers", "funnel", "-csv", file)
	if status != 0 {
		t.Fatal(errs)
	}
	b, _ := os.ReadFile(file)
	if !strings.Contains(string(b), "funnel,20,9.5,") || !strings.Contains(out, "drifting 0.5° a step, 20 steps") || !strings.Contains(out, "–") {
		t.Errorf("%s\n%s", out, b)
	}
}

func TestTheReportIsAPageWithTheRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	status, out, errs := invoke(small(t, "-report", file, "-solvers", "funnel,adam:decay=cosine")...)
	if status != 0 {
		t.Fatal(errs)
	}
	page := string(readFile(t, file))
	for _, want := range []string{"<!DOCTYPE html>", "Content-Security-Policy", "adam:decay=cosine", "-report " + file, `"state":"finished"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page, after\n%s", want, out)
		}
	}
}

func TestAReportOfARunThatWasResumedIsOfAllOfIt(t *testing.T) {
	whole, resumed := filepath.Join(t.TempDir(), "whole.html"), filepath.Join(t.TempDir(), "resumed.html")
	args, dir, _ := resumable(t, "-solvers", "funnel", "-steps", "200")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for newest(dir) == "" {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if status := run(ctx, args, io.Discard, io.Discard); status != 130 {
		t.Fatalf("status %d", status)
	}
	if status, _, errs := invoke("-resume", dir, "-report", resumed); status != 0 {
		t.Fatal(errs)
	}
	if status, _, errs := invoke(small(t, "-solvers", "funnel", "-steps", "200", "-report", whole)...); status != 0 {
		t.Fatal(errs)
	}
	accuracy := regexp.MustCompile(`"accuracy":\{[^}]*\}`)
	a, b := accuracy.Find(readFile(t, whole)), accuracy.Find(readFile(t, resumed))
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Errorf("its accuracies are %s, those of an uninterrupted run %s", b, a)
	}
}

func TestThePageIsServedWhileItTrainsAndAfterwardsUntilCtrlC(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, written := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int)
	go func() {
		status := run(ctx, small(t, "-http", "0", "-http-linger", "-solvers", "funnel,vanilla:lr=1e30"), written, &errs)
		written.Close()
		ended <- status
	}()
	lines := bufio.NewScanner(out)
	until := func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return strings.Fields(rest)[0]
			}
		}
		t.Fatalf("there is no line %s", prefix)
		return ""
	}
	url := until("page")
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("the page is at %s", url)
	}
	until("the page stays at")
	response, err := http.Get(url + "events")
	if err != nil {
		t.Fatal(err)
	}
	events, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(events), `"state":"finished"`) {
		t.Errorf("%v: %.300s", err, events)
	}
	if !strings.Contains(errs.String(), "vanilla:lr=1e30") || !strings.Contains(string(events), "vanilla:lr=1e30 ended after step") {
		t.Errorf("a solver has failed, and while the page stays nobody knows: %s", errs.String())
	}
	cancel()
	if status := <-ended; status != 1 {
		t.Errorf("status %d", status)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("it is still served")
	}
}

func TestTwoFlagsThatNameOneFileThroughALinkAreAMistake(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.html")
	if err := os.Symlink(filepath.Join(dir, "run.csv"), link); err != nil {
		t.Skip("needs symbolic links: ", err)
	}
	os.WriteFile(filepath.Join(dir, "run.csv"), nil, 0o666)
	if status, _, errs := invoke(small(t, "-csv", filepath.Join(dir, "run.csv"), "-report", link)...); status != 2 || !strings.Contains(errs, "both name") {
		t.Errorf("status %d, %s", status, errs)
	}
}

func TestWhatWentWrongBeforeAnInterruptionIsSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	rows := filepath.Join(t.TempDir(), "out.csv")
	go func() { written(rows); cancel() }()
	var out, errs bytes.Buffer
	status := run(ctx, small(t, "-steps", "10000000", "-csv", rows, "-solvers", "adam,vanilla:lr=1e30"), &out, &errs)
	if status != 130 || !strings.Contains(errs.String(), "vanilla:lr=1e30: step") || !regexp.MustCompile(`interrupted after step \d+ of 20000000; the table and the files cover those steps\n`).MatchString(errs.String()) || strings.Contains(errs.String(), "context canceled") {
		t.Errorf("status %d\n%s", status, errs.String())
	}
}

func TestARunThatCannotStartLeavesAnOldCSVAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.csv")
	if err := os.WriteFile(file, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := invoke(small(t, "-csv", file, "-http", taken(t))...); status != 1 {
		t.Errorf("status %d", status)
	}
	if b := readFile(t, file); string(b) != "precious" {
		t.Errorf("the old file holds %q", b)
	}
}

func TestASolverThatFailsDoesNotKeepTheOthersFromRunning(t *testing.T) {
	status, out, errs := invoke(small(t, "-solvers", "funnel:lr=1e38,vanilla")...)
	if status != 1 || !strings.Contains(out, "\nvanilla ") || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

func TestAMistakeInTheDataLeavesAnOldCSVAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.csv")
	if err := os.WriteFile(file, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := invoke("-data", file+"/none", "-csv", file); status != 1 {
		t.Errorf("status %d", status)
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("the old file holds %q", b)
	}
}

func TestJSONBehindALinkReplacesTheFileNotTheLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.json"), filepath.Join(dir, "link.json")
	if err := errors.Join(os.WriteFile(target, nil, 0o666), os.Symlink(target, link)); err != nil {
		t.Skip("needs symbolic links: ", err)
	}
	if status, _, errs := invoke(small(t, "-quiet", "-json", link)...); status != 0 {
		t.Fatal(errs)
	}
	if b, _ := os.ReadFile(target); !json.Valid(b) {
		t.Errorf("the link's target holds %q", b)
	}
}

func TestJSONCanGoToAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("needs /dev/fd: ", err)
	}
	if status, _, errs := invoke(small(t, "-quiet", "-json", path)...); status != 0 {
		t.Fatal(errs)
	}
	w.Close()
	if b, _ := io.ReadAll(r); !json.Valid(b) {
		t.Errorf("out of the pipe came %q", b)
	}
}

// written waits until there is something in a file, but not for ever.
func written(file string) bool {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			return true
		}
	}
	return false
}

func TestAnInterruptedComparisonPrintsWhatWasDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var out, errs bytes.Buffer
	file, rows := filepath.Join(t.TempDir(), "out.json"), filepath.Join(t.TempDir(), "out.csv")
	began := make(chan bool, 1)
	go func() { began <- written(rows); cancel() }()
	status := run(ctx, small(t, "-steps", "10000000", "-json", file, "-csv", rows), &out, &errs)
	if !<-began || status != 130 || !strings.Contains(out.String(), "\nfunnel ") || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
	if b, err := os.ReadFile(file); err != nil || !json.Valid(b) {
		t.Errorf("the summary: %v\n%s", err, b)
	}
}

func TestCtrlCStopsTheProgramCleanly(t *testing.T) {
	rows := filepath.Join(t.TempDir(), "out.csv")
	p := program(small(t, "-steps", "10000000", "-csv", rows)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if !written(rows) {
		p.Process.Kill()
		t.Errorf("no step was written")
	}
	p.Process.Signal(os.Interrupt)
	if p.status() != 130 || !strings.Contains(p.out.String(), "\nfunnel ") {
		t.Errorf("%v\n%s%s", p.ProcessState, &p.out, &p.errs)
	}
}
