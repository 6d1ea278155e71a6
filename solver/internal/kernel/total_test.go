package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// normal is n numbers of about the size 2^exponent.
func normal[T Float](rng *rand.Rand, n, exponent int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(math.Ldexp(rng.NormFloat64(), exponent))
	}
	return x
}

// part is a parameter whose value is its gradient.
func part[T Float](d, g []T) *FunnelPart[T] {
	return &FunnelPart[T]{Theta: g, Gradient: g, Direction: d, Objective: noObjective[T]()}
}

func (t *Total) addMeasured(parts ...*FunnelPart[float64]) {
	for _, p := range parts {
		t.Add(Measure(p.Theta, p.Gradient, p.Direction, p.Objective), p)
	}
}

func TestSumsWithinTheRangeOfFloat64AreThoseOfTheParameters(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	p := part(normal[float64](rng, 100, 0), normal[float64](rng, 100, 0))
	var total Total
	total.addMeasured(p)
	got, of := total.Sums()
	want := Measure(p.Theta, p.Gradient, p.Direction, p.Objective)
	want.MaxGradient, want.MaxValue = 0, 0
	if got != want || of != (Exponents{}) {
		t.Errorf("%+v, exponents %+v; want %+v", got, of, want)
	}
}

func TestSumsBeyondTheRangeOfFloat64AreThoseOfScaledVectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, size := range []struct{ d, g int }{{700, -800}, {-700, 0}, {0, 600}, {1000, 1000}, {-1000, -1000}} {
		p := part(normal[float64](rng, 100, size.d), normal[float64](rng, 100, size.g))
		var total Total
		total.addMeasured(p)
		got, of := total.Sums()

		_, ofD := math.Frexp(largestMagnitude(p.Direction))
		_, ofG := math.Frexp(largestMagnitude(p.Gradient))
		d, g := slices.Clone(p.Direction), slices.Clone(p.Gradient)
		for i := range d {
			d[i], g[i] = math.Ldexp(d[i], -ofD), math.Ldexp(g[i], -ofG)
		}
		want := Measure(g, g, d, noObjective[float64]())
		if got.Dot != want.Dot || got.SquaredDirection != want.SquaredDirection || got.SquaredGradient != want.SquaredGradient || of != (Exponents{ofD, ofG}) {
			t.Errorf("sizes %v: %+v, exponents %+v; want %+v, exponents %d and %d", size, got, of, want, ofD, ofG)
		}
	}
}

func largestMagnitude(x []float64) (largest float64) {
	for _, v := range x {
		largest = max(largest, math.Abs(v))
	}
	return largest
}

// A direction or a gradient of zeros has no exponent.
func TestSumsOfAVectorOfZerosAreZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	zeros := make([]float64, 20)
	for _, p := range []*FunnelPart[float64]{
		part(zeros, normal[float64](rng, 20, -800)),
		part(normal[float64](rng, 20, -800), zeros),
		part(zeros, zeros),
	} {
		var total Total
		total.addMeasured(p)
		if s, of := total.Sums(); math.Ldexp(s.Dot, of.D+of.G) != 0 || s.SquaredDirection*s.SquaredGradient != 0 {
			t.Errorf("%+v, exponents %+v", s, of)
		}
	}
}

// The parameters of a model may be of both types, of both solvers' kinds, and
// in any order.
func TestTheOrderOfTheParametersDoesNotShowInATotal(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, exponent := range []int{0, -600, 600} {
		wide, narrow := part(normal[float64](rng, 50, exponent), normal[float64](rng, 50, exponent)), part(normal[float32](rng, 70, 0), normal[float32](rng, 70, 0))
		adam := &AdamPart[float64]{
			Theta: wide.Theta, Gradient: wide.Gradient, M: normal[float64](rng, 50, 0), V: make([]float64, 50),
			Last: &AdamDirection[float64]{Correction: 1, Eps: 0.1}, Objective: wide.Objective,
		}
		add := []func(*Total){
			func(t *Total) { t.addMeasured(wide) },
			func(t *Total) {
				t.Add(Measure(narrow.Theta, narrow.Gradient, narrow.Direction, narrow.Objective), narrow)
			},
			func(t *Total) {
				t.Add(MeasureAdam(adam.Theta, adam.Gradient, adam.M, adam.V, adam.Last, adam.Objective), adam)
			},
		}
		var total Total
		sums := func(order ...int) (Sums, Exponents) {
			for _, i := range order {
				add[i](&total)
			}
			return total.Sums()
		}
		want, wantExponent := sums(0, 1, 2)
		for _, order := range [][]int{{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			if got, exponent := sums(order...); got != want || exponent != wantExponent {
				t.Errorf("in the order %v: %+v, exponents %+v; in another %+v, exponents %+v", order, got, exponent, want, wantExponent)
			}
		}
	}
}

func TestATotalAllocatesNothingOnceItHasBeenUsed(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, exponent := range []int{0, -800} {
		p := part(normal[float64](rng, 100, exponent), normal[float64](rng, 100, exponent))
		var total Total
		if allocations := testing.AllocsPerRun(10, func() {
			total.addMeasured(p)
			total.Sums()
		}); allocations != 0 {
			t.Errorf("of numbers of size 2^%d: %v allocations", exponent, allocations)
		}
	}
}

// Of a direction that is 0 there is nothing to rescale, which takes long. One whose
// squares are too small for float64 is not 0.
func TestADirectionOfZerosIsNotRescaled(t *testing.T) {
	testDirectionOfZeros[float32](t)
	testDirectionOfZeros[float64](t)
}

func testDirectionOfZeros[T Float](t *testing.T) {
	t.Helper()
	g, zeros := normal[T](rand.New(rand.NewPCG(7, 7)), 100, 0), make([]T, 100)
	tiny := slices.Clone(zeros)
	tiny[70] = smallestNormal[T]() / 2
	var total Total
	sums := func(d []T) [2]Sums {
		p := part(d, g)
		total.Add(Measure(g, g, d, p.Objective), p)
		funnel, _ := total.Sums()
		a := &AdamPart[T]{Theta: g, Gradient: g, M: d, V: zeros, Last: &AdamDirection[T]{Correction: 1, Eps: 1}, Objective: p.Objective}
		total.Add(MeasureAdam(g, g, d, zeros, a.Last, a.Objective), a)
		adam, _ := total.Sums()
		return [2]Sums{funnel, adam}
	}
	want := Measure(g, g, zeros, noObjective[T]()).SquaredGradient
	for _, s := range sums(zeros) {
		if s.Dot != 0 || s.SquaredDirection != 0 || s.SquaredGradient != want {
			t.Errorf("%T: %+v, want ‖g‖² = %v", T(0), s, want)
		}
	}
	for _, s := range sums(tiny) {
		if s.Dot == 0 || s.SquaredDirection == 0 {
			t.Errorf("%T: %+v of a direction that is not 0", T(0), s)
		}
	}
}
