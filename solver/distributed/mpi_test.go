//go:build mpi && cgo

package distributed_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
)

const withMPI = true

// role is the environment variable that makes this test program a rank of a job.
const role = "FUNNEL_RANK"

// roles are what only real processes can do.
var roles = map[string]func(*distributed.World) error{
	"scenarios": runScenarios,
	"killed":    killed,
	"aborts":    aborts,
	"exits":     exits,
	"waits":     waits,
}

func TestMain(m *testing.M) {
	name := os.Getenv(role)
	if name == "" {
		os.Exit(m.Run())
	}
	flag.Parse()
	w, err := distributed.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := roles[name](w); err != nil {
		w.Abort(err)
	}
	if err := w.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// mpirun runs this test program on several ranks, for a minute at most.
func mpirun(t testing.TB, size int, name string) (output string, err error) {
	t.Helper()
	if _, err := exec.LookPath("mpirun"); err != nil {
		t.Skip("mpirun is not installed: apt-get install openmpi-bin")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	// Ranks that wait would else keep the cores from those they wait for.
	cmd := exec.CommandContext(ctx, "mpirun", "-n", strconv.Itoa(size), "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", self)
	cmd.Env = append(os.Environ(), role+"="+name, "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // which mpirun passes on
	cmd.WaitDelay = 10 * time.Second
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("the ranks hang\n%s", &b)
	}
	return b.String(), err
}

func runScenarios(w *distributed.World) error {
	for _, s := range scenarios {
		print, err := s.run(w)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if w.Rank() == 0 {
			fmt.Printf("%s: fingerprint %x\n", s.name, print)
		}
	}
	if err := panicsAreGos(); err != nil {
		return err
	}
	return warmStepsDoNotAllocate(w)
}

// MPI has signal handlers of its own, which must leave Go's alone.
func panicsAreGos() (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("a nil pointer did not panic")
		}
	}()
	var p *param
	_ = p.name
	return nil
}

func warmStepsDoNotAllocate(w *distributed.World) error {
	m := model(random[float32]("a", w.Rank(), 300, 7), random[float64]("b", w.Rank(), 20, 3))
	s := distributed.New(solver.NewFunnel(), w)
	var failed error
	if n := testing.AllocsPerRun(100, func() { failed = errors.Join(failed, s.Step(m)) }); n != 0 {
		return fmt.Errorf("a step allocates %v times", n)
	}
	return failed
}

var fingerprints = regexp.MustCompile(`(?m)^.*: fingerprint .*$`)

func TestRanksOfMPI(t *testing.T) {
	for size := 1; size <= 4; size++ {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			var runs [2][]string
			for i := range runs {
				output, err := mpirun(t, size, "scenarios")
				if err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
				runs[i] = fingerprints.FindAllString(output, -1)
			}
			if len(runs[0]) != len(scenarios) || !slices.Equal(runs[0], runs[1]) {
				t.Fatalf("two runs:\n%s\n%s", strings.Join(runs[0], "\n"), strings.Join(runs[1], "\n"))
			}
			for i, s := range scenarios {
				if want := fmt.Sprintf("%s: fingerprint %x", s.name, inProcess(t, size, s)); runs[0][i] != want {
					t.Errorf("over MPI %s, and in one process %s", runs[0][i], want)
				}
			}
		})
	}
}

// steps goes on for ever, until what the last rank does in its third step.
func steps(w *distributed.World, last func() error) error {
	s := distributed.New(solver.NewFunnel(), w)
	for i := 0; ; i++ {
		if i == 2 && w.Rank() == w.Size()-1 {
			if err := last(); err != nil {
				return err
			}
		}
		if err := s.Step(model(random[float32]("a", 0, 10))); err != nil {
			return err
		}
	}
}

func killed(w *distributed.World) error {
	return steps(w, func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) })
}

func aborts(w *distributed.World) error {
	return steps(w, func() error { return errors.New("no more digits") })
}

func exits(w *distributed.World) error {
	return steps(w, func() error { os.Exit(1); return nil })
}

func TestARankThatDiesEndsTheJob(t *testing.T) {
	for name, want := range map[string]string{"killed": "signal 9", "aborts": "rank 2: no more digits", "exits": "exit code"} {
		t.Run(name, func(t *testing.T) {
			output, err := mpirun(t, 3, name)
			if err == nil || !strings.Contains(output, want) {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// A rank that waits in a step for others that do not come can still abort.
func TestARankCanAbortWhileItWaits(t *testing.T) {
	output, err := mpirun(t, 2, "waits")
	if err == nil || !strings.Contains(output, "rank 0: waited long enough") {
		t.Errorf("%v\n%s", err, output)
	}
}

func waits(w *distributed.World) error {
	if w.Rank() == 1 {
		time.Sleep(time.Hour)
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		w.Abort(errors.New("waited long enough"))
	}()
	return distributed.AllReduce(w, []float64{1})
}

func TestMPIStartsOnce(t *testing.T) {
	if _, err := distributed.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := distributed.Start(); err == nil {
		t.Error("a second Start returned no error")
	}
}
