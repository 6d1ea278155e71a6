//go:build !purego

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// The assembly finds the coefficients by their order.
func TestTheCoefficientsAreInTheOrderTheAssemblyHas(t *testing.T) {
	checkOrder[float32](t)
	checkOrder[float64](t)
}

func checkOrder[T Float](t *testing.T) {
	t.Helper()
	var c Coefficients[T]
	var a AdamCoefficients[T]
	var o Objective[T]
	var k Gains[T]
	var d Direction[T]
	size := unsafe.Sizeof(T(0))
	common := func(objective, gain uintptr) []uintptr {
		return []uintptr{
			objective + unsafe.Offsetof(o.L1), objective + unsafe.Offsetof(o.L2), objective + unsafe.Offsetof(o.PerBatch), objective + unsafe.Offsetof(o.Clip),
			gain + unsafe.Offsetof(k.Rate), gain + unsafe.Offsetof(k.Factor), gain + unsafe.Offsetof(k.Factor) + size,
			gain + unsafe.Offsetof(k.Min), gain + unsafe.Offsetof(k.Max), gain + unsafe.Offsetof(k.Raw),
		}
	}
	for name, fields := range map[string][]uintptr{
		"Coefficients": append(common(unsafe.Offsetof(c.Objective), unsafe.Offsetof(c.Gain)),
			unsafe.Offsetof(c.LearnRate), unsafe.Offsetof(c.Momentum), unsafe.Offsetof(c.GradientDecay), unsafe.Offsetof(c.GradientShare), unsafe.Offsetof(c.Scale)),
		"AdamCoefficients": append(common(unsafe.Offsetof(a.Objective), unsafe.Offsetof(a.Gain)),
			unsafe.Offsetof(a.Beta1), unsafe.Offsetof(a.Beta2), unsafe.Offsetof(a.Share1), unsafe.Offsetof(a.Share2),
			unsafe.Offsetof(a.Direction)+unsafe.Offsetof(d.Correction), unsafe.Offsetof(a.Direction)+unsafe.Offsetof(d.Eps), unsafe.Offsetof(a.Rate)),
	} {
		for i, at := range fields {
			if at != size*uintptr(i) {
				t.Errorf("field %d of %s of %T is at %d", i, name, k.Rate, at)
			}
		}
	}
}

// problem is a block in all its arrays, at some distance from an aligned
// address, and the coefficients of a step of either solver.
type problem[T Float] struct {
	value, gradient, gain []T
	velocity, average     []T // of Funnel
	first, second         []T // of FunnelAdam
	c                     Coefficients[T]
	adam                  AdamCoefficients[T]
	last                  Direction[T]
}

// newProblem asks number for everything.
func newProblem[T Float](n int, number func() float64, pick func(int) int) *problem[T] {
	slice := func() []T {
		offset := pick(9)
		x := make([]T, n+offset)[offset:]
		for i := range x {
			x[i] = T(number())
			if !finite(x[i]) {
				x[i] = 1
			}
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
	direction := func() Direction[T] {
		return Direction[T]{Correction: choose(1, 0.316, 1e8, 1e-8), Eps: choose(1e-8, 3e-10, 1, 1e-40, 1e30)}
	}
	p := &problem[T]{
		value: slice(), gradient: slice(), gain: positive(),
		velocity: slice(), average: slice(), first: slice(), second: positive(),
		last: direction(),
	}
	objective := Objective[T]{
		L1: choose(0, 0, 0.01, 1e-30), L2: choose(0, 0, 0.1, 1e20),
		PerBatch: choose(1, 1, 0.125, 1./3), Clip: choose(math.Inf(1), math.Inf(1), 0.5, 1e-20, 1e-42),
	}
	gain := Gains[T]{
		Rate: choose(0.01, 3, 1e10, 1e-10), Factor: [2]T{choose(1.01, 2), choose(0.99, 0.5)},
		Min: choose(0.01, 0, 0.9), Max: choose(100, 1.1, 1e30), Raw: pick(2) == 0,
	}
	p.c = Coefficients[T]{
		Objective: objective, Gain: gain,
		LearnRate: choose(0.001, 0.3, 0, 1e10), Momentum: choose(0.9, 0, 0.999), GradientDecay: choose(0.9, 0, 0.1), GradientShare: choose(0.1, 1, 0.9),
		Scale: choose(1, 0.37, 1e3, 0),
	}
	p.adam = AdamCoefficients[T]{
		Objective: objective, Gain: gain,
		Beta1: choose(0.9, 0, 0.5), Beta2: choose(0.999, 0, 1), Share1: choose(0.1, 1, 0.5), Share2: choose(0.001, 1, 1e-16),
		Direction: direction(), Rate: choose(0.001, 0.37, 0, 1e10),
	}
	return p
}

func (p *problem[T]) clone() *problem[T] {
	q := *p
	for _, x := range []*[]T{&q.value, &q.gradient, &q.gain, &q.velocity, &q.average, &q.first, &q.second} {
		*x = append([]T(nil), *x...)
	}
	return &q
}

// compareImplementations makes one step of each solver with both.
func compareImplementations[T Float](t *testing.T, p *problem[T]) {
	t.Helper()
	if !useAVX2 {
		t.Skip("needs a processor with AVX2")
	}
	compareFunnel(t, p.clone(), p.clone())
	compareAdam(t, p.clone(), p.clone())
}

func compareFunnel[T Float](t *testing.T, p, q *problem[T]) {
	t.Helper()
	var a, b partials
	measure(p.value, p.gradient, p.velocity, &p.c.Objective, &a)
	measurePortable(q.value, q.gradient, q.velocity, &q.c.Objective, &b)
	samePartials(t, p, &a, &b)
	if Overflow(p.value, p.gradient, p.velocity, p.average, p.gain, &p.c) >= 0 {
		return // a step that is never made
	}
	update(p.value, p.gradient, p.velocity, p.average, p.gain, &p.c)
	updatePortable(q.value, q.gradient, q.velocity, q.average, q.gain, &q.c)
	sameArrays(t, p, q)
}

func compareAdam[T Float](t *testing.T, p, q *problem[T]) {
	t.Helper()
	var a, b partials
	measureAdam(p.value, p.gradient, p.first, p.second, &p.last, &p.adam.Objective, &a)
	measureAdamPortable(q.value, q.gradient, q.first, q.second, &q.last, &q.adam.Objective, &b)
	samePartials(t, p, &a, &b)
	if OverflowAdam(p.value, p.gradient, p.first, p.second, p.gain, &p.adam) >= 0 {
		return
	}
	updateAdam(p.value, p.gradient, p.first, p.second, p.gain, &p.adam)
	updateAdamPortable(q.value, q.gradient, q.first, q.second, q.gain, &q.adam)
	sameArrays(t, p, q)
}

func samePartials[T Float](t *testing.T, p *problem[T], a, b *partials) {
	t.Helper()
	// A NaN in a sum has bits that nobody promises.
	for k, s := range map[string][2]*partial{"direction·g": {&a.dot, &b.dot}, "‖direction‖²": {&a.direction, &b.direction}, "‖g‖²": {&a.gradient, &b.gradient}} {
		for i := range lanes {
			x, y := s[0][i], s[1][i]
			if math.Float64bits(x) != math.Float64bits(y) && !(x != x && y != y) {
				t.Fatalf("%d elements, %+v: lane %d of %s is %v, portable %v", len(p.value), p, i, k, x, y)
			}
		}
	}
	if a.maxGradient != b.maxGradient || a.maxValue != b.maxValue {
		t.Fatalf("%d elements of %T: maxima %x %x, portable %x %x", len(p.value), T(0), a.maxGradient, a.maxValue, b.maxGradient, b.maxValue)
	}
}

func sameArrays[T Float](t *testing.T, p, q *problem[T]) {
	t.Helper()
	for name, x := range map[string][2][]T{
		"value": {p.value, q.value}, "gradient": {p.gradient, q.gradient}, "gain": {p.gain, q.gain},
		"velocity": {p.velocity, q.velocity}, "average": {p.average, q.average}, "first": {p.first, q.first}, "second": {p.second, q.second},
	} {
		for i := range x[0] {
			if math.Float64bits(float64(x[0][i])) != math.Float64bits(float64(x[1][i])) {
				t.Fatalf("%d elements of %T, %+v and %+v: %s[%d] is %v, portable %v", len(x[0]), T(0), p.c, p.adam, name, i, x[0][i], x[1][i])
			}
		}
	}
}

func TestAVX2HasThePortableCodesBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	number := func() float64 {
		switch rng.IntN(40) {
		case 0:
			return 0
		case 1:
			return math.Copysign(0, -1)
		case 2:
			return math.Ldexp(rng.NormFloat64(), rng.IntN(240)-120)
		case 3:
			return math.Copysign(1e-42, rng.NormFloat64())
		}
		return rng.NormFloat64()
	}
	for i := range 4000 {
		n := i % 70
		compareImplementations(t, newProblem[float32](n, number, rng.IntN))
		compareImplementations(t, newProblem[float64](n, number, rng.IntN))
	}
	compareImplementations(t, newProblem[float32](Block+3, number, rng.IntN))
	compareImplementations(t, newProblem[float64](Block+3, number, rng.IntN))
}

func FuzzAVX2HasThePortableCodesBits(f *testing.F) {
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
		compareImplementations(t, newProblem[float32](n, func() float64 { return float64(math.Float32frombits(uint32(next(4)))) }, rng.IntN))
		compareImplementations(t, newProblem[float64](n, func() float64 { return math.Float64frombits(next(8)) }, rng.IntN))
	})
}
