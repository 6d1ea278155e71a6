package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The two passes by themselves, in cache.
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
		value, gradient, velocity, average, gain := slice(), slice(), slice(), slice(), slice()
		for i := range gain {
			gain[i] = 1
		}
		c := Coefficients[float32]{
			Objective: Objective[float32]{PerBatch: 1, Clip: float32(math.Inf(1))},
			Gain:      Gains[float32]{Rate: 0.01, Factor: [2]float32{1.01, 0.99}, Min: 0.01, Max: 100},
			LearnRate: 0.001, Momentum: 0.9, GradientDecay: 0.9, GradientShare: 0.1, Scale: 1,
		}
		perElement := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
		}
		b.Run(fmt.Sprintf("Measure/%d", n), func(b *testing.B) {
			for b.Loop() {
				Measure(value, gradient, velocity, &c.Objective)
			}
			perElement(b)
		})
		fresh := slice()
		for _, raw := range []bool{false, true} {
			c.Gain.Raw = raw
			b.Run(fmt.Sprintf("Update/raw=%v/%d", raw, n), func(b *testing.B) {
				for b.Loop() {
					copy(gradient, fresh)
					Update(value, gradient, velocity, average, gain, &c)
				}
				perElement(b)
			})
		}
		b.Run(fmt.Sprintf("copy/%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(gradient, fresh)
			}
			perElement(b)
		})
	}
}
