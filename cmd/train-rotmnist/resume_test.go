package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resumable returns the flags of a small run with a CSV and checkpoints, in directories of
// their own.
func resumable(t *testing.T, more ...string) (args []string, dir, csv string) {
	t.Helper()
	dir, csv = filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run.csv")
	return append(small(t, "-quiet", "-csv", csv, "-checkpoint", dir), more...), dir, csv
}

// folders are those of the checkpoints, the newest last.
func folders(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, "step-*"))
	return all
}

// newest is the folder of the newest checkpoint; empty if there is none.
func newest(dir string) string {
	all := folders(dir)
	if len(all) == 0 {
		return ""
	}
	return slices.Max(all)
}

// sameEnd compares the CSVs of two runs, and their last checkpoints but for what
// a clock has measured.
func sameEnd(t *testing.T, dir, csv, wantDir, wantCSV string) {
	t.Helper()
	if got, want := readFile(t, csv), readFile(t, wantCSV); !bytes.Equal(got, want) {
		t.Errorf("the CSV has %d bytes, that of the uninterrupted run %d, or they differ", len(got), len(want))
	}
	if filepath.Base(newest(dir)) != filepath.Base(newest(wantDir)) {
		t.Fatalf("the last checkpoint is %s, that of the uninterrupted run %s", newest(dir), newest(wantDir))
	}
	files, _ := filepath.Glob(filepath.Join(newest(wantDir), "*"))
	for _, want := range files {
		got := readFile(t, filepath.Join(newest(dir), filepath.Base(want)))
		if strings.HasSuffix(want, ".json") {
			if a, b := untimed(t, got), untimed(t, readFile(t, want)); a != b {
				t.Errorf("the metrics differ:\n%.500s\n%.500s", a, b)
			}
		} else if !bytes.Equal(got, readFile(t, want)) {
			t.Errorf("%s differs from that of the uninterrupted run", filepath.Base(want))
		}
	}
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// untimed is a checkpoint's record without times, and without the paths that a
// test has of its own.
func untimed(t *testing.T, text []byte) string {
	t.Helper()
	var r struct {
		Run struct {
			Done    int
			CSV     any
			History any
			Runs    []map[string]any
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, run := range r.Run.Runs {
		delete(run, "Training")
		delete(run, "Solving")
	}
	b, _ := json.Marshal(r)
	return string(b)
}

// all is every solver there is, some inside another, some with a schedule.
const all = "funnel,funneladam:decay=cosine,eggain,adam,momentum:decay=step,rmsprop,vanilla:lr=0.1,augment:inner=adam,augment:inner=funnel"

func TestARunThatIsInterruptedAndResumedEqualsOneThatIsNot(t *testing.T) {
	for _, stream := range [][]string{nil, {"-on-nonfinite", "skip", "-seed", "3"}} {
		args, wantDir, wantCSV := resumable(t, append(stream, "-solvers", all)...)
		if status, _, errs := invoke(args...); status != 0 {
			t.Fatal(errs)
		}
		args, dir, csv := resumable(t, append(stream, "-solvers", all, "-checkpoint-every", "7")...)
		// It is interrupted when there is a checkpoint of step 7 or a later one.
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for filepath.Base(newest(dir)) < "step-0000000007" {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		var out, errs bytes.Buffer
		if status := run(ctx, args, &out, &errs); status != 130 || !strings.Contains(errs.String(), "-resume "+dir) {
			t.Fatalf("status %d\n%s", status, errs.String())
		}
		if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
			t.Fatalf("status %d\n%s", status, errs)
		}
		sameEnd(t, dir, csv, wantDir, wantCSV)
	}
}

func TestAFinishedRunThatIsResumedSaysSoAndPrintsItsTable(t *testing.T) {
	args, dir, csv := resumable(t, "-solvers", "funnel,vanilla")
	status, want, errs := invoke(args...)
	if status != 0 {
		t.Fatal(errs)
	}
	before := readFile(t, csv)
	status, out, errs := invoke("-resume", dir)
	if status != 0 || !strings.Contains(out, "the run in "+dir+" is finished: all of its 60 steps are done") || !strings.Contains(out, want) {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if !bytes.Equal(readFile(t, csv), before) {
		t.Error("its CSV has changed")
	}
}

func TestARunIsNotResumedWithOtherFlags(t *testing.T) {
	args, dir, csv := resumable(t, "-solvers", "funnel")
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	before := readFile(t, csv)
	for more, want := range map[string]string{
		"-batch 17":                     `-batch is "16" in the run and "17" here`,
		"-seed 2":                       `-seed is "1" in the run and "2" here`,
		"-solvers funnel:lr=0.1":        `-solvers is "funnel" in the run and "funnel:lr=0.1" here`,
		"-on-nonfinite skip":            `-on-nonfinite is "stop" in the run and "skip" here`,
		"-csv other.csv -drift 1":       `-drift is "0" in the run and "1" here`,
		"-seed 2 -checkpoint-every 123": `-checkpoint-every is "100" in the run and "123" here, -seed is "1"`,
	} {
		status, out, errs := invoke(append([]string{"-resume", dir}, strings.Fields(more)...)...)
		if status != 2 || out != "" || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %s", more, status, errs)
		}
	}
	if status, _, errs := invoke(append([]string{"-resume", dir, "-seed", "1"}, args[:len(args)-4]...)...); status != 0 {
		t.Errorf("with its own flags: status %d, %s", status, errs)
	}
	if !bytes.Equal(readFile(t, csv), before) {
		t.Error("its CSV has changed")
	}
}

func TestWhatCannotBeResumedSaysWhy(t *testing.T) {
	args, dir, csv := resumable(t, "-solvers", "funnel")
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	if status, _, errs := invoke("-resume", filepath.Join(dir, "none")); status != 1 || !strings.Contains(errs, "no such file") {
		t.Errorf("nothing there: status %d, %s", status, errs)
	}
	if status, _, errs := invoke("-resume", t.TempDir()); status != 1 || !strings.Contains(errs, "there is no checkpoint in it") {
		t.Errorf("an empty directory: status %d, %s", status, errs)
	}
	if status, _, errs := invoke(args...); status != 1 || !strings.Contains(errs, "it has a run in it; go on with -resume") {
		t.Errorf("a new run in a directory that has one: status %d, %s", status, errs)
	}
	csv0 := filepath.Join(t.TempDir(), "kept.csv")
	os.WriteFile(csv0, readFile(t, csv), 0o666)
	other := readFile(t, csv)
	other[100] ^= 1
	os.WriteFile(csv, other, 0o666)
	if status, _, errs := invoke("-resume", dir); status != 1 || !strings.Contains(errs, csv+": it does not begin with what the run had written") {
		t.Errorf("another CSV: status %d, %s", status, errs)
	}
	os.Remove(csv)
	if status, _, errs := invoke("-resume", dir); status != 1 || !strings.Contains(errs, csv+": no such file") || !strings.Contains(errs, "put it back") {
		t.Errorf("no CSV: status %d, %s", status, errs)
	}
	os.WriteFile(csv, readFile(t, csv0), 0o666)
	altered := filepath.Join(t.TempDir(), "run")
	os.CopyFS(altered, os.DirFS(dir))
	for _, folder := range folders(altered) {
		var sealed struct {
			SHA256 string          `json:"sha256"`
			Run    json.RawMessage `json:"run"`
		}
		json.Unmarshal(readFile(t, filepath.Join(folder, "run.json")), &sealed)
		sealed.Run = bytes.Replace(sealed.Run, []byte(`"arithmetic":"`), []byte(`"arithmetic":"another`), 1)
		sum := sha256.Sum256(sealed.Run)
		sealed.SHA256 = hex.EncodeToString(sum[:])
		b, _ := json.Marshal(sealed)
		os.WriteFile(filepath.Join(folder, "run.json"), b, 0o666)
	}
	if status, _, errs := invoke("-resume", altered); status != 1 || !strings.Contains(errs, "its matrices were multiplied by anotherportable,") {
		t.Errorf("other arithmetic: status %d, %s", status, errs)
	}
	labels := filepath.Join(args[1], "train-labels-idx1-ubyte")
	b := readFile(t, labels)
	b[20] = (b[20] + 1) % 10
	os.WriteFile(labels, b, 0o666)
	if status, _, errs := invoke("-resume", dir); status != 1 || !strings.Contains(errs, "are not those that the run was started with") {
		t.Errorf("other digits: status %d, %s", status, errs)
	}
}

func TestTheLastTwoCheckpointsAreKeptAndADamagedOneIsPassedOver(t *testing.T) {
	args, wantDir, wantCSV := resumable(t, "-solvers", "funnel,vanilla", "-checkpoint-every", "20")
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	folders := folders(wantDir)
	if len(folders) != 2 || filepath.Base(folders[0]) != "step-0000000040" || filepath.Base(folders[1]) != "step-0000000060" {
		t.Fatalf("kept are %v", folders)
	}
	for _, name := range []string{"1.safetensors", "2.safetensors", "run.json"} {
		for what, damage := range map[string]func(file string, b []byte){
			"altered": func(file string, b []byte) { b[len(b)/2] ^= 4; os.WriteFile(file, b, 0o666) },
			"cut":     func(file string, b []byte) { os.WriteFile(file, b[:len(b)/3], 0o666) },
			"empty":   func(file string, b []byte) { os.WriteFile(file, nil, 0o666) },
			"gone":    func(file string, b []byte) { os.Remove(file) },
		} {
			dir, csv := filepath.Join(t.TempDir(), "run"), args[slices.Index(args, "-csv")+1]
			if err := os.CopyFS(dir, os.DirFS(wantDir)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(newest(dir), name)
			damage(file, readFile(t, file))
			status, _, errs := invoke("-resume", dir, "-quiet")
			if status != 0 || !strings.Contains(errs, file) || !strings.Contains(errs, "going on from the checkpoint before, of step 40") || strings.Count(errs, "\n") != 1 {
				t.Errorf("%s %s: status %d, %s", name, what, status, errs)
			}
			sameEnd(t, dir, csv, wantDir, wantCSV)
		}
	}
	// One that was passed over is not kept in place of a sound one.
	os.Rename(folders[1], filepath.Join(wantDir, "step-0000000059"))
	os.Remove(filepath.Join(wantDir, "step-0000000059", "run.json"))
	if status, _, errs := invoke("-resume", wantDir, "-quiet"); status != 0 || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d, %s", status, errs)
	}
	if now, _ := filepath.Glob(filepath.Join(wantDir, "step-*")); !slices.Equal(now, folders) {
		t.Errorf("kept are %v", now)
	}
	for _, folder := range folders {
		os.Remove(filepath.Join(folder, "run.json"))
	}
	if status, _, errs := invoke("-resume", wantDir, "-quiet"); status != 1 || strings.Count(errs, "no such file") != 2 {
		t.Errorf("both damaged: status %d, %s", status, errs)
	}
}

func TestAResumedRunWritesTheReportAndTheJSONOfItsFlagsOrOthers(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "first.json"), filepath.Join(t.TempDir(), "second.json")
	args, dir, _ := resumable(t, "-solvers", "funnel", "-json", first)
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	os.Remove(first)
	if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || len(readFile(t, first)) == 0 {
		t.Errorf("status %d, %s", status, errs)
	}
	if status, _, errs := invoke("-resume", dir, "-quiet", "-json", second); status != 0 || len(readFile(t, second)) == 0 {
		t.Errorf("status %d, %s", status, errs)
	}
}

func TestARunThatHasFailedStaysSoWhenItIsResumed(t *testing.T) {
	args, dir, _ := resumable(t, "-solvers", "vanilla:lr=1e30,funnel")
	status, want, wantErrs := invoke(args...)
	if status != 1 || !strings.Contains(wantErrs, "-on-nonfinite skip") {
		t.Fatalf("status %d, %s", status, wantErrs)
	}
	status, out, errs := invoke("-resume", dir, "-quiet")
	if status != 1 || out != want || !strings.Contains(errs, "vanilla:lr=1e30: step ") {
		t.Errorf("status %d, %s\n%s%s", status, errs, out, want)
	}
}

func TestOneProcessAtATimeUsesADirectory(t *testing.T) {
	args, dir, csv := resumable(t, "-steps", "10000000", "-solvers", "vanilla")
	p := program(args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Wait()
	defer p.Process.Kill()
	if !written(csv) {
		t.Fatal("it does not start")
	}
	if status, _, errs := invoke("-resume", dir); status != 1 || !strings.Contains(errs, "another process is using it") {
		t.Errorf("status %d, %s", status, errs)
	}
}

// kills is how often the crash test kills: FUNNEL_KILLS, or a few.
func kills(t *testing.T) int {
	text := os.Getenv("FUNNEL_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("FUNNEL_KILLS=%s is not a number", text)
	}
	return n
}

// A run that makes a checkpoint after every step spends most of its time in
// them, so most kills hit one.
func TestARunThatIsKilledAgainAndAgainEndsAsOneThatIsNot(t *testing.T) {
	n := kills(t)
	more := []string{"-solvers", "funnel,adam,augment:inner=momentum", "-steps", strconv.Itoa(4 * n), "-checkpoint-every", "1"}
	args, wantDir, wantCSV := resumable(t, more...)
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	args, dir, csv := resumable(t, more...)
	killed, inside := 0, 0
	for killed < n {
		p := program(args...)
		if newest(dir) != "" {
			p = program("-resume", dir, "-quiet")
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan int, 1)
		go func() { ended <- p.status() }()
		// It gets as far as another checkpoint, mostly, and then some.
		for before := newest(dir); newest(dir) == before && rand.IntN(2000) > 0 && len(ended) == 0; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		p.Process.Kill()
		if status := <-ended; status == 0 {
			break
		} else if status > 0 {
			t.Fatalf("after %d kills: status %d, %s", killed, status, &p.errs)
		}
		killed++
		if _, err := os.Stat(filepath.Join(dir, ".unready")); err == nil {
			inside++
		}
	}
	t.Logf("%d kills survived, %d of them inside a checkpoint", killed, inside)
	if killed < n {
		t.Errorf("the run was done after %d kills of %d", killed, n)
	}
	if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
		t.Fatalf("status %d, %s", status, errs)
	}
	sameEnd(t, dir, csv, wantDir, wantCSV)
}

// Until v0.9 a run that was started without -solvers did not save them.
func TestARunThatWasStartedWithEarlierDefaultsGoesOnWithThem(t *testing.T) {
	args, dir, _ := resumable(t, "-solvers", formerly["solvers"])
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	for _, folder := range folders(dir) {
		file := filepath.Join(folder, "run.json")
		var sealed struct {
			SHA256 string          `json:"sha256"`
			Run    json.RawMessage `json:"run"`
		}
		if err := json.Unmarshal(readFile(t, file), &sealed); err != nil {
			t.Fatal(err)
		}
		saved := []byte(`"solvers":"` + formerly["solvers"] + `"`)
		if !bytes.Contains(sealed.Run, saved) {
			t.Fatalf("no %s in %.500s", saved, sealed.Run)
		}
		sealed.Run = regexp.MustCompile(`,`+string(saved)+`|`+string(saved)+`,`).ReplaceAll(sealed.Run, nil)
		sum := sha256.Sum256(sealed.Run)
		sealed.SHA256 = hex.EncodeToString(sum[:])
		text, err := json.Marshal(sealed)
		if err == nil {
			err = os.WriteFile(file, text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if status, out, errs := invoke("-resume", dir, "-quiet"); status != 0 || strings.Contains(out, "lr=") || !strings.Contains(out, "\nmomentum ") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

func TestAConvnetIsTrainedAndGoesOnToTheSameBits(t *testing.T) {
	conv := func(more ...string) []string {
		return append([]string{"-data", digits(t), "-model", "conv", "-angles", "0,60", "-steps", "6", "-batch", "8", "-solvers", "funneladam,adam", "-checkpoint-every", "4"}, more...)
	}
	dir, csv := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run.csv")
	status, out, errs := invoke(conv("-checkpoint", dir, "-csv", csv)...)
	if status != 0 || !strings.Contains(out, "convnet, 8 kernels of 5×5 and 16 of 3×3, ReLU, 5362 parameters") {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	whole, last := readFile(t, csv), newest(dir)
	weights := readFile(t, filepath.Join(last, "1.safetensors"))
	if err := os.RemoveAll(last); err != nil { // as if it had been killed after step 8
		t.Fatal(err)
	}
	if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
		t.Fatalf("status %d\n%s", status, errs)
	}
	if !bytes.Equal(readFile(t, csv), whole) || !bytes.Equal(readFile(t, filepath.Join(newest(dir), "1.safetensors")), weights) {
		t.Error("it went on to other bits")
	}
}
