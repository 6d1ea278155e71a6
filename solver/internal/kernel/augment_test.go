package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestOverflowAugmentedFindsWhatUpdateAugmentedMakesNonFinite(t *testing.T) {
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
		found := OverflowAugmented(value, target, c.scale)
		UpdateAugmented(value, target, descent, c.scale, nil)
		if got := FirstNonFinite(value) >= 0 || FirstNonFinite(descent) >= 0; got != c.overflows || found >= 0 != got {
			t.Errorf("%s: place %d, then value %v and descent %v", c.name, found, value, descent)
		}
	}
}

func TestAScaleOfOneGoesToTheTargetToTheBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 1000 {
		target := rng.NormFloat64()
		value, descent := []float64{float64(rng.NormFloat64() * 1e3)}, []float64{0} // rounded
		was := value[0]
		UpdateAugmented(value, []float64{target}, descent, 1, nil)
		if value[0] != target || descent[0] != was-target {
			t.Fatalf("from %v to %v: value %v, descent %v", was, target, value[0], descent[0])
		}
	}
}

func TestLikenessIsTheFourthPowerOfTheCosine(t *testing.T) {
	for _, c := range []struct {
		name          string
		back, descent []float64
		want          float64
	}{
		{"the same way, of another length", []float64{1, 2}, []float64{3, 6}, 1},
		{"the opposite way", []float64{1, 2}, []float64{-3, -6}, 1},
		{"at right angles", []float64{1, 2}, []float64{-2, 1}, 0},
		{"at an angle of a third of half a turn", []float64{1, 0}, []float64{0.5, math.Sqrt(0.75)}, 1. / 16},
		{"no step", []float64{0, 0}, []float64{1, 2}, 0},
		{"no steps before", []float64{1, 2}, []float64{0, 0}, 0},
		{"too large to be squared", []float64{1e300, 0}, []float64{1, 0}, 0},
	} {
		if got := Likeness(c.back, []float64{0, 0}, c.descent, SampleOf(2)); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAlongIsTheAverageAndAShareOfTheLastDirection(t *testing.T) {
	for _, n := range []int{1, 100, 3 * leastSample} {
		of := SampleOf(n)
		mean, e, d := make([]float32, of.Size()), make([]float32, of.Size()), make([]float32, n)
		for i := range d {
			d[i] = float32(i)
		}
		for i := range mean {
			mean[i] = 1
		}
		Along(e, mean, d, of, 0.5)
		for i := range e {
			if want := 1 + 0.15*float64(of.at(i)); math.Abs(float64(e[i])-want) > 1e-6*want {
				t.Fatalf("%d elements: %v at %d, want %v", n, e[i], i, want)
			}
		}
	}
}
