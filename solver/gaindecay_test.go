package solver_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// One coordinate, whose gradient sometimes flips.
func TestGainsDecayInClosedForm(t *testing.T) {
	const rate, beta = 0.3, 0.8
	for name, create := range map[string]func(...gorgonia.SolverOpt) applicable{"Funnel": newFunnel, "FunnelAdam": newFunnelAdam} {
		for _, signal := range []solver.Signal{solver.Normalized, solver.Raw} {
			for _, decay := range []float64{0, 0.01, 0.25, 0.999} {
				s := create(solver.WithGainRate(rate), solver.WithGainDecay(decay), solver.WithGainSignal(signal),
					solver.WithGradientDecay(beta), gorgonia.WithBeta1(beta), solver.WithScaleRate(0))
				p := vector("w", []float64{1}, []float64{0})
				gain, m := 1.0, 0.0
				for i := range 60 {
					g := 0.5
					if i%7 > 4 {
						g = -1.5
					}
					set(p.gradient, []float64{g})
					step(t, s, model(p))
					x := m * g
					if signal == solver.Normalized && x != 0 {
						x = math.Copysign(1, x)
					}
					gain = (gain + decay*(1-gain)) * math.Exp(rate*x)
					gain = min(max(gain, 0.01), 100)
					if m = beta*m + (1-beta)*g; name == "FunnelAdam" {
						m += (1 - beta) * (gain - 1) * g // its m is of p ⊙ g
					}
					if got := learned(s)[0].Gain[0]; !closeTo(got, gain, 1e-11) {
						t.Fatalf("%s/%v: λ = %v, step %d: gain %v, want %v", name, signal, decay, i+1, got, gain)
					}
				}
			}
		}
	}
}

func TestWithoutGainDecayAGainIsMultipliedAndNothingElse(t *testing.T) {
	for name, create := range map[string]func(...gorgonia.SolverOpt) applicable{"Funnel": newFunnel, "FunnelAdam": newFunnelAdam} {
		s := create(solver.WithGainDecay(0))
		p := vector("w", []float64{1}, nil)
		factor, want := 0.0, 1.0
		for i := range 50 {
			p.gradient = dense([]float64{1}, 1)
			step(t, s, model(p))
			got := learned(s)[0].Gain[0]
			if i == 1 {
				factor = got
			}
			if i > 0 {
				want *= factor
			}
			if got != want || i == 1 && got == 1 {
				t.Fatalf("%s: step %d: gain %v, want %v", name, i+1, got, want)
			}
		}
	}
}

func TestDecayingGainsStayWithinTheirBounds(t *testing.T) {
	for _, bounds := range [][2]float64{{0.9, 1.1}, {1.5, 2}, {0.25, 0.5}, {0, 1}, {3, 3}} {
		for name, create := range map[string]func(...gorgonia.SolverOpt) applicable{"Funnel": newFunnel, "FunnelAdam": newFunnelAdam} {
			for _, signal := range []solver.Signal{solver.Normalized, solver.Raw} {
				s := create(solver.WithGainBounds(bounds[0], bounds[1]), solver.WithGainRate(0.2), solver.WithGainDecay(0.4), solver.WithGainSignal(signal))
				rng := rand.New(rand.NewPCG(51, 51))
				p := vector("w", random(rng, 11), nil)
				for range 50 {
					p.gradient = dense(random(rng, 11), 11)
					step(t, s, model(p))
					for _, g := range learned(s)[0].Gain {
						if g < bounds[0] || g > bounds[1] {
							t.Fatalf("%s/%v: gain %v outside %v", name, signal, g, bounds)
						}
					}
				}
			}
		}
	}
}

// Gradients that are nothing but noise.
func TestDecayKeepsNoiseFromDrivingGainsApart(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name   string
		create func(...gorgonia.SolverOpt) applicable
	}{{"Funnel", newFunnel}, {"FunnelAdam", newFunnelAdam}} {
		spread := func(opts ...gorgonia.SolverOpt) (largest float64) {
			s := c.create(append(opts, solver.WithGainBounds(1e-30, 1e30))...)
			rng := rand.New(rand.NewPCG(52, 52))
			p := vector("w", random(rng, 24), random(rng, 24))
			for range 20_000 {
				for i := range 24 {
					p.gradient.Data().([]float64)[i] = rng.NormFloat64()
				}
				step(t, s, model(p))
			}
			for _, g := range learned(s)[0].Gain {
				largest = max(largest, math.Abs(math.Log(g)))
			}
			return largest
		}
		with, without := spread(), spread(solver.WithGainDecay(0))
		if t.Logf("%s: |log p| up to %.2f, without decay %.2f", c.name, with, without); with > 0.7 || without < 2 {
			t.Errorf("%s: |log p| is up to %v, without decay %v; want at most 0.7, and at least 2", c.name, with, without)
		}
	}
}

// A weight that a step is too short to change has the same gradient at every step. Its
// gain would grow until, long after a minimum is found, the weight jumps out of it.
func TestAGainLearnsNothingWhereAStepIsTooShortToChangeTheValue(t *testing.T) {
	for name, create := range map[string]func(...gorgonia.SolverOpt) applicable{"Funnel": newFunnel, "FunnelAdam": newFunnelAdam} {
		for _, paper := range []bool{false, true} {
			opts := []gorgonia.SolverOpt{solver.WithScaleRate(0), gorgonia.WithLearnRate(1e-9)}
			if paper {
				opts = append(opts, solver.WithPaperStep())
			}
			s := create(opts...)
			const n = 20 // enough for vectors and a rest
			ones := slices.Repeat([]float64{1}, n)
			p := &param{"w", tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)), tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n))}
			set(p.value, ones)
			for range 500 {
				set(p.gradient, ones)
				step(t, s, model(p))
			}
			for i, gain := range learned(s)[0].Gain {
				if grows := gain > 2; grows != paper || !grows && gain != 1 {
					t.Errorf("%s, the paper's step: %v: gain %d is %v", name, paper, i, gain)
				}
			}
		}
	}
}
