package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const lastShare = 0.3

// updateAverage brings n elements, a multiple of a vector's, up to date.
func (f float) updateAverage() {
	f.function("updateAverage", "mean, d *FLOAT, n int, c *FLOAT", "See updateAverage.")
	mean, d, n, c := pointer("mean"), pointer("d"), pointer("n"), pointer("c")
	decay, weight := f.broadcast(c, 0), f.broadcast(c, 1)
	f.loop(n, f.perVector(), func() {
		x, y := YMM(), YMM()
		f.mul(f.at(mean, 0), decay, x)
		f.mul(f.at(d, 0), weight, y)
		f.add(y, x, x)
		f.store(x, mean)
		f.advance(f.perVector(), mean, d)
	})
	VZEROUPPER()
	RET()
}

func (f float) measureAverage() {
	f.function("measureAverage", "stepGradient, mean, d *FLOAT, n int, sums *float64", "See measureAverage.")
	mean, d := pointer("mean"), pointer("d")
	f.averageLoop([]Register{mean, d}, func(i int) VecVirtual { return f.along(mean, d, i) })
}

func (f float) measureAverageAdam() {
	f.function("measureAverageAdam", "stepGradient, mean, m, v *FLOAT, n int, last *FLOAT, sums *float64", "See measureAverageAdam.")
	mean, m, v, last := pointer("mean"), pointer("m"), pointer("v"), pointer("last")
	f.averageLoop([]Register{mean, m, v}, func(i int) VecVirtual {
		return f.direction(f.along(mean, m, i), f.at(v, i), last, 0)
	})
}

// along is a vector of ū + 0.3 d.
func (f float) along(mean, d Register, element int) VecVirtual {
	x := YMM()
	VMOVUPS(f.constantMem(lastShare), x)
	f.mul(f.at(d, element), x, x)
	f.add(f.at(mean, element), x, x)
	return x
}

// averageLoop adds n elements, a multiple of 8, to twice 8 partial sums. direction is
// a vector of what streams make, from an element on.
func (f float) averageLoop(streams []Register, direction func(element int) VecVirtual) {
	g, n, sums := pointer("stepGradient"), pointer("n"), pointer("sums")
	streams = append([]Register{g}, streams...)

	// dot and squaredDirection of partialSums.
	var sum [2][2]VecVirtual
	for k := range sum {
		for h := range sum[k] {
			sum[k][h] = YMM()
			VMOVUPD(Mem{Base: sums, Disp: 64*k + 32*h}, sum[k][h])
		}
	}
	f.loop(n, 8, func() {
		half := func(h int) VecVirtual { return direction(4 * h) }
		if f.bits == 32 {
			d := direction(0)
			half = func(h int) VecVirtual { return halfOf(d, h) }
		}
		for h := range 2 {
			d := half(h)
			f.accumulate(sum[0][h], d, f.doubles(g, 4*h))
			f.accumulate(sum[1][h], d, d)
		}
		f.advance(8, streams...)
	})
	for k := range sum {
		for h := range sum[k] {
			VMOVUPD(sum[k][h], Mem{Base: sums, Disp: 64*k + 32*h})
		}
	}
	VZEROUPPER()
	RET()
}
