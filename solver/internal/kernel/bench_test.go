package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The passes by themselves, in cache.
func BenchmarkPass(b *testing.B) {
	for _, n := range []int{4096, Block} {
		rng := rand.New(rand.NewPCG(1, 1))
		slice := func() []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.NormFloat64()) * 1e-3
			}
			return x
		}
		theta, gradient, nu, m, v, p := slice(), slice(), slice(), slice(), slice(), slice()
		for i := range p {
			p[i], v[i] = 1, v[i]*v[i]
		}
		c := FunnelStep[float32]{
			Objective: *noObjective[float32](),
			Gain:      Gain[float32]{Rate: 0.01, Up: 1.01, Down: 0.99, Min: 0.01, Max: 100, Decay: 0.01},
			LearnRate: 0.001, Momentum: 0.9, GradientDecay: 0.9, GradientWeight: 0.1, Scale: 1,
		}
		adam := AdamStep[float32]{
			Objective: c.Objective, Gain: c.Gain,
			Beta1: 0.9, Beta2: 0.999, Weight1: 0.1, Weight2: 0.001, Direction: AdamDirection[float32]{Correction: 1, Eps: 1e-8}, Rate: 0.001,
		}
		perElement := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
		}
		b.Run(fmt.Sprintf("Measure/%d", n), func(b *testing.B) {
			for b.Loop() {
				Measure(theta, gradient, nu, &c.Objective)
			}
			perElement(b)
		})
		b.Run(fmt.Sprintf("MeasureAdam/%d", n), func(b *testing.B) {
			for b.Loop() {
				MeasureAdam(theta, gradient, m, v, &adam.Direction, &c.Objective)
			}
			perElement(b)
		})
		fresh := slice()
		for _, raw := range []bool{false, true} {
			c.Gain.Raw = raw
			b.Run(fmt.Sprintf("UpdateFunnel/raw=%v/%d", raw, n), func(b *testing.B) {
				for b.Loop() {
					copy(gradient, fresh)
					UpdateFunnel(theta, gradient, nu, m, p, &c)
				}
				perElement(b)
			})
		}
		b.Run(fmt.Sprintf("UpdateAdam/%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(gradient, fresh)
				UpdateAdam(theta, gradient, m, v, p, &adam)
			}
			perElement(b)
		})
		b.Run(fmt.Sprintf("copy/%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(gradient, fresh)
			}
			perElement(b)
		})
	}
}
