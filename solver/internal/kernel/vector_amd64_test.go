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
	var k Gains[T]
	size, gain := unsafe.Sizeof(T(0)), unsafe.Offsetof(c.Gain)
	for i, at := range []uintptr{
		unsafe.Offsetof(c.L1), unsafe.Offsetof(c.L2), unsafe.Offsetof(c.PerBatch), unsafe.Offsetof(c.Clip),
		gain + unsafe.Offsetof(k.Rate), gain + unsafe.Offsetof(k.Factor), gain + unsafe.Offsetof(k.Factor) + size,
		gain + unsafe.Offsetof(k.Min), gain + unsafe.Offsetof(k.Max), gain + unsafe.Offsetof(k.Raw),
		unsafe.Offsetof(c.LearnRate), unsafe.Offsetof(c.Momentum), unsafe.Offsetof(c.GradientDecay), unsafe.Offsetof(c.GradientShare),
		unsafe.Offsetof(c.Scale),
	} {
		if at != size*uintptr(i) {
			t.Errorf("field %d of %T is at %d", i, c, at)
		}
	}
}

// problem is a block in all its arrays, at some distance from an aligned
// address, and the coefficients of a step.
type problem[T Float] struct {
	value, gradient, velocity, average, gain []T
	c                                        Coefficients[T]
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
	choose := func(xs ...float64) T { return T(xs[pick(len(xs))]) }
	p := &problem[T]{value: slice(), gradient: slice(), velocity: slice(), average: slice(), gain: slice()}
	for i := range p.gain {
		p.gain[i] = max(p.gain[i], -p.gain[i])
	}
	p.c = Coefficients[T]{
		Objective: Objective[T]{
			L1: choose(0, 0, 0.01, 1e-30), L2: choose(0, 0, 0.1, 1e20),
			PerBatch: choose(1, 1, 0.125, 1./3), Clip: choose(math.Inf(1), math.Inf(1), 0.5, 1e-20, 1e-42),
		},
		Gain: Gains[T]{
			Rate: choose(0.01, 3, 1e10, 1e-10), Factor: [2]T{choose(1.01, 2), choose(0.99, 0.5)},
			Min: choose(0.01, 0, 0.9), Max: choose(100, 1.1, 1e30), Raw: pick(2) == 0,
		},
		LearnRate: choose(0.001, 0.3, 0, 1e10), Momentum: choose(0.9, 0, 0.999), GradientDecay: choose(0.9, 0, 0.1), GradientShare: choose(0.1, 1, 0.9),
		Scale: choose(1, 0.37, 1e3, 0),
	}
	return p
}

func (p *problem[T]) clone() *problem[T] {
	copied := func(x []T) []T { return append([]T(nil), x...) }
	return &problem[T]{copied(p.value), copied(p.gradient), copied(p.velocity), copied(p.average), copied(p.gain), p.c}
}

func (p *problem[T]) arrays() map[string][]T {
	return map[string][]T{"value": p.value, "gradient": p.gradient, "velocity": p.velocity, "average": p.average, "gain": p.gain}
}

// compareImplementations makes one step of one problem with both.
func compareImplementations[T Float](t *testing.T, p *problem[T]) {
	t.Helper()
	if !useAVX2 {
		t.Skip("needs a processor with AVX2")
	}
	q := p.clone()
	var a, b partials
	measure(p.value, p.gradient, p.velocity, &p.c.Objective, &a)
	measurePortable(q.value, q.gradient, q.velocity, &q.c.Objective, &b)
	// A NaN in a sum has bits that nobody promises.
	for k, s := range map[string][2]*partial{"ν·g": {&a.dot, &b.dot}, "‖ν‖²": {&a.direction, &b.direction}, "‖g‖²": {&a.gradient, &b.gradient}} {
		for i := range lanes {
			x, y := s[0][i], s[1][i]
			if math.Float64bits(x) != math.Float64bits(y) && !(x != x && y != y) {
				t.Fatalf("%d elements of %T, %+v: lane %d of %s is %v, portable %v", len(p.value), T(0), p.c, i, k, x, y)
			}
		}
	}
	if a.maxGradient != b.maxGradient || a.maxValue != b.maxValue {
		t.Fatalf("%d elements of %T: maxima %x %x, portable %x %x", len(p.value), T(0), a.maxGradient, a.maxValue, b.maxGradient, b.maxValue)
	}
	if Overflow(p.value, p.gradient, p.velocity, p.average, p.gain, &p.c) >= 0 {
		return // a step that is never made
	}
	update(p.value, p.gradient, p.velocity, p.average, p.gain, &p.c)
	updatePortable(q.value, q.gradient, q.velocity, q.average, q.gain, &q.c)
	portable := q.arrays()
	for name, x := range p.arrays() {
		for i := range x {
			if math.Float64bits(float64(x[i])) != math.Float64bits(float64(portable[name][i])) {
				t.Fatalf("%d elements of %T, %+v: %s[%d] is %v, portable %v", len(x), T(0), p.c, name, i, x[i], portable[name][i])
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
