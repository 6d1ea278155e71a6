//go:build mpi && cgo

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// job is the program on several ranks, which has not started.
func job(t *testing.T, size int, args ...string) *process {
	t.Helper()
	return mpirun(t, append([]string{"-n", strconv.Itoa(size), os.Args[0], "-mpi"}, args...)...)
}

// mpirun has a minute, as ranks that wait for each other have for ever.
func mpirun(t *testing.T, args ...string) *process {
	t.Helper()
	if _, err := exec.LookPath("mpirun"); err != nil {
		t.Skip("mpirun is not installed: apt-get install openmpi-bin")
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	p := &process{Cmd: exec.CommandContext(ctx, "mpirun", append([]string{"--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"}, args...)...)}
	p.Env = append(os.Environ(), asProgram+"=1", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	p.Stdout, p.Stderr = &p.out, &p.errs
	p.Cancel = func() error {
		t.Error("the ranks hang")
		return p.Process.Signal(syscall.SIGTERM) // which mpirun passes on
	}
	p.WaitDelay = 10 * time.Second
	return p
}

// end runs a job, whose exit status is to be that.
func (p *process) end(t *testing.T, want int) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if status := p.status(); status != want {
		t.Fatalf("status %d\n%s%s", status, p.out.String(), p.errs.String())
	}
}

// curves are the numbers of a CSV.
func curves(t *testing.T, text []byte) (loss, accuracy []float64) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		l, _ := strconv.ParseFloat(row[3], 64)
		a, _ := strconv.ParseFloat(row[4], 64)
		loss, accuracy = append(loss, l), append(accuracy, a)
	}
	return loss, accuracy
}

func TestRanksTrainAsOneDoes(t *testing.T) {
	args := small(t, "-batch", "24", "-solvers", "funnel,adam:decay=cosine", "-quiet", "-csv")
	csv := filepath.Join(t.TempDir(), "run.csv")
	run := func(p func(args ...string)) []byte {
		p(append(args, csv)...)
		return readFile(t, csv)
	}
	want := run(func(args ...string) {
		if status, _, errs := invoke(args...); status != 0 {
			t.Fatal(errs)
		}
	})
	wantLoss, wantAccuracy := curves(t, want)
	for size := 1; size <= 3; size++ {
		once := func() []byte { return run(func(args ...string) { job(t, size, args...).end(t, 0) }) }
		got := once()
		if size == 1 {
			if !bytes.Equal(got, want) {
				t.Error("one rank has another CSV than a program without -mpi")
			}
			continue
		}
		if !bytes.Equal(once(), got) {
			t.Errorf("two runs on %d ranks have different CSVs", size)
		}
		loss, accuracy := curves(t, got)
		if len(loss) != len(wantLoss) {
			t.Fatalf("%d ranks: %d rows, and one has %d", size, len(loss), len(wantLoss))
		}
		for i := range loss {
			if math.Abs(loss[i]-wantLoss[i]) > 1e-4 || accuracy[i] != wantAccuracy[i] {
				t.Fatalf("%d ranks, row %d: loss %v and accuracy %v; one has %v and %v", size, i+1, loss[i], accuracy[i], wantLoss[i], wantAccuracy[i])
			}
		}
	}
}

// whileTraining waits until a job has made some checkpoints.
func whileTraining(t *testing.T, p *process, dir string, do func()) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		p.Wait()
		close(ended)
	}()
	for filepath.Base(newest(dir)) < "step-0000000040" {
		select {
		case <-ended:
			t.Fatalf("it has ended\n%s%s", p.out.String(), p.errs.String())
		case <-time.After(time.Millisecond):
		}
	}
	do()
	<-ended
	if p.ProcessState.ExitCode() <= 0 {
		t.Fatalf("status %d\n%s%s", p.ProcessState.ExitCode(), p.out.String(), p.errs.String())
	}
}

func TestRanksThatAreStoppedGoOnAsIfNothingHadHappened(t *testing.T) {
	data := small(t, "-batch", "24", "-steps", "2000", "-solvers", "funnel,momentum:decay=step", "-checkpoint-every", "40", "-quiet")
	resumable := func() (args []string, dir, csv string) {
		dir, csv = filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run.csv")
		return append(data, "-checkpoint", dir, "-csv", csv), dir, csv
	}
	args, wantDir, wantCSV := resumable()
	job(t, 2, args...).end(t, 0)

	ranks := func(p *process) []string {
		return strings.Fields(string(readFile(t, fmt.Sprintf("/proc/%d/task/%[1]d/children", p.Process.Pid))))
	}
	for name, stop := range map[string]func(p *process){
		"Ctrl-C": func(p *process) { p.Process.Signal(os.Interrupt) },
		"a rank is killed": func(p *process) {
			pid, _ := strconv.Atoi(ranks(p)[1])
			syscall.Kill(pid, syscall.SIGKILL)
		},
		"a rank is to stop": func(p *process) {
			pid, _ := strconv.Atoi(ranks(p)[1])
			syscall.Kill(pid, syscall.SIGTERM)
		},
	} {
		t.Run(name, func(t *testing.T) {
			args, dir, csv := resumable()
			p := job(t, 2, args...)
			whileTraining(t, p, dir, func() { stop(p) })
			if name != "a rank is killed" && (strings.Count(p.errs.String(), "train-rotmnist: ") != 1 || !strings.Contains(p.errs.String(), "train-rotmnist: interrupted after step ") || !strings.Contains(p.errs.String(), " of 4000; it goes on with train-rotmnist -mpi -resume "+dir+", on 2 ranks")) {
				t.Error(p.errs.String())
			}
			if filepath.Base(newest(dir)) == filepath.Base(newest(wantDir)) {
				t.Fatal("it was finished")
			}
			for _, other := range []*process{job(t, 1, "-resume", dir), job(t, 3, "-resume", dir)} {
				if other.end(t, 2); !strings.Contains(other.errs.String(), "it was started with 2 of -mpi's ranks, and here") {
					t.Error(other.errs.String())
				}
			}
			job(t, 2, "-resume", dir, "-quiet").end(t, 0)
			sameEnd(t, dir, csv, wantDir, wantCSV)
		})
	}
}

func TestOnlyRankZeroPrints(t *testing.T) {
	p := job(t, 3, small(t, "-batch", "24", "-solvers", "funnel")...)
	p.end(t, 0)
	if out := p.out.String(); strings.Count(out, "\nfunnel ") != 1 || strings.Count(out, "ranks   3\n") != 1 {
		t.Error(out)
	}
}

func TestAMistakeOfAllRanksIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{small(t, "-batch", "16"), 2, "-batch: 16 images cannot be divided among 3 ranks"},
		{[]string{"-data", "nowhere", "-batch", "24"}, 1, `directory "nowhere"`},
		{[]string{"-resume", t.TempDir()}, 1, "there is no checkpoint in it"},
	} {
		p := job(t, 3, c.args...)
		p.end(t, c.status)
		if errs := p.errs.String(); strings.Count(errs, "train-rotmnist: ") != 1 || strings.Count(errs, c.want) != 1 {
			t.Error(errs)
		}
	}
}

func TestAMistakeOfOneRankEndsAll(t *testing.T) {
	root := t.TempDir()
	full := digits(t)
	for _, dir := range []string{"full", "other", "empty"} {
		os.Mkdir(filepath.Join(root, dir), 0o777)
	}
	os.Symlink(full, filepath.Join(root, "full", "digits"))
	other := filepath.Join(root, "other", "digits")
	os.CopyFS(other, os.DirFS(full))
	labels := filepath.Join(other, "t10k-labels-idx1-ubyte")
	b := readFile(t, labels)
	b[len(b)-1] ^= 1
	os.WriteFile(labels, b, 0o666)

	old := filepath.Join(root, "old.csv")
	os.WriteFile(old, []byte("precious"), 0o666)
	for dir, want := range map[string]string{"empty": `rank 1: -data: directory "digits"`, "other": "rank 1: the digits of digits are not those that rank 0 has;", "full": "rank 1: the flags are not those that rank 0 has;"} {
		ranks := func(n, dir, steps string) []string {
			return []string{"-n", n, "-wdir", filepath.Join(root, dir), os.Args[0], "-mpi", "-data", "digits", "-batch", "24", "-hidden", "16", "-steps", steps, "-csv", old}
		}
		steps := "400"
		if dir == "full" {
			steps = "500"
		}
		p := mpirun(t, slices.Concat(ranks("1", "full", "400"), []string{":"}, ranks("1", dir, steps), []string{":"}, ranks("2", "full", "400"))...)
		if p.end(t, 1); strings.Count(p.errs.String(), "rank 1: ") != 1 || !strings.Contains(p.errs.String(), want) {
			t.Error(p.errs.String())
		}
		if b := readFile(t, old); string(b) != "precious" {
			t.Errorf("%s: the old CSV holds %q", dir, b)
		}
	}
	dir := filepath.Join(root, "taken")
	if status, _, errs := invoke(small(t, "-checkpoint", dir, "-solvers", "vanilla")...); status != 0 {
		t.Fatal(errs)
	}
	p := job(t, 2, small(t, "-checkpoint", dir)...)
	if p.end(t, 1); !strings.Contains(p.errs.String(), "rank 0: -checkpoint "+dir+": it has a run in it") {
		t.Error(p.errs.String())
	}
}
