package kernel

import (
	"math"
	"testing"
)

func TestASampleIsEnoughOfAParameterAndFromAllOfIt(t *testing.T) {
	for _, n := range []int{0, 1, 7, 4095, 4096, 4100, 5000, 8192, 65535, 65536, 100_352, 1 << 20, 1<<20 + 777} {
		s := SampleOf(n)
		size := s.Size()
		if n < 2*leastSample && size != n {
			t.Errorf("of %d elements %d are in the sample, want all", n, size)
		}
		if least := max(min(n, leastSample/2), n/largestShare-s.length); size < least || n > 4*leastSample && size > n/2 {
			t.Errorf("of %d elements %d are in the sample", n, size)
		}
		last, covered := -1, map[int]bool{} // sixteenths of the parameter that are in it
		for i := range size {
			at := s.at(i)
			if at <= last || at >= n {
				t.Fatalf("of %d elements number %d of the sample is %d, after %d", n, i, at, last)
			}
			last = at
			covered[at*16/n] = true
		}
		if n > 1<<18 && len(covered) != 16 {
			t.Errorf("of %d elements only %d sixteenths are in the sample", n, len(covered))
		}
	}
}

// A matrix whose rows are as long as a period has the same column in every run, if
// runs are always in the same place.
func TestASampleHasAllColumnsOfAMatrix(t *testing.T) {
	for _, columns := range []int{256, 784, 1024, 4096, 8192} {
		s := SampleOf(1 << 20)
		seen := make([]bool, columns)
		for i := range s.Size() {
			seen[s.at(i)%columns] = true
		}
		for k, ok := range seen {
			if !ok {
				t.Fatalf("column %d of %d is in no row of the sample", k, columns)
			}
		}
	}
}

func TestTheStepAverageIsOfTheSample(t *testing.T) {
	const n = 3*Block + 1000
	of := SampleOf(n)
	theta, gradient, d, mean := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, of.Size())
	for i := range theta {
		gradient[i], d[i] = math.Sin(float64(i)), math.Cos(float64(3*i))
	}
	c := &AverageStep[float64]{0.9, 0.1}
	for range 2 {
		for from := 0; from < n; from += Block {
			UpdateAverage(mean, d, of, from, min(from+Block, n), c)
		}
	}
	var sums Sums
	for from := 0; from < n; from += Block {
		sums.Add(MeasureAverage(theta, gradient, mean, d, of, from, min(from+Block, n), noObjective[float64]()))
	}
	var dot, square float64
	for i, m := range mean {
		at := of.at(i)
		if want := 0.19 * d[at]; math.Abs(m-want) > 1e-15 {
			t.Fatalf("element %d of the average is %v, want %v", i, m, want)
		}
		e := m + 0.3*d[at]
		dot, square = dot+e*gradient[at], square+e*e
	}
	if math.Abs(sums.Dot-dot) > 1e-9 || math.Abs(sums.SquaredDirection-square) > 1e-9 {
		t.Errorf("sums %v and %v, want %v and %v", sums.Dot, sums.SquaredDirection, dot, square)
	}
}
