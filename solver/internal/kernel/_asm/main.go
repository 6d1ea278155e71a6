// Command asm generates the AVX2 kernels: avx2_amd64.s and its declarations,
// avx2_amd64.go. Run it with make asm.
//
// The functions have the names and the order of portable.go, which says what
// they compute; what is an expression there is a few vector instructions here,
// on 8 float32 or twice 4 float64 at a time. Products are rounded before they
// are added to anything: no fused multiply-add.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/buildtags"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// float is one of the two types of elements.
type float struct {
	bits, bytes int
	suffix      string // of function names
}

var floats = []float{{32, 4, "32"}, {64, 8, "64"}}

func main() {
	Constraint(buildtags.Not("purego").ToConstraint())
	for _, f := range floats {
		for _, plain := range []bool{true, false} {
			f.measure(plain)
		}
		for _, raw := range []bool{false, true} {
			for _, plain := range []bool{true, false} {
				f.update(raw, plain)
			}
		}
	}
	cpuid()
	xgetbv()
	Generate()
}

// The places of Coefficients' fields, counted in elements.
const (
	l1 = iota
	l2
	perBatch
	clip
	learnRate
	momentum
	gradientDecay
	gradientShare
	scale
	gainRate
	gainUp
	gainDown
	gainMin
	gainMax
)

func name(verb string, f float, options ...string) string {
	for _, o := range options {
		verb += o
	}
	return verb + f.suffix + "AVX2"
}

func option(plain bool) string {
	if plain {
		return "Plain"
	}
	return ""
}

// measure reads n elements, a multiple of 8, and writes 3×8 partial sums and
// the largest magnitudes, a vector for the gradient and one for the value.
func (f float) measure(plain bool) {
	TEXT(name("measure", f, option(plain)), NOSPLIT, fmt.Sprintf(
		"func(value, gradient, velocity *float%[1]d, n int, o *float%[1]d, sums *float64, maxima *uint%[1]d)", f.bits))
	Doc("See measurePortable.")
	Pragma("noescape")
	value, gradient, velocity := pointer("value"), pointer("gradient"), pointer("velocity")
	n := pointer("n")
	o := f.options(plain, "o")

	var dot, vv, gg [2]VecVirtual
	for h := range 2 {
		dot[h], vv[h], gg[h] = zero(), zero(), zero()
	}
	maxGradient, maxValue := zero(), zero()
	magnitude := f.constant(f.magnitudeMask())

	perVector := 32 / f.bytes
	f.loop(n, 8, func() {
		for part := 0; part < 8; part += perVector {
			g, v := YMM(), YMM()
			f.load(gradient, part, g)
			f.load(value, part, v)
			f.maximum(maxGradient, g, magnitude)
			f.maximum(maxValue, v, magnitude)
			if !plain {
				f.objective(g, v, o)
			}
			w := YMM()
			f.load(velocity, part, w)
			for h, pair := range f.doubles(w, g) {
				h += part / 4
				accumulate(dot[h], pair[0], pair[1])
				accumulate(vv[h], pair[0], pair[0])
				accumulate(gg[h], pair[1], pair[1])
			}
		}
		f.advance(8, value, gradient, velocity)
	})

	sums := pointer("sums")
	for i, s := range []VecVirtual{dot[0], dot[1], vv[0], vv[1], gg[0], gg[1]} {
		VMOVUPD(s, Mem{Base: sums, Disp: 32 * i})
	}
	maxima := pointer("maxima")
	VMOVUPS(maxGradient, Mem{Base: maxima})
	VMOVUPS(maxValue, Mem{Base: maxima, Disp: 32})
	VZEROUPPER()
	RET()
}

// doubles is a and b as vectors of float64, which they may be already.
func (f float) doubles(a, b VecVirtual) [][2]VecVirtual {
	if f.bits == 64 {
		return [][2]VecVirtual{{a, b}}
	}
	var halves [2][2]VecVirtual
	for i, x := range []VecVirtual{a, b} {
		low, high, upper := YMM(), YMM(), XMM()
		VCVTPS2PD(x.AsX(), low)
		VEXTRACTF128(Imm(1), x, upper)
		VCVTPS2PD(upper, high)
		halves[0][i], halves[1][i] = low, high
	}
	return halves[:]
}

// accumulate is sum += x·y.
func accumulate(sum, x, y VecVirtual) {
	product := YMM()
	VMULPD(x, y, product)
	VADDPD(product, sum, sum)
}

// maximum is largest = max(largest, magnitude(x)).
func (f float) maximum(largest, x, mask VecVirtual) {
	m := YMM()
	VANDPS(x, mask, m)
	if f.bits == 32 {
		VPMAXUD(m, largest, largest)
		return
	}
	greater := YMM()
	VPCMPGTQ(largest, m, greater) // their sign bits are clear
	VBLENDVPD(greater, m, largest, largest)
}

// update makes one step of Funnel for n elements, a multiple of a vector's.
func (f float) update(raw, plain bool) {
	kind := ""
	if raw {
		kind = "Raw"
	}
	TEXT(name("update", f, kind, option(plain)), NOSPLIT, fmt.Sprintf(
		"func(value, gradient, velocity, average, gain *float%[1]d, n int, c *float%[1]d)", f.bits))
	Doc("See updatePortable.")
	Pragma("noescape")
	value, gradient, velocity := pointer("value"), pointer("gradient"), pointer("velocity")
	average, gain, n, c := pointer("average"), pointer("gain"), pointer("n"), pointer("c")

	none := zero()
	f.loop(n, 32/f.bytes, func() {
		g, m := YMM(), YMM()
		f.load(gradient, 0, g)
		if !plain {
			v := YMM()
			f.load(value, 0, v)
			f.objective(g, v, c)
		}
		f.load(average, 0, m)

		factor := f.factor(m, g, none, c, raw)
		p := YMM()
		f.mul(f.at(gain, 0), factor, p) // gain * factor, bounded
		f.max(f.broadcast(c, gainMin), p, p)
		f.min(f.broadcast(c, gainMax), p, p)
		f.store(p, gain)

		v, t := YMM(), YMM()
		f.mul(p, g, t)
		f.mul(f.broadcast(c, learnRate), t, t)
		f.mul(f.at(velocity, 0), f.broadcast(c, momentum), v)
		f.add(t, v, v)
		f.store(v, velocity)

		f.mul(f.broadcast(c, gradientDecay), m, m)
		f.mul(f.broadcast(c, gradientShare), g, g)
		f.add(g, m, m)
		f.store(m, average)

		w := YMM()
		f.load(value, 0, w)
		f.mul(f.broadcast(c, scale), v, v)
		f.sub(v, w, w)
		f.store(w, value)
		f.store(none, gradient)
		f.advance(32/f.bytes, value, gradient, velocity, average, gain)
	})
	VZEROUPPER()
	RET()
}

// factor is what the gain is multiplied by.
func (f float) factor(m, g, none VecVirtual, c Register, raw bool) VecVirtual {
	factor := YMM()
	if raw {
		f.mul(m, g, factor)
		f.mul(f.broadcast(c, gainRate), factor, factor)
		f.exp(factor)
		return factor
	}
	differ, zeroes, t := YMM(), YMM(), YMM()
	VXORPS(m, g, differ) // its sign bit says whether the signs differ
	f.blend(differ, f.broadcast(c, gainDown), f.broadcast(c, gainUp), factor)
	f.equal(m, none, zeroes)
	f.equal(g, none, t)
	VORPS(t, zeroes, zeroes)
	f.blend(zeroes, f.constantVector(1), factor, factor)
	return factor
}

// objective makes g out of the gradient that Gorgonia computed.
func (f float) objective(g, value VecVirtual, o Register) {
	// sign(value) · L1: L1 with value's sign, 0 where value is 0.
	s, none, t := YMM(), YMM(), YMM()
	VANDPS(f.constant(f.signMask()), value, s)
	VORPS(f.broadcast(o, l1), s, s)
	VXORPS(none, none, none)
	f.equal(value, none, t)
	VANDNPS(s, t, s)
	f.add(s, g, g)
	f.mul(f.broadcast(o, l2), value, t)
	f.add(t, g, g)
	f.mul(f.broadcast(o, perBatch), g, g)
	high := f.broadcast(o, clip)
	low := YMM()
	VXORPS(f.constant(f.signMask()), high, low)
	f.max(low, g, g)
	f.min(high, g, g)
}

// exp is x = Exp(x), in the steps of exp.go.
func (f float) exp(x VecVirtual) {
	e := exps[f.bits]
	f.max(f.constantVector(e.min), x, x)
	f.min(f.constantVector(e.max), x, x)
	k, r, t := YMM(), YMM(), YMM()
	f.mul(f.constantVector(math.Log2E), x, k)
	f.round(k, k)
	f.mul(f.constantVector(e.ln2High), k, t)
	f.sub(t, x, r)
	f.mul(f.constantVector(e.ln2Low), k, t)
	f.sub(t, r, r)
	f.polynomial(r, e.degree, x)
	f.power(k, t)
	f.mul(t, x, x)
}

var exps = map[int]struct {
	min, max, ln2High, ln2Low float64
	degree                    int
}{
	32: {-87.3, 88.3, 0.693359375, -2.12194440054690582767e-4, 7},
	64: {-708, 709, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 13},
}

// polynomial is e = e^r by the Taylor series.
func (f float) polynomial(r VecVirtual, degree int, e VecVirtual) {
	factorial := 1.0
	for i := 2; i <= degree; i++ {
		factorial *= float64(i)
	}
	VMOVUPS(f.constantMem(1/factorial), e)
	for i := degree; i > 2; i-- {
		factorial /= float64(i)
		f.mul(r, e, e)
		f.add(f.constantMem(1/factorial), e, e)
	}
	f.mul(r, e, e)
	f.mul(r, e, e)
	f.add(r, e, e)
	f.add(f.constantMem(1), e, e)
}

// power is p = 2^k, for an integer k.
func (f float) power(k, p VecVirtual) {
	if f.bits == 32 {
		VCVTPS2DQ(k, p)
		VPADDD(f.integerMem(127), p, p)
		VPSLLD(Imm(23), p, p)
		return
	}
	half := XMM()
	VCVTPD2DQY(k, half)
	VPMOVSXDQ(half, p)
	VPADDQ(f.integerMem(1023), p, p)
	VPSLLQ(Imm(52), p, p)
}
