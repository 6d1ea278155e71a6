package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/mnist"
)

// TestMain is the program itself in a process that program has started.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		signal.Ignore(sizeSignals...) // as of a disk that is full
		main()
	}
	os.Exit(m.Run())
}

const asProgram = "FUNNEL_TEST_AS_PROGRAM"

// program is the command in a process of its own, which has not started.
func program(args ...string) *process {
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stdout, p.Stderr = &p.out, &p.errs
	return p
}

type process struct {
	*exec.Cmd
	out, errs bytes.Buffer
}

// status waits for its end.
func (p *process) status() int {
	p.Wait()
	return p.ProcessState.ExitCode()
}

// digits is a directory with a few digits in MNIST's files.
func digits(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for prefix, d := range map[string]*mnist.Dataset{"train": mnist.Synthetic(500, 1), "t10k": mnist.Synthetic(100, 2)} {
		n := uint32(d.Len())
		write := func(name string, header []uint32, body []byte) {
			var b bytes.Buffer
			binary.Write(&b, binary.BigEndian, header)
			b.Write(body)
			if err := os.WriteFile(filepath.Join(dir, prefix+name), b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		write("-images-idx3-ubyte", []uint32{0x803, n, 28, 28}, d.Images)
		write("-labels-idx1-ubyte", []uint32{0x801, n}, d.Labels)
	}
	return dir
}

// small are the flags of a run that takes no time.
func small(t *testing.T, more ...string) []string {
	return append([]string{"-data", digits(t), "-angles", "0,60", "-steps", "30", "-batch", "16", "-hidden", "16"}, more...)
}

// invoke runs the program.
func invoke(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestAComparisonPrintsWhatItRunsAndATable(t *testing.T) {
	status, out, _ := invoke(small(t)...)
	if status != 0 {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{
		"500 digits to train on, 100 held out", "angles 0 60°, 30 steps each, batches of 16, seed 1", "784-16-10, ReLU, 12730 parameters", "solvers funnel, funneladam, adam, momentum",
		"solver", "after shift", "\nfunnel ", "\nfunneladam ", "\nadam ", "\nmomentum ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
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
			Solver                      string
			Settings                    map[string]string
			LearnRate                   float64 `json:"learn_rate"`
			Accuracy, Recovery, Plateau float64
			AfterShift                  float64 `json:"after_shift"`
			HeldOut                     []float64
			StepMS                      float64 `json:"step_ms"`
			Scale                       *float64
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
	if a.Solver != "adam" || a.LearnRate != 0.001 || a.Scale != nil || !(a.Accuracy > 0 && a.Accuracy < 1) || a.Recovery < 10 {
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

func TestAMistakeOnTheCommandLineIsOneSentenceAndStatus2(t *testing.T) {
	for args, want := range map[string]string{
		"-solvers sgd":                      "known are funnel",
		"-solvers adam:speed=3":             "adam takes lr",
		"-nonsense":                         "not defined: -nonsense",
		"-steps many":                       "invalid value",
		"-steps 0":                          "at least 1",
		"-batch 0":                          "at least 1",
		"-batch 70000 -quiet":               "the data set has 60000 images",
		"-angles a,b":                       "not a number",
		"-angles 0,NaN":                     "finite",
		"-hidden 3,x":                       "not a number",
		"-hidden 0":                         "at least 1",
		"-drift 1 -angles 0":                "cannot both",
		"-drift Inf":                        "finite",
		"-seed -1":                          "invalid value",
		"funnel":                            "unexpected argument",
		"-csv x -json x":                    "both name",
		"-checkpoint-every 5":               "without -checkpoint",
		"-csv x -report ./x":                "-csv and -report both name ./x",
		"-json x -report x":                 "both name",
		"-http-linger":                      "without -http",
		"-http nowhere:none:1":              "is not an address",
		"-http 99999":                       "is not an address",
		"-watch -quiet":                     "cannot both",
		"-on-nonfinite ignore":              "neither stop nor skip",
		"-checkpoint x -resume x":           "cannot both be given",
		"-checkpoint x -checkpoint-every 0": "at least 1",
		"table":                             "table wants the files",
	} {
		status, out, errs := invoke(strings.Fields(args)...)
		if status != 2 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "train-rotmnist: ") || out != "" {
			t.Errorf("%s: status %d, %q and %q; want status 2 and %q", args, status, out, errs, want)
		}
	}
}

func TestAMistakeOnTheCommandLineNamesTheHelpOfItsCommand(t *testing.T) {
	for args, want := range map[string]string{
		"-nonsense":                   "; see train-rotmnist -h",
		"-batch 70000 -quiet":         "; see train-rotmnist -h",
		"sweep -nonsense":             "; see train-rotmnist sweep -h",
		"sweep -batch 70000 -out OUT": "; see train-rotmnist sweep -h",
		"table":                       "; see train-rotmnist table -h",
		"table -nonsense":             "; see train-rotmnist table -h",
	} {
		args = strings.Replace(args, "OUT", filepath.Join(t.TempDir(), "x"), 1)
		if status, _, errs := invoke(strings.Fields(args)...); status != 2 || !strings.HasSuffix(errs, want+"\n") || strings.Count(errs, "-h") != 1 {
			t.Errorf("%s: status %d, %q, want %q", args, status, errs, want)
		}
	}
}

func TestAFailureIsOneSentenceAndStatus1(t *testing.T) {
	dir := t.TempDir()
	notJSON := filepath.Join(dir, "not.json")
	if err := os.WriteFile(notJSON, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign.json")
	if err := os.WriteFile(foreign, []byte(`{"results":[{"a":1}]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"table of foreign JSON": {[]string{"table", foreign}, "foreign.json is no file that -json or sweep -out wrote: result 1: it names no solver"},
		"no such data":          {[]string{"-data", filepath.Join(dir, "none")}, "none"},
		"CSV nowhere":           {small(t, "-csv", filepath.Join(dir, "none", "x.csv")), "-csv"},
		"report nowhere":        {small(t, "-report", filepath.Join(dir, "none", "x.html")), "-report"},
		"a port that is taken":  {small(t, "-http", taken(t)), "address already in use"},
		"JSON nowhere":          {small(t, "-json", filepath.Join(dir, "none", "x.json")), "-json"},
		"a step that diverges":  {small(t, "-quiet", "-solvers", "funnel:lr=1e38"), "funnel:lr=1e38: step"},
		"JSON is a directory":   {small(t, "-json", dir), "it is a directory"},
		"a full disk":           {small(t, "-csv", "/dev/full"), "-csv /dev/full: no space left"},
		"table of nothing":      {[]string{"table", filepath.Join(dir, "none.json")}, "none.json"},
		"table of no summary":   {[]string{"table", notJSON}, "not.json"},
	} {
		status, _, errs := invoke(c.args...)
		if status != 1 || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want status 1 and %q", name, status, errs, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// taken is an address where somebody listens.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
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
	args, dir, _ := kept(t, "-solvers", "funnel", "-steps", "200")
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
	if status != 130 || !strings.Contains(errs.String(), "vanilla:lr=1e30: step") || !strings.Contains(errs.String(), "interrupted; ") || strings.Contains(errs.String(), "context canceled") {
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

func TestTableMergesSummariesOfSeveralSeeds(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for _, seed := range []string{"1", "2", "3"} {
		name := filepath.Join(dir, seed+".json")
		if status, _, errs := invoke(small(t, "-quiet", "-json", name, "-seed", seed, "-solvers", "funnel,vanilla")...); status != 0 {
			t.Fatal(errs)
		}
		// Each run reads digits of its own; they are the same.
		b, _ := os.ReadFile(name)
		var s map[string]any
		json.Unmarshal(b, &s)
		s["data"] = "digits"
		b, _ = json.Marshal(s)
		os.WriteFile(name, b, 0o666)
		names = append(names, name)
	}
	status, out, errs := invoke(append([]string{"table"}, names...)...)
	if status != 0 || strings.Count(out, "\n") != 3 || !strings.Contains(out, "funnel      3") || !strings.Contains(out, " ± ") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	other := filepath.Join(dir, "other.json")
	if status, _, errs := invoke(small(t, "-quiet", "-json", other, "-steps", "31")...); status != 0 {
		t.Fatal(errs)
	}
	if status, out, errs := invoke("table", names[0], other); status != 0 || strings.Count(out, " runs ") != 2 {
		t.Errorf("different experiments: status %d\n%s%s", status, out, errs)
	}
	twice := append([]string{"table", names[0]}, names...)
	if _, again, errs := invoke(twice...); again != out {
		t.Errorf("one run twice\n%s%swithout\n%s", again, errs, out)
	}
}

func TestHelpHasExamplesAndEveryFlag(t *testing.T) {
	status, out, errs := invoke("-h")
	if status != 0 || errs != "" || strings.Count(out, "\n  train-rotmnist") != 6 {
		t.Errorf("status %d\n%s", status, out)
	}
	for _, want := range []string{"-solvers", "-data", "-angles", "-drift", "-steps", "-batch", "-hidden", "-seed", "-csv", "-json", "-checkpoint", "-checkpoint-every", "-resume", "-on-nonfinite", "-report", "-http", "-http-linger", "-watch", "-quiet", "-version", "rmsprop", "augment:inner=NAME", "gain-bounds=MIN..MAX"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in the help", want)
		}
	}
}

func TestVersionSaysWhatThisIs(t *testing.T) {
	if status, out, _ := invoke("-version"); status != 0 || !strings.HasPrefix(out, "train-rotmnist ") || !strings.Contains(out, runtime.Version()) {
		t.Errorf("status %d, %q", status, out)
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
