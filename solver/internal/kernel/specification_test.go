package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// implementation is passes that have the bits of the specification.
type implementation[T Float] struct {
	name         string
	measure      func(theta, gradient, d []T, o *Objective[T], sums *partialSums)
	measureAdam  func(theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums)
	updateFunnel func(theta, gradient, nu, m, p []T, c *FunnelStep[T])
	updateAdam   func(theta, gradient, m, v, p []T, c *AdamStep[T])
	flush        func(x, y []T)
	averages     averages[T]

	// Whether that includes numbers that are not finite, which no step is made
	// of. The assembly clips NaN.
	nonFinite bool
}

// averages are the passes of the step average.
type averages[T Float] struct {
	measure     func(theta, gradient, mean, d []T, o *Objective[T], sums *partialSums)
	measureAdam func(theta, gradient, mean, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums)
	update      func(mean, d []T, c *AverageStep[T])
}

func implementations[T Float]() []implementation[T] {
	return []implementation[T]{
		{"tuned", tunedMeasure[T], tunedMeasureAdam[T], tunedUpdateFunnel[T], tunedUpdateAdam[T], flush[T], averages[T]{tunedMeasureAverage[T], tunedMeasureAverageAdam[T], updateAverage[T]}, true},
		{"this machine's", fastMeasure[T], fastMeasureAdam[T], fastUpdateFunnel[T], fastUpdateAdam[T], fastFlush[T], averages[T]{fastMeasureAverage[T], fastMeasureAverageAdam[T], fastUpdateAverage[T]}, false},
	}
}

// problem is a block in all its arrays, at some distance from an aligned
// address, and what the elements have in common in a step of either solver.
type problem[T Float] struct {
	theta, gradient, p []T
	nu, average        []T // of Funnel
	m, v               []T // of FunnelAdam
	funnel             FunnelStep[T]
	adam               AdamStep[T]
	last               AdamDirection[T]
}

// newProblem asks number for every element, and pick for everything else.
func newProblem[T Float](n int, number func() float64, pick func(int) int) *problem[T] {
	slice := func() []T {
		offset := pick(9)
		x := make([]T, n+offset)[offset:]
		for i := range x {
			x[i] = T(number())
		}
		return x
	}
	positive := func() []T {
		x := slice()
		for i := range x {
			x[i] = max(x[i], -x[i])
		}
		return x
	}
	choose := func(xs ...float64) T { return T(xs[pick(len(xs))]) }
	direction := func() AdamDirection[T] {
		return AdamDirection[T]{Correction: choose(1, 0.316, 1e8, 1e-8), Eps: choose(1e-8, 3e-10, 1, 1e-40, 1e30)}
	}
	p := &problem[T]{
		theta: slice(), gradient: slice(), p: positive(),
		nu: slice(), average: slice(), m: slice(), v: positive(),
		last: direction(),
	}
	objective := Objective[T]{
		L1: choose(0, 0, 0.01, 1e-30), L2: choose(0, 0, 0.1, 1e20),
		PerBatch: choose(1, 1, 0.125, 1./3), Clip: choose(math.Inf(1), math.Inf(1), 0.5, 1e-20, 1e-42),
	}
	if pick(3) == 0 {
		objective = *noObjective[T]()
	}
	gain := Gain[T]{
		Rate: choose(0.01, 3, 1e10, 1e-10), Up: choose(1.01, 2), Down: choose(0.99, 0.5),
		Min: choose(0.01, 0, 0.9), Max: choose(100, 1.1, 1e30), Decay: choose(0, 0.01, 0.9), Settled: choose(0, 1), Raw: pick(2) == 0,
	}
	p.funnel = FunnelStep[T]{
		Objective: objective, Gain: gain,
		LearnRate: choose(0.001, 0.3, 0, 1e10), Momentum: choose(0.9, 0, 0.999),
		GradientDecay: choose(0.9, 0, 0.1), GradientWeight: choose(0.1, 1, 0.9),
		Scale: choose(1, 0.37, 1e3, 0, 1e-8),
	}
	p.adam = AdamStep[T]{
		Objective: objective, Gain: gain,
		Beta1: choose(0.9, 0, 0.5), Beta2: choose(0.999, 0, 1), Weight1: choose(0.1, 1, 0.5), Weight2: choose(0.001, 1, 1e-16),
		Direction: direction(), Rate: choose(0.001, 0.37, 0, 1e10, 1e-8),
	}
	return p
}

// arrays are all arrays of a problem, those of a step of Funnel first.
func (p *problem[T]) arrays() []*[]T {
	return []*[]T{&p.theta, &p.gradient, &p.nu, &p.average, &p.p, &p.m, &p.v}
}

func (p *problem[T]) clone() *problem[T] {
	q := *p
	for _, x := range q.arrays() {
		*x = append([]T(nil), *x...)
	}
	return &q
}

func (p *problem[T]) finite() bool {
	for _, x := range p.arrays() {
		if FirstNonFinite(*x) >= 0 {
			return false
		}
	}
	return true
}

func (p *problem[T]) String() string {
	return fmt.Sprintf("%d elements of %T, %+v, %+v", len(p.theta), T(0), p.funnel, p.adam)
}

// compare makes the passes of both solvers with every implementation.
func compare[T Float](t *testing.T, p *problem[T]) {
	t.Helper()
	for _, x := range implementations[T]() {
		if !x.nonFinite && !p.finite() {
			x.compareMaxima(t, p)
			continue
		}
		var got, want partialSums
		x.measure(p.theta, p.gradient, p.nu, &p.funnel.Objective, &got)
		measure(p.theta, p.gradient, p.nu, &p.funnel.Objective, &want)
		x.sameSums(t, p, &got, &want)

		got, want = partialSums{}, partialSums{}
		x.measureAdam(p.theta, p.gradient, p.m, p.v, &p.last, &p.adam.Objective, &got)
		measureAdam(p.theta, p.gradient, p.m, p.v, &p.last, &p.adam.Objective, &want)
		x.sameSums(t, p, &got, &want)

		// The other solver's array is as good a step average as any.
		got, want = partialSums{}, partialSums{}
		x.averages.measure(p.theta, p.gradient, p.m, p.nu, &p.funnel.Objective, &got)
		measureAverage(p.theta, p.gradient, p.m, p.nu, &p.funnel.Objective, &want)
		x.sameSums(t, p, &got, &want)

		got, want = partialSums{}, partialSums{}
		x.averages.measureAdam(p.theta, p.gradient, p.nu, p.m, p.v, &p.last, &p.adam.Objective, &got)
		measureAverageAdam(p.theta, p.gradient, p.nu, p.m, p.v, &p.last, &p.adam.Objective, &want)
		x.sameSums(t, p, &got, &want)

		a, b := p.clone(), p.clone()
		x.averages.update(a.m, a.nu, &AverageStep[T]{0.99, 0.01})
		updateAverage(b.m, b.nu, &AverageStep[T]{0.99, 0.01})
		x.sameArrays(t, "UpdateAverage", a, b)

		a, b = p.clone(), p.clone()
		x.updateFunnel(a.theta, a.gradient, a.nu, a.average, a.p, &a.funnel)
		updateFunnel(b.theta, b.gradient, b.nu, b.average, b.p, &b.funnel)
		x.sameArrays(t, "UpdateFunnel", a, b)

		a, b = p.clone(), p.clone()
		x.updateAdam(a.theta, a.gradient, a.m, a.v, a.p, &a.adam)
		updateAdam(b.theta, b.gradient, b.m, b.v, b.p, &b.adam)
		x.sameArrays(t, "UpdateAdam", a, b)

		for _, smaller := range []T{1, 1e-20, smallestNormal[T](), 0} {
			a = p.clone()
			for i := range a.m {
				a.m[i], a.v[i] = a.m[i]*smaller, a.v[i]*smaller
			}
			b = a.clone()
			x.flush(a.m, a.m)
			x.flush(a.v, a.m)
			flush(b.m, b.m)
			flush(b.v, b.m)
			x.sameArrays(t, "flush", a, b)
		}
	}
}

// compareMaxima compares what a step that is not made is refused for.
func (x *implementation[T]) compareMaxima(t *testing.T, p *problem[T]) {
	t.Helper()
	var got, adam, want partialSums
	x.measure(p.theta, p.gradient, p.nu, &p.funnel.Objective, &got)
	x.measureAdam(p.theta, p.gradient, p.m, p.v, &p.last, &p.adam.Objective, &adam)
	measure(p.theta, p.gradient, p.nu, &p.funnel.Objective, &want)
	if got.maxGradient != want.maxGradient || got.maxValue != want.maxValue || adam.maxGradient != want.maxGradient || adam.maxValue != want.maxValue {
		t.Fatalf("%v: %s maxima are %x %x and %x %x, want %x %x", p, x.name, got.maxGradient, got.maxValue, adam.maxGradient, adam.maxValue, want.maxGradient, want.maxValue)
	}
}

func (x *implementation[T]) sameSums(t *testing.T, p *problem[T], got, want *partialSums) {
	t.Helper()
	for name, s := range map[string][2]*partialSum{
		"d·g":  {&got.dot, &want.dot},
		"‖d‖²": {&got.squaredDirection, &want.squaredDirection},
		"‖g‖²": {&got.squaredGradient, &want.squaredGradient},
		"‖θ‖²": {&got.squaredValue, &want.squaredValue},
	} {
		for i := range lanes {
			// The bits of a NaN are promised by nobody.
			if a, b := s[0][i], s[1][i]; math.Float64bits(a) != math.Float64bits(b) && !(a != a && b != b) {
				t.Fatalf("%v: %s lane %d of %s is %v, want %v", p, x.name, i, name, a, b)
			}
		}
	}
	if got.maxGradient != want.maxGradient || got.maxValue != want.maxValue {
		t.Fatalf("%v: %s maxima are %x %x, want %x %x", p, x.name, got.maxGradient, got.maxValue, want.maxGradient, want.maxValue)
	}
}

// sameArrays compares the elements whose step is finite to the bit. The others
// need only be not finite either.
func (x *implementation[T]) sameArrays(t *testing.T, pass string, got, want *problem[T]) {
	t.Helper()
	a, b := got.arrays(), want.arrays()
	for i := range want.theta {
		finiteGot, finiteWant := true, true
		for k := range b {
			finiteGot, finiteWant = finiteGot && finite((*a[k])[i]), finiteWant && finite((*b[k])[i])
		}
		if !finiteWant {
			if finiteGot && x.nonFinite {
				t.Fatalf("%v: %s %s makes element %d finite", want, x.name, pass, i)
			}
			continue
		}
		for k := range b {
			if y, z := (*a[k])[i], (*b[k])[i]; math.Float64bits(float64(y)) != math.Float64bits(float64(z)) {
				t.Fatalf("%v: after %s %s, array %d has %v at %d, want %v", want, x.name, pass, k, y, i, z)
			}
		}
	}
}

// number is mostly an ordinary one.
func number(rng *rand.Rand, nonFinite bool) float64 {
	switch rng.IntN(40) {
	case 0:
		return 0
	case 1:
		return math.Copysign(0, -1)
	case 2:
		return math.Ldexp(rng.NormFloat64(), rng.IntN(240)-120)
	case 3:
		return math.Copysign(1e-42, rng.NormFloat64())
	case 4:
		return math.Copysign(5e-324, rng.NormFloat64())
	case 5:
		if nonFinite {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[rng.IntN(3)]
		}
	}
	return rng.NormFloat64()
}

func TestEveryImplementationHasTheBitsOfTheSpecification(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	compareBoth := func(n int, nonFinite bool) {
		number := func() float64 { return number(rng, nonFinite) }
		compare(t, newProblem[float32](n, number, rng.IntN))
		compare(t, newProblem[float64](n, number, rng.IntN))
	}
	for i := range 1400 {
		compareBoth(i%70, i%4 == 0)
	}
	for _, n := range []int{strip - 1, strip, strip + 1, 2*strip + 13, Block + 3} {
		for i := range 4 {
			compareBoth(n, i == 0)
		}
	}
}

func FuzzEveryImplementationHasTheBitsOfTheSpecification(f *testing.F) {
	f.Add([]byte("whatever the numbers are, the bits are the same"), uint64(1))
	f.Fuzz(func(t *testing.T, bytes []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		at := 0
		next := func(size int) (bits uint64) { // of the fuzzer's bytes, over and over
			for range size {
				bits <<= 8
				if len(bytes) > 0 {
					bits |= uint64(bytes[at%len(bytes)])
				}
				at++
			}
			return bits
		}
		n := rng.IntN(40)
		compare(t, newProblem[float32](n, func() float64 { return float64(math.Float32frombits(uint32(next(4)))) }, rng.IntN))
		compare(t, newProblem[float64](n, func() float64 { return math.Float64frombits(next(8)) }, rng.IntN))
	})
}
