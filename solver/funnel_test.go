package solver_test

import (
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func random(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func TestWithBothRatesZeroFunnelIsMomentum(t *testing.T) {
	for _, p := range precisions {
		t.Run(p.dtype.String(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			start := random(rng, 60)
			opts := []gorgonia.SolverOpt{gorgonia.WithLearnRate(0.05), gorgonia.WithMomentum(0.8), gorgonia.WithBatchSize(4), gorgonia.WithClip(0.2)}
			f := solver.NewFunnel(append(opts, solver.WithGainRate(0), solver.WithScaleRate(0))...)
			m := gorgonia.NewMomentum(opts...)
			var ps [2]*param
			for k := range ps {
				ps[k] = &param{value: tensor.New(tensor.Of(p.dtype), tensor.WithShape(5, 12)), gradient: tensor.New(tensor.Of(p.dtype), tensor.WithShape(5, 12))}
				set(ps[k].value, start)
			}
			for i := range 200 {
				g := random(rng, 60)
				set(ps[0].gradient, g)
				set(ps[1].gradient, g)
				step(t, f, model(ps[0]))
				step(t, m, model(ps[1]))
				compare(t, i, "value", floats(ps[0].value), floats(ps[1].value), 10*p.tolerance)
			}
		})
	}
}

// Two streams of gradients, one c times the other.
func TestNormalizedSignalsDoNotSeeTheGradientsSize(t *testing.T) {
	for _, c := range []struct {
		name   string
		factor float64
		exact  bool
	}{
		{"2^40", 0x1p40, true}, {"2^-40", 0x1p-40, true}, {"3", 3, false}, {"1e-3", 1e-3, false},
		{"2^500", 0x1p500, true}, {"2^-600", 0x1p-600, true},
	} {
		for _, scope := range []solver.Scope{solver.Global, solver.PerParameter} {
			t.Run(c.name+"/"+scope.String(), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 3))
				var fs [2]*solver.Funnel
				var as, bs [2]*param
				for k := range fs {
					fs[k] = solver.NewFunnel(solver.WithPaperStep(), solver.WithScaleScope(scope))
					as[k] = vector("a", make([]float64, 30), make([]float64, 30))
					bs[k] = vector("b", make([]float64, 7), make([]float64, 7))
				}
				for range 50 {
					for _, ps := range [][2]*param{as, bs} {
						g := random(rng, len(floats(ps[0].value)))
						set(ps[0].gradient, g)
						for i := range g {
							g[i] *= c.factor
						}
						set(ps[1].gradient, g)
					}
					step(t, fs[0], model(as[0], bs[0]))
					step(t, fs[1], model(as[1], bs[1]))
				}
				for i, a := range fs[0].Adaptations() {
					b := fs[1].Adaptations()[i]
					if !sameBits(a.Gain, b.Gain) {
						t.Errorf("%s: gains differ", a.Name)
					}
					if c.exact && a.Scale != b.Scale || !closeTo(a.Scale, b.Scale, 1e-12) {
						t.Errorf("%s: scale %v and %v", a.Name, a.Scale, b.Scale)
					}
				}
			})
		}
	}
}
