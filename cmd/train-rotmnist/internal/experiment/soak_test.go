package experiment

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// memory is what is left of the heap after collecting, and what the system has
// given, in bytes; 0 where it does not say.
func memory() (heap, resident uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		pages, _ := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
		resident = pages * uint64(os.Getpagesize())
	}
	return m.HeapAlloc, resident
}

// A long run takes no more memory and no more goroutines at its end than after
// its first tenth. FUNNEL_SOAK is its number of steps. What a step takes is told,
// and not judged: others use the machine.
func TestALongRunNeitherGrowsNorSlowsDown(t *testing.T) {
	steps, long := 500, false
	if text := os.Getenv("FUNNEL_SOAK"); text != "" {
		var err error
		if steps, err = strconv.Atoi(text); err != nil {
			t.Fatalf("FUNNEL_SOAK=%s is not a number", text)
		}
		long = true
	}
	schedule, err := mnist.Drift(0.1, steps)
	if err != nil {
		t.Fatal(err)
	}
	c := New(&Setup{Train: mnist.Synthetic(1000, 1), Test: mnist.Synthetic(100, 2), Schedule: schedule, Batch: 16, NewNetwork: MLP([]int{8}), Seed: 1})
	defer c.Close()
	for name, s := range map[string]gorgonia.Solver{
		"funnel": solver.NewFunnel(), "funneladam": solver.NewFunnelAdam(), "adam": gorgonia.NewAdamSolver(),
		"augmented": solver.Augment(gorgonia.NewMomentum()),
	} {
		if _, err := c.Add(name, s); err != nil {
			t.Fatal(err)
		}
	}
	var firstHeap, firstResident, heap, resident uint64
	var firstGoroutines, goroutines int
	start := time.Now()
	err = c.Train(context.Background(), func(s []*Step) error {
		if done := s[0].Number + 1; done%(steps/10) == 0 {
			each := time.Since(start) / time.Duration(steps/10)
			heap, resident = memory()
			goroutines = runtime.NumGoroutine()
			if firstHeap == 0 {
				firstHeap, firstResident, firstGoroutines = heap, resident, goroutines
			}
			t.Logf("step %6d: heap %.2f MB, resident %.1f MB, %d goroutines, %v a step of %d solvers", done, float64(heap)/1e6, float64(resident)/1e6, goroutines, each.Round(time.Microsecond), len(s))
			start = time.Now()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Runs() {
		if r.Err() != nil || r.Result().Steps != steps {
			t.Errorf("%s: %v after %d steps", r.Name, r.Err(), r.Result().Steps)
		}
	}
	if heap > firstHeap+1<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", firstHeap, heap)
	}
	if long && resident > firstResident+20<<20 { // in a short one it has not settled
		t.Errorf("the process has grown from %d to %d bytes", firstResident, resident)
	}
	if goroutines > firstGoroutines {
		t.Errorf("there were %d goroutines, and are %d", firstGoroutines, goroutines)
	}
}
