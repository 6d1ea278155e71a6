package solver

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
)

// A step is not searched for an overflow where bounds rule it out. They are
// tightest, and rounding is hardest on them, where gradients do not change.
func TestTheBoundsOfTheMomentsHold(t *testing.T) {
	testBounds[float32](t)
	testBounds[float64](t)
}

func testBounds[T kernel.Float](t *testing.T) {
	t.Helper()
	rng := rand.New(rand.NewPCG(31, 31))
	for _, beta := range []float64{0, 0.9, 0.999, 0.9999999, 1 - 1e-16} {
		f := NewFunnelAdam(gorgonia.WithBeta1(beta), gorgonia.WithBeta2(beta), WithGainRate(0), WithGainBounds(1, 1))
		p := newFixed[T](8)
		for step := range 2000 {
			for i := range p.gradient {
				p.gradient[i] = -1.1
				if step%500 == i {
					p.gradient[i] = T(1e6 * rng.NormFloat64())
				}
			}
			if err := f.Step([]gorgonia.ValueGrad{p}); err != nil {
				t.Fatal(err)
			}
			s := f.adaptive.parameters.All()[0].(*adamState[T])
			for i := range s.m {
				if m, v := math.Abs(float64(s.m[i])), float64(s.v[i]); m > s.maxM || v > s.maxV {
					t.Fatalf("%T, β = %v, step %d: |m| = %v, at most %v; v = %v, at most %v", p.value, beta, step+1, m, s.maxM, v, s.maxV)
				}
			}
		}
	}
}

// Bounds that were beyond all numbers, while the step itself was not, come down
// again.
func TestTheBoundsOfTheMomentsRecover(t *testing.T) {
	f := NewFunnelAdam(gorgonia.WithBeta1(0.5), gorgonia.WithBeta2(0.5), gorgonia.WithL2Reg(1e308))
	p := newFixed[float64](1)
	p.value[0], p.gradient[0] = 1, -1e308 // and g is 0
	for step := range 100 {
		if err := f.Step([]gorgonia.ValueGrad{p}); err != nil {
			t.Fatal(err)
		}
		s := f.adaptive.parameters.All()[0].(*adamState[float64])
		if step == 0 && s.bounded() {
			t.Error("the first step is thought to be harmless")
		}
		if step == 99 && !s.bounded() {
			t.Errorf("after ordinary steps |m| is thought to be up to %v, v up to %v", s.maxM, s.maxV)
		}
		if err := f.Apply(gorgonia.WithL2Reg(0)); err != nil {
			t.Fatal(err)
		}
		p.gradient[0] = 1
	}
}
