package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func noObjective[T Float]() *Objective[T] { return &Objective[T]{PerBatch: 1, Clip: T(math.Inf(1))} }

// compensated is a sum that carries the rounding error of every addition along
// (Neumaier): exact enough to be the reference.
type compensated struct{ sum, lost float64 }

func (c *compensated) add(x float64) {
	t := c.sum + x
	if math.Abs(c.sum) >= math.Abs(x) {
		c.lost += (c.sum - t) + x
	} else {
		c.lost += (x - t) + c.sum
	}
	c.sum = t
}

func (c *compensated) total() float64 { return c.sum + c.lost }

func TestSumsAreAccurateAtTenMillionElements(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	const n = 10_000_000
	rng := rand.New(rand.NewPCG(2, 2))
	theta, g, d := make([]float32, n), make([]float32, n), make([]float32, n)
	var dot, dd, gg, tt compensated
	for i := range theta {
		theta[i], g[i], d[i] = rng.Float32()*2-1, rng.Float32()-0.4, rng.Float32()*1e-3+1
		a, b, c := float64(d[i]), float64(g[i]), float64(theta[i]) // whose products are exact
		dot.add(a * b)
		dd.add(a * a)
		gg.add(b * b)
		tt.add(c * c)
	}
	s := Measure(theta, g, d, noObjective[float32]())
	norms := math.Sqrt(s.SquaredDirection) * math.Sqrt(s.SquaredGradient)
	for _, c := range []struct {
		name                 string
		got, want, magnitude float64
	}{
		{"d·g", s.Dot, dot.total(), norms},
		{"‖d‖²", s.SquaredDirection, dd.total(), s.SquaredDirection},
		{"‖g‖²", s.SquaredGradient, gg.total(), s.SquaredGradient},
		{"‖θ‖²", s.SquaredValue, tt.total(), s.SquaredValue},
	} {
		e := math.Abs(c.got-c.want) / c.magnitude
		t.Logf("%s: error %.1e", c.name, e)
		if e > 1e-12 {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

// The direction of Adam is computed again, from its moments.
func TestMeasureAdamMeasuresTheDirectionOfTheMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	const n = 1000
	theta, g, m, v, d := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	last := &AdamDirection[float64]{Correction: 0.3, Eps: 1e-8}
	for i := range theta {
		theta[i], g[i], m[i], v[i] = rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.ExpFloat64()
		d[i] = last.Of(m[i], v[i])
	}
	o := &Objective[float64]{L1: 0.1, L2: 0.2, PerBatch: 0.5, Clip: 0.7}
	if got, want := MeasureAdam(theta, g, m, v, last, o), Measure(theta, g, d, o); got != want {
		t.Errorf("MeasureAdam: %+v, want %+v", got, want)
	}
}

func TestMeasureDoesNotLoseANaN(t *testing.T) {
	o, d := noObjective[float32](), &AdamDirection[float32]{Correction: 1, Eps: 1}
	for name, measure := range map[string]func(value, gradient, zeros []float32) Sums{
		"Measure":     func(v, g, z []float32) Sums { return Measure(v, g, z, o) },
		"MeasureAdam": func(v, g, z []float32) Sums { return MeasureAdam(v, g, z, z, d, o) },
	} {
		for n := 1; n < 40; n++ {
			for i := range n {
				for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
					z, g, w := make([]float32, n), make([]float32, n), make([]float32, n)
					for k := range g {
						g[k], w[k] = float32(k), 1
					}
					g[i] = bad
					if s := measure(w, g, z); finite(s.MaxGradient) || !finite(s.MaxValue) {
						t.Fatalf("%s: gradient %v at %d of %d: found %+v", name, bad, i, n, s)
					}
					g[i], w[i] = 0, bad
					if s := measure(w, g, z); finite(s.MaxValue) || !finite(s.MaxGradient) {
						t.Fatalf("%s: value %v at %d of %d: found %+v", name, bad, i, n, s)
					}
				}
			}
		}
	}
}
