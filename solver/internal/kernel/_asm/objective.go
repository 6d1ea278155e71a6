package main

import (
	. "github.com/mmcloughlin/avo/build"
)

// objective makes g of the gradient, for n elements, a multiple of a vector's.
// Both may be in the same memory.
func (f float) objective() {
	f.function("objective", "theta, gradient, stepGradient *FLOAT, n int, o *FLOAT", "See Objective.apply.")
	theta, gradient, to := pointer("theta"), pointer("gradient"), pointer("stepGradient")
	n, o := pointer("n"), pointer("o")

	none, signMask := zero(), f.constant(f.signMask())
	weight1, weight2, factor := f.broadcast(o, l1), f.broadcast(o, l2), f.broadcast(o, perBatch)
	high, low := f.broadcast(o, clip), YMM()
	VXORPS(signMask, high, low)

	f.loop(n, f.perVector(), func() {
		g, value := f.load(gradient), f.load(theta)

		// g ← g + l1 sign(θ): l1 with the sign of θ, 0 where θ is 0
		s, t := YMM(), YMM()
		VANDPS(signMask, value, s)
		VORPS(weight1, s, s)
		f.equal(value, none, t)
		VANDNPS(s, t, s)
		f.add(s, g, g)

		// g ← g + l2 θ
		f.mul(weight2, value, t)
		f.add(t, g, g)

		// g ← g / batch
		f.mul(factor, g, g)

		// g ← min(max(g, −clip), clip)
		f.max(low, g, g)
		f.min(high, g, g)

		f.store(g, to)
		f.advance(f.perVector(), theta, gradient, to)
	})
	VZEROUPPER()
	RET()
}
