//go:build mpi && cgo

package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
)

// asRank is the environment variable that makes this test program a rank.
const asRank = "FUNNEL_RANK"

func TestMain(m *testing.M) {
	if os.Getenv(asRank) == "" {
		os.Exit(m.Run())
	}
	w, err := distributed.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, scenario := range []func(*distributed.World) error{stopTogether, faultsOfOneRank} {
		if err := scenario(w); err != nil {
			w.Abort(err)
		}
	}
	if err := w.Close(); err != nil {
		os.Exit(1)
	}
}

func TestRanksComeToTheSameConclusions(t *testing.T) {
	if _, err := exec.LookPath("mpirun"); err != nil {
		t.Skip("mpirun is not installed: apt-get install openmpi-bin")
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "mpirun", "-n", "2", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", os.Args[0])
	cmd.Env = append(os.Environ(), asRank+"=1", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, &b)
	}
}

// train is what one rank sees of a run.
func train(ctx context.Context, w *distributed.World, policy Policy, fault func(int, Network), observe func([]*Step) error) (*Run, error) {
	schedule, err := mnist.Jumps([]float64{0, 90}, 30)
	if err != nil {
		return nil, err
	}
	c := New(&Setup{
		Train: mnist.Synthetic(100, 1), Test: mnist.Synthetic(51, 2), Schedule: schedule, Batch: 10, NewNetwork: faulty(MLP([]int{8}), fault), Seed: 1,
		OnNonFinite: policy, World: w,
	})
	defer c.Close()
	r, err := c.Add("a", solver.NewFunnel())
	if err != nil {
		return nil, err
	}
	return r, c.Train(ctx, observe)
}

func stopTogether(w *distributed.World) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := train(ctx, w, Stop, func(int, Network) {}, func(steps []*Step) error {
		if steps[0].Number == 9 && w.Rank() == 1 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, ErrInterrupted) || len(r.Accuracies) != 10 {
		return fmt.Errorf("interrupted by rank 1 after step 10: %v after %d", err, len(r.Accuracies))
	}
	return nil
}

// faultsOfOneRank are NaNs in a gradient of rank 1, at its step 21.
func faultsOfOneRank(w *distributed.World) error {
	fault := func(step int, network Network) {
		if w.Rank() == 1 {
			gradient(20, float32(math.NaN()))(step, network)
		}
	}
	for policy, right := range []func(r *Run) bool{
		Stop: func(r *Run) bool {
			return errors.Is(r.Err(), ErrNonFinite) && strings.Contains(r.Err().Error(), "rank 1") && len(r.Accuracies) == 20
		},
		Skip:   func(r *Run) bool { return r.Err() == nil && r.Skipped == 1 && len(r.Accuracies) == 60 },
		Freeze: func(r *Run) bool { return r.Err() == nil && r.DivergedAt == 21 && len(r.Accuracies) == 60 },
	} {
		r, err := train(context.Background(), w, Policy(policy), fault, func([]*Step) error { return nil })
		if err != nil || !right(r) {
			return fmt.Errorf("policy %v: %v; %v; %d steps, %d skipped, diverged at %d", policy, err, r.Err(), len(r.Accuracies), r.Skipped, r.DivergedAt)
		}
	}
	return nil
}
