package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

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
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
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

func BenchmarkExp(b *testing.B) {
	x := float32(0.1)
	for b.Loop() {
		x = Exp(-x)
	}
}

func TestLogIsAsAccurateAsItSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	worst := 0.0
	check := func(x float64) {
		// One step of Newton's method from math.Log, to more bits than it has.
		near := math.Log(x)
		e := bigExp(near)
		more := new(big.Float).SetPrec(300).Sub(big.NewFloat(x).SetPrec(300), e)
		want := more.Add(more.Quo(more, e), big.NewFloat(near))
		worst = max(worst, ulps(Log(x), want, 53))
	}
	for range 300 {
		check(math.Exp(rng.Float64()*1400 - 700))
		check(math.Exp(rng.NormFloat64() / 10))
		check(1 + rng.NormFloat64()/1e8)
	}
	t.Logf("largest error: %.2f ulp", worst)
	if worst > 2 {
		t.Errorf("Log is off by %.2f ulp", worst)
	}
	for x, want := range map[float64]float64{1: 0, 0x1p-1022: -1022 * math.Ln2, math.MaxFloat64: 1024 * math.Ln2, math.SmallestNonzeroFloat64: -1074 * math.Ln2} {
		if got := Log(x); math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("Log(%v) = %v, want %v", x, got, want)
		}
	}
}
