package experiment

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// faulty makes networks that fault changes after every Run, before anybody looks at
// what Run has made. Its steps are counted from 0.
func faulty(sound NewNetwork, fault func(step int, network Network)) NewNetwork {
	return func(batch int, seed uint64) (Network, error) {
		network, err := sound(batch, seed)
		return &faultyNetwork{Network: network, fault: fault}, err
	}
}

type faultyNetwork struct {
	Network
	fault func(step int, network Network)
	runs  int
}

func (f *faultyNetwork) Run(images []float32, labels []byte) error {
	err := f.Network.Run(images, labels)
	f.fault(f.runs, f.Network)
	f.runs++
	return err
}

// gradient puts a number into the gradient of w2 at a step, counted from 0.
func gradient(at int, x float32) func(int, Network) {
	return func(step int, network Network) {
		if step == at {
			g, _ := network.Model()[2].Grad()
			g.(*tensor.Dense).Data().([]float32)[13] = x
		}
	}
}

// loss makes a loss, and all gradients, infinite or NaN: it spoils a weight in
// the step before, and mends it in the step after.
func loss(at int) func(int, Network) {
	var kept float32
	return func(step int, network Network) {
		w := network.Model()[0].Value().(*tensor.Dense).Data().([]float32)
		switch step {
		case at - 1:
			kept = w[400]
			w[400] = float32(math.Inf(1))
		case at:
			w[400] = kept
		}
	}
}

// every solver that meets faults: ours refuse them, Gorgonia's do not.
var everySolver = map[string]func() gorgonia.Solver{
	"Funnel":              func() gorgonia.Solver { return solver.NewFunnel() },
	"FunnelAdam":          func() gorgonia.Solver { return solver.NewFunnelAdam() },
	"Gorgonia's Adam":     func() gorgonia.Solver { return gorgonia.NewAdamSolver() },
	"Gorgonia's Momentum": func() gorgonia.Solver { return gorgonia.NewMomentum() },
	"Augmented":           func() gorgonia.Solver { return solver.Augment(gorgonia.NewVanillaSolver()) },
}

func TestAGradientThatIsNotFiniteStopsTheRunAndTheErrorSaysWhere(t *testing.T) {
	for name, make := range everySolver {
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			s := setup(t)
			s.NewNetwork = faulty(s.NewNetwork, gradient(53, float32(x)))
			r := compare(t, context.Background(), s, ignore, make())[0]
			if err := r.Err(); !errors.Is(err, ErrNonFinite) || r.Result().Steps != 53 {
				t.Fatalf("%s, %v: error %v after %d steps", name, x, err, r.Result().Steps)
			}
			for _, part := range []string{"a: step 54 (batch 4 of epoch 2)", "gradient of w2", "at [1 3]"} { // 50 batches an epoch
				if !strings.Contains(r.Err().Error(), part) {
					t.Errorf("%s, %v: no %q in %q", name, x, part, r.Err())
				}
			}
		}
	}
}

func TestALossThatIsNotFiniteStopsTheRunAndTheErrorSaysWhere(t *testing.T) {
	for name, make := range everySolver {
		s := setup(t)
		s.NewNetwork = faulty(s.NewNetwork, func(step int, network Network) {
			if step == 20 {
				network.Model()[3].Value().(*tensor.Dense).Data().([]float32)[7] = float32(math.Inf(1))
			}
		})
		r := compare(t, context.Background(), s, ignore, make())[0]
		err := r.Err()
		if err == nil || !strings.Contains(err.Error(), "a: step 21 (") && !strings.Contains(err.Error(), "a: step 22 (") || !strings.Contains(err.Error(), "b2") && !strings.Contains(err.Error(), "w1") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestSkippedBatchesAreCountedAndTeachNothing(t *testing.T) {
	for name, make := range everySolver {
		for _, x := range []float64{math.NaN(), math.Inf(-1)} {
			s := setup(t)
			s.OnNonFinite = Skip
			s.NewNetwork = faulty(s.NewNetwork, gradient(30, float32(x)))
			var losses []float64
			r := compare(t, context.Background(), s, func(steps []*Step) error {
				losses = append(losses, steps[0].Loss)
				return nil
			}, make())[0]
			if res := r.Result(); r.Err() != nil || res.Skipped != 1 || res.Steps != 120 || !finite(losses[119]) || losses[119] >= losses[0] {
				t.Errorf("%s, %v: %v, %d skipped in %d steps, the loss went from %v to %v", name, x, r.Err(), res.Skipped, res.Steps, losses[0], losses[119])
			}
		}
	}
}

func TestABatchWithAnInfiniteLossIsSkipped(t *testing.T) {
	s := setup(t)
	s.OnNonFinite = Skip
	s.NewNetwork = faulty(s.NewNetwork, loss(30))
	// A solver that does not touch what is spoiled.
	r := compare(t, context.Background(), s, ignore, refusing{})[0]
	if res := r.Result(); r.Err() != nil || res.Skipped != 120 {
		t.Errorf("%v, %d skipped", r.Err(), res.Skipped)
	}
}

func TestValuesThatAreNotFiniteEndARunThatSkips(t *testing.T) {
	s := setup(t)
	s.OnNonFinite = Skip
	r := compare(t, context.Background(), s, ignore, gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(math.Inf(1))))[0]
	if err := r.Err(); !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "value of") || r.Result().Steps != 0 {
		t.Errorf("error %v after %d steps", err, r.Result().Steps)
	}
}

func TestNumbersThatAreNotFiniteAreFound(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(math.NaN(), -1)} {
		if allFinite([]float32{1, float32(x), -2}) {
			t.Errorf("%v is taken for finite", x)
		}
	}
	if !allFinite([]float32{0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, -1e-40}) {
		t.Error("finite numbers are not taken for that")
	}
}

func BenchmarkAllFinite(b *testing.B) {
	xs := make([]float32, 109386)
	for b.Loop() {
		if !allFinite(xs) {
			b.Fatal()
		}
	}
}
