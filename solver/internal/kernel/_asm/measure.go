package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// measure adds n elements, a multiple of 8, to four times 8 partial sums, and
// writes the largest magnitudes: a vector of the gradient's and one of the
// value's.
func (f float) measure() {
	f.function("measure", "theta, gradient, stepGradient, d *FLOAT, n int, sums *float64, maxima *UINT", "See measure.")
	d := pointer("d")
	f.measureLoop([]Register{d}, func() (half func(h int) VecVirtual) {
		return func(h int) VecVirtual { return f.doubles(d, 4*h) }
	})
}

func (f float) measureAdam() {
	f.function("measureAdam", "theta, gradient, stepGradient, m, v *FLOAT, n int, last *FLOAT, sums *float64, maxima *UINT", "See measureAdam.")
	m, v, last := pointer("m"), pointer("v"), pointer("last")
	f.measureLoop([]Register{m, v}, func() (half func(h int) VecVirtual) {
		if f.bits == 64 {
			return func(h int) VecVirtual { return f.direction(f.at(m, 4*h), f.at(v, 4*h), last, 0) }
		}
		d := f.direction(f.at(m, 0), f.at(v, 0), last, 0)
		return func(h int) VecVirtual { return halfOf(d, h) }
	})
}

// measureLoop is measure with any direction, which is made of streams. In every
// round direction returns what gives the two halves of 8 of its elements.
func (f float) measureLoop(streams []Register, direction func() (half func(h int) VecVirtual)) {
	theta, gradient, g := pointer("theta"), pointer("gradient"), pointer("stepGradient")
	n, sums, maxima := pointer("n"), pointer("sums"), pointer("maxima")
	streams = append([]Register{theta, gradient, g}, streams...)

	// dot, squaredDirection, squaredGradient and squaredValue of partialSums.
	var sum [4][2]VecVirtual
	for k := range sum {
		for h := range sum[k] {
			sum[k][h] = YMM()
			VMOVUPD(Mem{Base: sums, Disp: 64*k + 32*h}, sum[k][h])
		}
	}
	maxGradient, maxValue := zero(), zero()
	mask := f.constant(f.magnitudeMask())

	f.loop(n, 8, func() {
		for i := 0; i < 8; i += f.perVector() {
			f.maximum(maxGradient, f.at(gradient, i), mask)
			f.maximum(maxValue, f.at(theta, i), mask)
		}
		half := direction()
		for h := range 2 {
			value := f.doubles(theta, 4*h)
			f.accumulate(sum[3][h], value, value)
			d, g := half(h), f.doubles(g, 4*h)
			f.accumulate(sum[0][h], d, g)
			f.accumulate(sum[1][h], d, d)
			f.accumulate(sum[2][h], g, g)
		}
		f.advance(8, streams...)
	})

	for k := range sum {
		for h := range sum[k] {
			VMOVUPD(sum[k][h], Mem{Base: sums, Disp: 64*k + 32*h})
		}
	}
	VMOVUPS(maxGradient, Mem{Base: maxima})
	VMOVUPS(maxValue, Mem{Base: maxima, Disp: 32})
	VZEROUPPER()
	RET()
}

// doubles is 4 elements from memory, as float64.
func (f float) doubles(p Register, element int) VecVirtual {
	x := YMM()
	if f.bits == 32 {
		VCVTPS2PD(f.at(p, element), x)
	} else {
		VMOVUPD(f.at(p, element), x)
	}
	return x
}

// halfOf is 4 of the 8 float32 of x, as float64.
func halfOf(x VecVirtual, h int) VecVirtual {
	doubles, half := YMM(), x.AsX()
	if h == 1 {
		upper := XMM()
		VEXTRACTF128(Imm(1), x, upper)
		half = upper
	}
	VCVTPS2PD(half, doubles)
	return doubles
}

// accumulate is sum += x·y, of elements as float64. Of float32 their product is exact, so
// that a fused multiply-add makes the same bits.
func (f float) accumulate(sum, x, y VecVirtual) {
	if f.bits == 32 {
		VFMADD231PD(x, y, sum)
		return
	}
	product := YMM()
	VMULPD(x, y, product)
	VADDPD(product, sum, sum)
}

// maximum is largest = max(largest, magnitude(x)).
func (f float) maximum(largest VecVirtual, x Mem, mask VecVirtual) {
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
