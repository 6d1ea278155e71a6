package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

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

func TestAMistakeOnTheCommandLineIsOneSentenceAndStatus2(t *testing.T) {
	long(t)
	for args, want := range map[string]string{
		"-solvers sgd":                      "known are funnel",
		"-solvers adam:speed=3":             "adam takes lr",
		"-nonsense":                         "unknown flag -nonsense",
		"-sovlers adam":                     "unknown flag -sovlers; did you mean -solvers?",
		"-solvers funel":                    "did you mean funnel?",
		"-solvers adam:bta1=0.5":            "did you mean beta1?",
		"tabel x.json":                      "did you mean table?",
		"-csv=":                             "-csv: its name is empty",
		"-http=":                            "-http: its address is empty",
		"-data=":                            "-data: its name is empty",
		"-json=":                            "-json: its name is empty",
		"-resume=":                          "-resume: its name is empty",
		"sweep -out=":                       "-out: its name is empty",
		"-csv":                              "-csv: its value is missing; write -csv FILE",
		"-seed abc":                         "-seed: \"abc\" is not a whole number from 0",
		"-solvers funnel:gain-bounds=2..1":  "gain-bounds: \"2..1\" is not two finite numbers",
		"-steps many":                       "-steps: \"many\" is not a whole number",
		"-steps 0":                          "at least 1",
		"-batch 0":                          "at least 1",
		"-batch 70000 -quiet":               "the data set has 60000 images",
		"-angles a,b":                       "not a number",
		"-angles 0,NaN":                     "finite",
		"-hidden 3,x":                       "not a number",
		"-model conf":                       "-model: unknown network \"conf\"; did you mean conv?",
		"-model conv -hidden 3":             "leave -hidden out",
		"-hidden 0":                         "at least 1",
		"-drift 1 -angles 0":                "cannot both",
		"-drift Inf":                        "finite",
		"-seed -1":                          "-seed: \"-1\" is not a whole number from 0",
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
		leaks := strings.Contains(errs, " mnist: ") || strings.Contains(errs, " solver: ") || strings.Contains(errs, "With")
		if leaks || status != 2 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "train-rotmnist: ") || out != "" {
			t.Errorf("%s: status %d, %q and %q; want status 2 and %q", args, status, out, errs, want)
		}
	}
}

func TestAMistakeOnTheCommandLineNamesTheHelpOfItsCommand(t *testing.T) {
	long(t)
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
		"data, misspelt":        {[]string{"-data", "minst"}, "did you mean mnist?"},
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

func TestWithoutAHomeTheCacheThatIsMissingIsNamedWithoutAPackage(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData", "home"} {
		t.Setenv(name, "")
	}
	if status, _, errs := invoke("-data", "mnist", "-quiet"); status != 1 || !strings.HasPrefix(errs, "train-rotmnist: no cache directory") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestHelpHasExamplesAndEveryFlag(t *testing.T) {
	status, out, errs := invoke("-h")
	if status != 0 || errs != "" || strings.Count(out, "\n  train-rotmnist") != 7 {
		t.Errorf("status %d\n%s", status, out)
	}
	for _, line := range strings.Split(out, "\n") {
		// A tab is four columns after the four spaces before it.
		if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > 88 && !strings.Contains(line, "(default") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if explained, referred := strings.Index(out, "A solver is"), strings.Index(out, "below"); explained < 0 || explained > referred {
		t.Errorf("it refers before it explains\n%s", out)
	}
	for _, want := range []string{"-model", "-solvers", "-data", "-angles", "-drift", "-steps", "-batch", "-hidden", "-seed", "-csv", "-json", "-checkpoint", "-checkpoint-every", "-resume", "-on-nonfinite", "-report", "-http", "-http-linger", "-watch", "-quiet", "-version", "rmsprop", "augment:inner=NAME", "gain-bounds=MIN..MAX"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in the help", want)
		}
	}
}

func TestHelpThatCannotBeWrittenIsAFailure(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"sweep", "-h"}, {"table", "-h"}, {"report", "-h"}} {
		r, w := io.Pipe()
		r.Close()
		var errs strings.Builder
		if status := run(context.Background(), args, w, &errs); status != 1 || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%q: status %d, %q", args, status, errs.String())
		}
	}
}

func TestVersionSaysWhatThisIs(t *testing.T) {
	if status, out, _ := invoke("-version"); status != 0 || !strings.HasPrefix(out, "train-rotmnist ") || !strings.Contains(out, runtime.Version()) {
		t.Errorf("status %d, %q", status, out)
	}
}

// long is for a test that the race detector need not see, because it has one goroutine or
// shorter tests have the same. make test has it without the detector.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
}
