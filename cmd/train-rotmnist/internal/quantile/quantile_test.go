package quantile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

var shares = []float64{0.01, 0.25, 0.5, 0.75, 0.99}

// sorted is how gonum has it.
func sorted(share float64, lists ...[]float64) float64 {
	all := slices.Concat(lists...)
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return stat.Quantile(share, stat.Empirical, all, nil)
}

// gains are n numbers spread as those of a network: most about 1, a few at the
// bounds, many equal.
func gains(n int) []float64 {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = min(max(math.Exp(rng.NormFloat64()), 0.01), 100)
		if rng.IntN(5) == 0 {
			xs[i] = 1
		}
	}
	return xs
}

func TestQuantilesAreThoseOfTheSortedNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	wild := make([]float64, 3000)
	for i := range wild {
		wild[i] = math.Float64frombits(rng.Uint64())
		if math.IsNaN(wild[i]) {
			wild[i] = math.Inf(1 - 2*(i%2))
		}
	}
	for name, lists := range map[string][][]float64{
		"gains":           {gains(5000)},
		"several lists":   {gains(3000), nil, gains(10), gains(1)},
		"few":             {gains(7)},
		"one":             {{-3}},
		"all equal":       {slices.Repeat([]float64{1}, 1000)},
		"two values":      {slices.Repeat([]float64{1, math.Nextafter(1, 2)}, 1000)},
		"signs and zeros": {slices.Repeat([]float64{-2, -1, 0, 1, 2}, 100)},
		"any bits":        {wild},
		"none":            {},
	} {
		all := append([]float64{0, 1, 1. / 3}, shares...) // not in order
		for i, got := range Of(all, lists...) {
			want := sorted(all[i], lists...)
			if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Errorf("%s: quantile %v is %v, want %v", name, all[i], got, want)
			}
		}
	}
}

func TestOfNumbersThatAreNoneThereIsNoQuantile(t *testing.T) {
	if got := Of(shares, []float64{1, math.NaN(), 2}); !math.IsNaN(got[2]) {
		t.Errorf("%v", got)
	}
}

func TestTheListsStayAsTheyAre(t *testing.T) {
	xs := gains(1000)
	before := slices.Clone(xs)
	Of(shares, xs)
	if !slices.Equal(xs, before) {
		t.Error("they changed")
	}
}

func BenchmarkOf(b *testing.B) {
	xs := gains(109386)
	for b.Loop() {
		Of(shares, xs)
	}
}

// What Of replaces.
func BenchmarkSort(b *testing.B) {
	xs := gains(109386)
	buffer := make([]float64, len(xs))
	for b.Loop() {
		copy(buffer, xs)
		slices.Sort(buffer)
	}
}
