package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func noObjective[T Float]() *Objective[T] { return &Objective[T]{PerBatch: 1, Clip: T(math.Inf(1))} }

// bigExp is e^x to 200 bits.
func bigExp(x float64) *big.Float {
	// e^x = (e^(x/2^12))^(2^12)
	const halvings = 12
	z := new(big.Float).SetPrec(300).SetMantExp(big.NewFloat(x), -halvings)
	sum, term := big.NewFloat(1).SetPrec(300), big.NewFloat(1).SetPrec(300)
	for n := 1; n < 60; n++ {
		term.Quo(term.Mul(term, z), new(big.Float).SetInt64(int64(n)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// ulps is how far got is from want, in units of the last place of a float
// with the given bits of mantissa.
func ulps(got float64, want *big.Float, mantissa int) float64 {
	d, _ := new(big.Float).Sub(big.NewFloat(got).SetPrec(300), want).Float64()
	w, _ := want.Float64()
	_, e := math.Frexp(w)
	return math.Abs(d) / math.Ldexp(1, e-mantissa)
}

func TestExpIsAsAccurateAsItSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var worst32, worst64 float64
	for range 20_000 {
		x := float32(rng.Float64()*175.6 - 87.3)
		worst32 = max(worst32, ulps(float64(Exp(x)), bigExp(float64(x)), 24))
		for _, y := range []float64{rng.Float64()*1417 - 708, rng.NormFloat64() / 10} {
			worst64 = max(worst64, ulps(Exp(y), bigExp(y), 53))
		}
	}
	t.Logf("largest error: %.2f ulp in float32, %.2f in float64", worst32, worst64)
	if worst32 > 2 || worst64 > 1.5 {
		t.Errorf("Exp is off by %.2f ulp in float32 and %.2f ulp in float64", worst32, worst64)
	}
}

func TestExpSaturatesWithinTheNormalNumbers(t *testing.T) {
	for _, x := range []float32{-1e30, -88, -87.3, 88.3, 89, 1e30} {
		if e := Exp(x); e < 0x1p-126 || e > math.MaxFloat32 {
			t.Errorf("Exp(%v) = %v", x, e)
		}
	}
	for _, x := range []float64{math.Inf(-1), -800, -708, 709, 800, math.Inf(1)} {
		if e := Exp(x); e < 0x1p-1022 || e > math.MaxFloat64 {
			t.Errorf("Exp(%v) = %v", x, e)
		}
	}
	if Exp(0.) != 1 || Exp(float32(0)) != 1 || !math.IsNaN(Exp(math.NaN())) {
		t.Errorf("Exp(0) = %v, Exp(NaN) = %v", Exp(0.), Exp(math.NaN()))
	}
}

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

func TestInnerProductsAreAccurateAtTenMillionElements(t *testing.T) {
	const n = 10_000_000
	rng := rand.New(rand.NewPCG(2, 2))
	v, g := make([]float32, n), make([]float32, n)
	var dot, vv, gg compensated
	for i := range v {
		v[i], g[i] = rng.Float32()*1e-3+1, rng.Float32()-0.4
		a, b := float64(v[i]), float64(g[i]) // whose products are exact
		dot.add(a * b)
		vv.add(a * a)
		gg.add(b * b)
	}
	s := Measure(v, g, v, noObjective[float32]())
	norms := math.Sqrt(s.Direction) * math.Sqrt(s.Gradient)
	for _, c := range []struct {
		name      string
		got       float64
		want      compensated
		magnitude float64
	}{{"ν·g", s.Dot, dot, norms}, {"‖ν‖²", s.Direction, vv, s.Direction}, {"‖g‖²", s.Gradient, gg, s.Gradient}} {
		e := math.Abs(c.got-(c.want.sum+c.want.lost)) / c.magnitude
		t.Logf("%s: error %.1e", c.name, e)
		if e > 1e-6 {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want.sum+c.want.lost)
		}
	}
}

func TestMeasureDoesNotLoseANaN(t *testing.T) {
	o, d := noObjective[float32](), &Direction[float32]{Correction: 1, Eps: 1}
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

func TestScaledSumsAreTheSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	v, g := make([]float64, 100), make([]float64, 100)
	for i := range v {
		v[i], g[i] = math.Ldexp(rng.NormFloat64(), 700), math.Ldexp(rng.NormFloat64(), -800)
	}
	o := noObjective[float64]()
	direction := func(i int) float64 { return v[i] }
	a, b := Exponents(g, g, direction, o)
	s := MeasureScaled(g, g, direction, o, a, b)
	for i := range v {
		v[i], g[i] = math.Ldexp(v[i], -a), math.Ldexp(g[i], -b)
	}
	want := Measure(g, g, v, o)
	if s.Dot != want.Dot || s.Direction != want.Direction || s.Gradient != want.Gradient {
		t.Errorf("scaled sums %+v, want %+v", s, want)
	}
}

func TestOverflowRescaleFindsWhatRescaleMakesNonFinite(t *testing.T) {
	for _, c := range []struct {
		name                 string
		value, target, scale float32
		overflows            bool
	}{
		{"an ordinary step", 1, 2, 3, false},
		{"NaN in the target", 1, float32(math.NaN()), 1, true},
		{"a difference beyond float32", 3e38, -3e38, 1, true},
		{"a step that the scale takes too far", 1, 1e38, 4, true},
		{"the same with scale 1", 1, 1e38, 1, false},
		{"an infinite scale", 1, 1, float32(math.Inf(1)), true},
	} {
		value, target, descent := []float32{c.value}, []float32{c.target}, []float32{0}
		found := OverflowRescale(value, target, c.scale)
		Rescale(value, target, descent, c.scale)
		if got := FirstNonFinite(value) >= 0 || FirstNonFinite(descent) >= 0; got != c.overflows || found >= 0 != got {
			t.Errorf("%s: place %d, then value %v and descent %v", c.name, found, value, descent)
		}
	}
}

func TestRescaleWithScaleOneIsTheTargetToTheBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 1000 {
		target := rng.NormFloat64()
		value, descent := []float64{rng.NormFloat64() * 1e3}, []float64{0}
		was := value[0]
		Rescale(value, []float64{target}, descent, 1)
		if value[0] != target || descent[0] != was-target {
			t.Fatalf("from %v to %v: value %v, descent %v", was, target, value[0], descent[0])
		}
	}
}

func BenchmarkExp(b *testing.B) {
	x := float32(0.1)
	for b.Loop() {
		x = Exp(-x)
	}
}
