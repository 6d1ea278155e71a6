package grid

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// runs of the solvers with each of the seeds.
func runs(t *testing.T, specs string, seeds ...uint64) []Run {
	t.Helper()
	parsed, err := spec.Parse(specs)
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
		Protocol: results.Protocol{Data: "digits", Steps: 20, Batch: 16, Angles: []float64{0, 60}, Hidden: []int{16}},
		Setup: experiment.Setup{
			Train: mnist.Synthetic(300, 1), Test: mnist.Synthetic(50, 2), Schedule: schedule, Batch: 16, NewNetwork: experiment.MLP([]int{16}),
		},
		Workers: 3,
		Step:    func() {},
	}
}

// do makes runs and returns their records, by solver and seed.
func do(t *testing.T, s *Sweep, rs []Run) map[string]results.Record {
	t.Helper()
	records := map[string]results.Record{}
	s.Save = func(r results.Record) error {
		records[fmt.Sprint(r.Spec, " ", r.Seed)] = r
		return nil
	}
	if err := s.Do(context.Background(), rs); err != nil {
		t.Fatal(err)
	}
	return records
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
		if a, b := fmt.Sprint(alone), fmt.Sprint(together[key]); a != b {
			t.Errorf("alone\n%s\nin parallel\n%s", a, b)
		}
	}
}

func TestARunThatDivergesIsAResult(t *testing.T) {
	for key, r := range do(t, small(t), runs(t, "funnel:lr=1e38,adam:lr=1e38,vanilla:lr=1e38", 1)) {
		if r.Error != "" || r.StepsDone != 40 || r.DivergedAt < 1 || r.DivergedAt > 3 || !(r.Accuracy < 0.3) || len(r.HeldOut) != 2 {
			t.Errorf("%s: %+v", key, r)
		}
	}
}

func TestAPanicIsTheRunsFailureAndTheOthersGoOn(t *testing.T) {
	rs := runs(t, "adam,funnel,vanilla", 1)
	rs[1].Spec = spec.Spec{Text: "broken"} // making it panics
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
	s.Save = func(results.Record) error { saved++; return full }
	if err := s.Do(context.Background(), runs(t, "adam", 1, 2, 3, 4, 5, 6, 7)); err != full || saved != 1 {
		t.Errorf("error %v after %d records", err, saved)
	}
}

func TestRunsUnderWayAreDroppedWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := small(t)
	s.Step = sync.OnceFunc(cancel)
	s.Save = func(r results.Record) error { t.Errorf("saved %+v", r); return nil }
	if err := s.Do(ctx, runs(t, "adam", 1, 2, 3, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
