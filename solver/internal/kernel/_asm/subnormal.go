package main

import (
	. "github.com/mmcloughlin/avo/build"
)

// flush sets n elements of x, a multiple of a vector's, to 0 where those of x and y
// have no bit of an exponent.
func (f float) flush() {
	f.function("flush", "x, y *FLOAT, n int", "See flush.")
	x, y, n := pointer("x"), pointer("y"), pointer("n")
	none, exponent := zero(), f.constant(f.exponentMask())

	f.loop(n, f.perVector(), func() {
		v, subnormal := f.load(x), YMM()
		VORPS(f.at(y, 0), v, subnormal)
		VANDPS(exponent, subnormal, subnormal)
		f.equal(none, subnormal, subnormal)
		VANDNPS(v, subnormal, v)
		f.store(v, x)
		f.advance(f.perVector(), x, y)
	})
	VZEROUPPER()
	RET()
}
