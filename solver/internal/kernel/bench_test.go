package kernel

import (
	"fmt"
	"math"
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
		value, gradient, velocity, average, gain, second := slice(), slice(), slice(), slice(), slice(), slice()
		for i := range gain {
			gain[i], second[i] = 1, second[i]*second[i]
		}
		c := Coefficients[float32]{
			Objective: Objective[float32]{PerBatch: 1, Clip: float32(math.Inf(1))},
			Gain:      Gains[float32]{Rate: 0.01, Factor: [2]float32{1.01, 0.99}, Min: 0.01, Max: 100},
			LearnRate: 0.001, Momentum: 0.9, GradientDecay: 0.9, GradientShare: 0.1, Scale: 1,
		}
		adam := AdamCoefficients[float32]{
			Objective: c.Objective, Gain: c.Gain,
			Beta1: 0.9, Beta2: 0.999, Share1: 0.1, Share2: 0.001, Direction: Direction[float32]{Correction: 1, Eps: 1e-8}, Rate: 0.001,
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
		b.Run(fmt.Sprintf("MeasureAdam/%d", n), func(b *testing.B) {
			for b.Loop() {
				MeasureAdam(value, gradient, average, second, &adam.Direction, &c.Objective)
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
		b.Run(fmt.Sprintf("UpdateAdam/%d", n), func(b *testing.B) {
			for b.Loop() {
				copy(gradient, fresh)
				UpdateAdam(value, gradient, average, second, gain, &adam)
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
