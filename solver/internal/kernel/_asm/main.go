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
			f.measureAdam(plain)
		}
		for _, plain := range []bool{true, false} {
			f.update(plain, false)
			f.factors(plain)
			f.update(plain, true)
			f.updateAdam(plain, false)
			f.updateAdam(plain, true)
		}
	}
	cpuid()
	xgetbv()
	Generate()
}

// The places of the fields that Coefficients and AdamCoefficients have in
// common, counted in elements.
const (
	l1 = iota
	l2
	perBatch
	clip
	gainRate
	gainUp
	gainDown
	gainMin
	gainMax
	_ // whether the gain's signal is raw
	others
)

// Those of Coefficients alone.
const (
	learnRate = others + iota
	momentum
	gradientDecay
	gradientShare
	scale
)

// Those of AdamCoefficients alone.
const (
	beta1 = others + iota
	beta2
	share1
	share2
	direction // two: see Direction
	_
	rate
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
	f.measureLoop(plain, value, gradient, []Register{velocity}, func(part int) VecVirtual {
		v := YMM()
		f.load(velocity, part, v)
		return v
	})
}

// measureAdam is measure with d, of the step before, for the velocity.
func (f float) measureAdam(plain bool) {
	TEXT(name("measureAdam", f, option(plain)), NOSPLIT, fmt.Sprintf(
		"func(value, gradient, first, second *float%[1]d, n int, d, o *float%[1]d, sums *float64, maxima *uint%[1]d)", f.bits))
	Doc("See measureAdamPortable.")
	Pragma("noescape")
	value, gradient, first, second := pointer("value"), pointer("gradient"), pointer("first"), pointer("second")
	d := pointer("d")
	f.measureLoop(plain, value, gradient, []Register{first, second}, func(part int) VecVirtual {
		return f.direction(f.at(first, part), f.at(second, part), d, 0)
	})
}

// measureLoop is measure, of any direction, which is made of more streams.
func (f float) measureLoop(plain bool, value, gradient Register, more []Register, direction func(part int) VecVirtual) {
	n := pointer("n")
	o := f.options(plain, "o")

	var dot, dd, gg [2]VecVirtual
	for h := range 2 {
		dot[h], dd[h], gg[h] = zero(), zero(), zero()
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
			for h, pair := range f.doubles(direction(part), g) {
				h += part / 4
				accumulate(dot[h], pair[0], pair[1])
				accumulate(dd[h], pair[0], pair[0])
				accumulate(gg[h], pair[1], pair[1])
			}
		}
		f.advance(8, append([]Register{value, gradient}, more...)...)
	})

	sums := pointer("sums")
	for i, s := range []VecVirtual{dot[0], dot[1], dd[0], dd[1], gg[0], gg[1]} {
		VMOVUPD(s, Mem{Base: sums, Disp: 32 * i})
	}
	maxima := pointer("maxima")
	VMOVUPS(maxGradient, Mem{Base: maxima})
	VMOVUPS(maxValue, Mem{Base: maxima, Disp: 32})
	VZEROUPPER()
	RET()
}

// direction is d, of m and v, with the two coefficients from index on.
func (f float) direction(first, second Op, c Register, index int) VecVirtual {
	d, root := YMM(), YMM()
	f.sqrt(second, root)
	f.add(f.broadcast(c, index+1), root, root)
	f.mul(first, f.broadcast(c, index), d)
	f.div(root, d, d)
	return d
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

// update makes one step of Funnel for n elements, a multiple of a vector's. Of
// raw signals, factors has found what the gains are multiplied by.
func (f float) update(plain, raw bool) {
	f.updateText("update", "velocity, average", plain, raw)
	Doc("See updatePortable.")
	Pragma("noescape")
	value, gradient, velocity := pointer("value"), pointer("gradient"), pointer("velocity")
	average, gain, n, c := pointer("average"), pointer("gain"), pointer("n"), pointer("c")
	streams := []Register{value, gradient, velocity, average, gain}

	none := zero()
	nextGain := f.gains(average, gain, c, none, raw, &streams)
	eta, mu, s := f.broadcast(c, learnRate), f.broadcast(c, momentum), f.broadcast(c, scale)
	beta, share := f.broadcast(c, gradientDecay), f.broadcast(c, gradientShare)

	f.loop(n, 32/f.bytes, func() {
		g := f.stepGradient(gradient, value, c, plain)
		p := nextGain(g)
		f.mul(p, g, p)
		f.mul(eta, p, p)
		v := YMM()
		f.mul(f.at(velocity, 0), mu, v)
		f.add(p, v, v)
		f.store(v, velocity)

		a := YMM()
		f.mul(f.at(average, 0), beta, a)
		f.mul(share, g, g)
		f.add(g, a, a)
		f.store(a, average)

		f.mul(s, v, v)
		f.descend(v, value)
		f.store(none, gradient)
		f.advance(32/f.bytes, streams...)
	})
	VZEROUPPER()
	RET()
}

// updateAdam makes one step of FunnelAdam, as update does of Funnel.
func (f float) updateAdam(plain, raw bool) {
	f.updateText("updateAdam", "first, second", plain, raw)
	Doc("See updateAdamPortable.")
	Pragma("noescape")
	value, gradient, first := pointer("value"), pointer("gradient"), pointer("first")
	second, gain, n, c := pointer("second"), pointer("gain"), pointer("n"), pointer("c")
	streams := []Register{value, gradient, first, second, gain}

	none := zero()
	nextGain := f.gains(first, gain, c, none, raw, &streams)
	decay1, decay2 := f.broadcast(c, beta1), f.broadcast(c, beta2)
	part1, part2 := f.broadcast(c, share1), f.broadcast(c, share2)

	f.loop(n, 32/f.bytes, func() {
		g := f.stepGradient(gradient, value, c, plain)
		p := nextGain(g)
		f.mul(p, g, p)
		f.mul(part1, p, p)
		m := YMM()
		f.mul(f.at(first, 0), decay1, m)
		f.add(p, m, m)
		f.store(m, first)

		square, v := YMM(), YMM()
		f.mul(part2, g, square)
		f.mul(g, square, square)
		f.mul(f.at(second, 0), decay2, v)
		f.add(square, v, v)
		f.store(v, second)

		d := f.direction(m, v, c, direction)
		f.mul(f.broadcast(c, rate), d, d)
		f.descend(d, value)
		f.store(none, gradient)
		f.advance(32/f.bytes, streams...)
	})
	VZEROUPPER()
	RET()
}

// updateText begins an update with two arrays of its own.
func (f float) updateText(verb, own string, plain, raw bool) {
	kind, parameter := "", ""
	if raw {
		kind, parameter = "Raw", fmt.Sprintf(", factors *float%d", f.bits)
	}
	TEXT(name(verb, f, kind, option(plain)), NOSPLIT, fmt.Sprintf(
		"func(value, gradient, %[2]s, gain *float%[1]d, n int, c *float%[1]d%[3]s)", f.bits, own, parameter))
}

// gains returns what makes a step's gains, and stores them, of g. Of raw
// signals it adds the factors to the streams.
func (f float) gains(average, gain, c Register, none VecVirtual, raw bool, streams *[]Register) func(g VecVirtual) VecVirtual {
	lowest, highest := f.broadcast(c, gainMin), f.broadcast(c, gainMax)
	var factor func(g, p VecVirtual)
	if raw {
		factors := pointer("factors")
		*streams = append(*streams, factors)
		factor = func(g, p VecVirtual) { f.load(factors, 0, p) }
	} else {
		up, down := f.broadcast(c, gainUp), f.broadcast(c, gainDown)
		factor = func(g, p VecVirtual) { f.normalized(f.at(average, 0), g, none, up, down, p) }
	}
	return func(g VecVirtual) VecVirtual {
		p := YMM()
		factor(g, p)
		f.mul(f.at(gain, 0), p, p)
		f.max(lowest, p, p)
		f.min(highest, p, p)
		f.store(p, gain)
		return p
	}
}

// descend is value −= change.
func (f float) descend(change VecVirtual, value Register) {
	w := YMM()
	f.load(value, 0, w)
	f.sub(change, w, w)
	f.store(w, value)
}

// normalized is the gain's factor, of normalized signals.
func (f float) normalized(average Mem, g, none, up, down, p VecVirtual) {
	m, differ, t := YMM(), YMM(), YMM()
	VMOVUPS(average, m)
	VXORPS(m, g, differ) // its sign bit says whether the signs differ
	f.blend(differ, down, up, p)
	f.equal(m, none, differ)
	f.equal(g, none, t)
	VORPS(t, differ, differ)
	f.blend(differ, f.constantMem(1), p, p)
}

// factors is the gains' factors, of raw signals, for n elements. They are in a
// loop of their own because the exponential is a long chain: in one loop with
// the rest, the processor does not see far enough ahead to fill the waits.
func (f float) factors(plain bool) {
	TEXT(name("factors", f, option(plain)), NOSPLIT, fmt.Sprintf(
		"func(value, gradient, average *float%[1]d, n int, c, factors *float%[1]d)", f.bits))
	Doc("factors are those of updatePortable's gains, of raw signals.")
	Pragma("noescape")
	value, gradient, average := pointer("value"), pointer("gradient"), pointer("average")
	n, c, factors := pointer("n"), pointer("c"), pointer("factors")
	rate := f.broadcast(c, gainRate)
	f.loop(n, 32/f.bytes, func() {
		x := f.stepGradient(gradient, value, c, plain)
		f.mul(f.at(average, 0), x, x)
		f.mul(rate, x, x)
		f.exp(x)
		f.store(x, factors)
		f.advance(32/f.bytes, value, gradient, average, factors)
	})
	VZEROUPPER()
	RET()
}

// stepGradient is g.
func (f float) stepGradient(gradient, value, c Register, plain bool) VecVirtual {
	g := YMM()
	f.load(gradient, 0, g)
	if !plain {
		v := YMM()
		f.load(value, 0, v)
		f.objective(g, v, c)
	}
	return g
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
	f.max(f.constantMem(e.min), x, x)
	f.min(f.constantMem(e.max), x, x)
	k, t := YMM(), YMM()
	f.mul(f.constantMem(math.Log2E), x, k)
	f.round(k, k)
	f.mul(f.constantMem(e.ln2High), k, t)
	f.sub(t, x, x)
	f.mul(f.constantMem(e.ln2Low), k, t)
	f.sub(t, x, x)
	f.power(k, k)
	// x is r now.
	r2 := YMM()
	f.mul(x, x, r2)
	q := f.pairs(x, r2, e.terms)
	f.mul(r2, q, q)
	f.add(x, q, q)
	f.add(f.constantMem(1), q, q)
	f.mul(k, q, x)
}

var exps = map[int]struct {
	min, max, ln2High, ln2Low float64
	terms                     []float64 // of (e^r − 1 − r) / r²
}{
	32: {-87.3, 88.3, 0.693359375, -2.12194440054690582767e-4, taylor(6)},
	64: {-708, 709, 6.93147180369123816490e-01, 1.90821492927058770002e-10, taylor(12)},
}

// taylor is 1/2!, 1/3!, ….
func taylor(n int) []float64 {
	terms, factorial := make([]float64, n), 1.0
	for i := range terms {
		factorial *= float64(i + 2)
		terms[i] = 1 / factorial
	}
	return terms
}

// pairs is the polynomial with these terms: Horner's rule in r², for pairs of
// terms, which is half as long a chain as in r.
func (f float) pairs(r, r2 VecVirtual, terms []float64) VecVirtual {
	pair := func(i int) VecVirtual {
		p := YMM()
		f.mul(f.constantMem(terms[i+1]), r, p)
		f.add(f.constantMem(terms[i]), p, p)
		return p
	}
	q := pair(len(terms) - 2)
	for i := len(terms) - 4; i >= 0; i -= 2 {
		p := pair(i)
		f.mul(r2, q, q)
		f.add(p, q, q)
	}
	return q
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
