package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/mnist"
)

// runs of the solvers with each of the seeds.
func runs(t *testing.T, specs string, seeds ...uint64) []Run {
	t.Helper()
	parsed, err := solvers.Parse(specs)
	if err != nil {
		t.Fatal(err)
	}
	var rs []Run
	for _, seed := range seeds {
		for _, s := range parsed {
			rs = append(rs, Run{s, seed})
		}
	}
	return rs
}

func small(t *testing.T) *Sweep {
	t.Helper()
	schedule, err := mnist.Jumps([]float64{0, 60}, 20)
	if err != nil {
		t.Fatal(err)
	}
	return &Sweep{
		Protocol: output.Protocol{Data: "digits", Steps: 20, Batch: 16, Angles: []float64{0, 60}, Hidden: []int{16}},
		Setup: experiment.Setup{
			Train: mnist.Synthetic(300, 1), Test: mnist.Synthetic(50, 2), Schedule: schedule, Batch: 16, Hidden: []int{16},
		},
		Workers: 3,
		Step:    func() {},
	}
}

// do makes runs and returns their records, by solver and seed.
func do(t *testing.T, s *Sweep, rs []Run) map[string]*output.Record {
	t.Helper()
	records := map[string]*output.Record{}
	s.Save = func(r *output.Record) error {
		records[fmt.Sprint(r.Spec, " ", r.Seed)] = r
		return nil
	}
	if err := s.Do(context.Background(), rs); err != nil {
		t.Fatal(err)
	}
	return records
}

func TestShardsMakeEveryRunOnce(t *testing.T) {
	all := make([]Run, 17)
	for i := range all {
		all[i].Seed = uint64(i)
	}
	for n := 1; n < 20; n++ {
		count := make([]int, len(all))
		for i := range n {
			for _, r := range Shard(all, i, n) {
				count[r.Seed]++
			}
		}
		if slices.Min(count) != 1 || slices.Max(count) != 1 {
			t.Errorf("%d shards make the runs %v times", n, count)
		}
	}
}

func TestASweepComesToTheSameWhateverRunsBesideIt(t *testing.T) {
	together := do(t, small(t), runs(t, "funnel:lr=0.01,adam,momentum", 1, 2))
	if len(together) != 6 {
		t.Fatalf("%d records", len(together))
	}
	for _, r := range runs(t, "funnel:lr=0.01,adam,momentum", 1, 2) {
		s := small(t)
		s.Workers = 1
		key := fmt.Sprint(r.Spec.Text, " ", r.Seed)
		alone := do(t, s, []Run{r})[key]
		if a, b := fmt.Sprint(*alone), fmt.Sprint(*together[key]); a != b {
			t.Errorf("alone\n%s\nin parallel\n%s", a, b)
		}
	}
}

func TestARunThatDivergesIsAResult(t *testing.T) {
	for key, r := range do(t, small(t), runs(t, "funnel:lr=1e38,adam:lr=1e38,vanilla:lr=1e38", 1)) {
		if r.Error != "" || r.StepsDone != 40 || r.DivergedAt < 1 || r.DivergedAt > 3 || !(r.Accuracy < 0.3) || len(r.HeldOut) != 2 {
			t.Errorf("%s: %+v", key, *r)
		}
	}
}

func TestAPanicIsTheRunsFailureAndTheOthersGoOn(t *testing.T) {
	rs := runs(t, "adam,funnel,vanilla", 1)
	rs[1].Spec = solvers.Spec{Text: "broken"} // making it panics
	records := do(t, small(t), rs)
	if r := records["broken 1"]; !strings.HasPrefix(r.Error, "panic: ") {
		t.Errorf("%+v", r)
	}
	if a, v := records["adam 1"], records["vanilla 1"]; a.Error != "" || v.Error != "" || a.StepsDone != 40 || v.StepsDone != 40 {
		t.Errorf("%+v\n%+v", a, v)
	}
}

func TestAnErrorIsTheRunsFailure(t *testing.T) {
	s := small(t)
	s.Setup.Batch = 1000
	if r := do(t, s, runs(t, "adam", 1))["adam 1"]; !strings.Contains(r.Error, "out of a data set of 300") {
		t.Errorf("%+v", r)
	}
}

func TestWhatCannotBeSavedEndsTheSweep(t *testing.T) {
	s, full := small(t), errors.New("disk full")
	saved := 0
	s.Save = func(*output.Record) error { saved++; return full }
	if err := s.Do(context.Background(), runs(t, "adam", 1, 2, 3, 4, 5, 6, 7)); err != full || saved != 1 {
		t.Errorf("error %v after %d records", err, saved)
	}
}

func TestRunsUnderWayAreDroppedWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := small(t)
	s.Step = sync.OnceFunc(cancel)
	s.Save = func(r *output.Record) error { t.Errorf("saved %+v", r); return nil }
	if err := s.Do(ctx, runs(t, "adam", 1, 2, 3, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// record is one that a file may have.
func record(seed uint64) *output.Record {
	r := Record(output.Protocol{Data: "digits", Steps: 20, Batch: 16, Angles: []float64{0}, Hidden: []int{}}, Run{Seed: seed})
	r.Solver, r.Spec, r.Settings, r.Accuracy = "adam", "adam", map[string]string{}, 0.5
	return &r
}

// contents are the seeds of the records in a file.
func contents(t *testing.T, path string) []uint64 {
	t.Helper()
	f, records, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var seeds []uint64
	for _, r := range records {
		seeds = append(seeds, r.Seed)
	}
	slices.Sort(seeds)
	return seeds
}

func add(t *testing.T, path string, seeds ...uint64) {
	t.Helper()
	f, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, seed := range seeds {
		if err := f.Append(record(seed)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALineThatAKillCutShortIsDroppedWhereverItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.jsonl")
	add(t, path, 1, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := len(whole) / 2
	for end := second; end <= len(whole); end++ {
		if err := os.WriteFile(path, whole[:end], 0o666); err != nil {
			t.Fatal(err)
		}
		want := []uint64{1, 3}
		if end >= len(whole)-1 { // nothing is lost, or no more than the end of the line
			want = []uint64{1, 2, 3}
		}
		add(t, path, 3)
		if got := contents(t, path); !slices.Equal(got, want) {
			t.Fatalf("cut after %d bytes of the line: seeds %v, want %v", end-second, got, want)
		}
	}
}

// Another process may be killed while this one has the file open.
func TestALineIsNeverAddedToHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.jsonl")
	f, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(path, []byte(`{"data":"dig`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(record(5)); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); !slices.Equal(got, []uint64{5}) {
		t.Errorf("seeds %v", got)
	}
}

func TestBytesOfZeroThatAPowerCutLeavesAreDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.jsonl")
	add(t, path, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"\x00", "\x00\x00\x00", `{"da` + "\x00\x00", `{"data":"dig` + "\x00\x00"} {
		if err := os.WriteFile(path, append(slices.Clone(whole), tail...), 0o666); err != nil {
			t.Fatal(err)
		}
		add(t, path, 2)
		if got := contents(t, path); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("%q: seeds %v", tail, got)
		}
	}
}

func TestALineThatIsNoRunIsNamedWithWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.jsonl")
	add(t, path, 1)
	f, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.f.Write([]byte("precious")); err != nil {
		t.Fatal(err)
	}
	_, _, opening := Open(path)
	for _, err := range []error{opening, f.Append(record(2))} {
		if err == nil || !strings.Contains(err.Error(), "is not a run of a sweep") || !strings.HasSuffix(err.Error(), "; delete the line, or name another file") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSeveralMayAddToOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.jsonl")
	var adding sync.WaitGroup
	for k := range uint64(4) { // each with a file handle of its own, as processes have
		adding.Add(1)
		go func() {
			defer adding.Done()
			for i := range uint64(10) {
				f, _, err := Open(path)
				if err == nil {
					err = errors.Join(f.Append(record(10*k+i)), f.Close())
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	adding.Wait()
	if got := contents(t, path); len(got) != 40 || got[0] != 0 || got[39] != 39 {
		t.Errorf("seeds %v", got)
	}
}

func TestAFileThatIsNoSweepsIsLeftAsItIs(t *testing.T) {
	for _, text := range []string{"precious", "precious\n", "{\n  \"data\": \"x\"\n}\n", `{"other":1}`, "{\"data\":1}\n"} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if f, _, err := Open(path); err == nil {
			f.Close()
			t.Errorf("%q was taken for a sweep's", text)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Errorf("%q became %q", text, b)
		}
	}
	if _, _, err := Open("/dev/null"); err == nil {
		t.Error("/dev/null was taken for a file")
	}
}
