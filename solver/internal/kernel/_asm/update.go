package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// updateFunnel makes a step of n elements, a multiple of a vector's, where g is
// the gradient. It makes the gains of normalized signals too; those of raw ones
// are in p already.
func (f float) updateFunnel(raw bool) {
	f.function("updateFunnel"+signals(raw), "theta, gradient, nu, m, p *FLOAT, n int, c *FLOAT", "See updateFunnel.")
	theta, gradient, nu := pointer("theta"), pointer("gradient"), pointer("nu")
	m, p, n, c := pointer("m"), pointer("p"), pointer("n"), pointer("c")

	none := zero()
	nextGain := f.gain(raw, m, p, c, none)
	eta, mu, s := f.broadcast(c, learnRate), f.broadcast(c, momentum), f.broadcast(c, scale)
	beta, weight := f.broadcast(c, gradientDecay), f.broadcast(c, gradientWeight)

	f.loop(n, f.perVector(), func() {
		g := f.load(gradient)
		now, settle := nextGain(g)

		// ν ← μ ν + η (p ⊙ g)
		change := YMM()
		f.mul(now, g, change)
		f.mul(eta, change, change)
		velocity := YMM()
		f.mul(f.at(nu, 0), mu, velocity)
		f.add(change, velocity, velocity)
		f.store(velocity, nu)

		// m ← β m + (1−β) g
		average := YMM()
		f.mul(f.at(m, 0), beta, average)
		f.mul(weight, g, g)
		f.add(g, average, average)
		f.store(average, m)

		// θ ← θ − s ν
		f.mul(s, velocity, velocity)
		settle(f.descend(velocity, theta))

		f.store(none, gradient)
		f.advance(f.perVector(), theta, gradient, nu, m, p)
	})
	VZEROUPPER()
	RET()
}

// updateAdam makes a step of n elements, as updateFunnel does.
func (f float) updateAdam(raw bool) {
	f.function("updateAdam"+signals(raw), "theta, gradient, m, v, p *FLOAT, n int, c *FLOAT", "See updateAdam.")
	theta, gradient, m := pointer("theta"), pointer("gradient"), pointer("m")
	v, p, n, c := pointer("v"), pointer("p"), pointer("n"), pointer("c")

	none := zero()
	nextGain := f.gain(raw, m, p, c, none)
	decay1, decay2 := f.broadcast(c, beta1), f.broadcast(c, beta2)
	part1, part2 := f.broadcast(c, weight1), f.broadcast(c, weight2)

	f.loop(n, f.perVector(), func() {
		g := f.load(gradient)
		now, settle := nextGain(g)

		// m ← β1 m + (1−β1) (p ⊙ g)
		change := YMM()
		f.mul(now, g, change)
		f.mul(part1, change, change)
		first := YMM()
		f.mul(f.at(m, 0), decay1, first)
		f.add(change, first, first)
		f.store(first, m)

		// v ← β2 v + (1−β2) g²
		square, second := YMM(), YMM()
		f.mul(part2, g, square)
		f.mul(g, square, square)
		f.mul(f.at(v, 0), decay2, second)
		f.add(square, second, second)
		f.store(second, v)

		// θ ← θ − η s d
		d := f.direction(first, second, c, direction)
		f.mul(f.broadcast(c, rate), d, d)
		settle(f.descend(d, theta))

		f.store(none, gradient)
		f.advance(f.perVector(), theta, gradient, m, v, p)
	})
	VZEROUPPER()
	RET()
}

// direction is d of m and v: AdamDirection.Of, whose two numbers are in c from
// index on.
func (f float) direction(m, v Op, c Register, index int) VecVirtual {
	d, root := YMM(), YMM()
	f.sqrt(v, root)
	f.add(f.broadcast(c, index+1), root, root)
	f.mul(m, f.broadcast(c, index), d)
	f.div(root, d, d)
	return d
}

// descend is theta −= change. What it returns is all ones where theta stayed as it was.
func (f float) descend(change VecVirtual, theta Register) VecVirtual {
	before := f.load(theta)
	f.sub(change, before, change)
	f.store(change, theta)
	f.equal(change, before, change)
	return change
}
