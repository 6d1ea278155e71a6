package distributed_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
)

// inProcess runs a scenario on ranks that are goroutines.
func inProcess(t *testing.T, size int, s scenario) (fingerprint uint64) {
	t.Helper()
	var ranks sync.WaitGroup
	for rank, w := range distributed.InProcess(size) {
		ranks.Add(1)
		go func() {
			defer ranks.Done()
			print, err := s.run(w)
			if err != nil {
				t.Errorf("rank %d: %v", rank, err)
			}
			if rank == 0 {
				fingerprint = print
			}
		}()
	}
	ranks.Wait()
	return fingerprint
}

func TestRanksOfOneProcess(t *testing.T) {
	for _, s := range scenarios {
		for size := 1; size <= 4; size++ {
			t.Run(fmt.Sprintf("%s/%d", s.name, size), func(t *testing.T) { inProcess(t, size, s) })
		}
	}
}

func TestWithoutTheTagStartSaysWhatIsMissing(t *testing.T) {
	if withMPI {
		t.Skip("built with -tags mpi")
	}
	_, err := distributed.Start()
	for _, want := range []string{"-tags mpi", "libopenmpi-dev", "openmpi-bin"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start does not say %s: %v", want, err)
		}
	}
}

func TestASolverThatWasNotMadeIsAnErrorOfEveryMethod(t *testing.T) {
	for name, s := range map[string]*distributed.Solver{"nil": nil, "zero": {}, "no inner": distributed.New(nil, distributed.InProcess(1)[0]), "no world": distributed.New(gorgonia.NewVanillaSolver(), nil)} {
		for method, call := range map[string]func([]gorgonia.ValueGrad) error{"Step": s.Step, "Check": s.Check, "Broadcast": s.Broadcast} {
			if err := call(nil); err == nil || !strings.Contains(err.Error(), "New") {
				t.Errorf("%s, %s: error %v", name, method, err)
			}
		}
	}
}
