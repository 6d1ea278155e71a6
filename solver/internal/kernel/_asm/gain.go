package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

func signals(raw bool) string {
	if raw {
		return "Raw"
	}
	return ""
}

// gain returns what gives an update its gains, given g, and what stores them, given where
// values stayed as they were.
func (f float) gain(raw bool, m, p, c Register, none VecVirtual) func(g VecVirtual) (gain VecVirtual, settle func(same VecVirtual)) {
	if raw {
		return func(VecVirtual) (VecVirtual, func(VecVirtual)) { return f.load(p), func(VecVirtual) {} }
	}
	lowest, highest := f.broadcast(c, gain+gainMin), f.broadcast(c, gain+gainMax)
	up, down := f.broadcast(c, gain+gainUp), f.broadcast(c, gain+gainDown)
	learns := f.broadcast(c, gain+gainSettled)
	f.equal(none, learns, learns) // all ones where gains learn of every step
	return func(g VecVirtual) (VecVirtual, func(VecVirtual)) {
		factor := f.normalizedFactor(f.load(m), g, none, up, down)
		settled, next := f.decayed(p, f.broadcast(c, gain+gainDecay)), YMM()
		f.mul(settled, factor, next)
		f.bound(next, lowest, highest)
		return next, func(same VecVirtual) {
			VANDNPS(same, learns, same)
			f.blend(same, settled, next, next)
			f.store(next, p)
		}
	}
}

// rawGains makes the gains of raw signals, for n elements, a multiple of a
// vector's. They are in a loop of their own because the exponential is a long
// chain: in one loop with the update, the processor does not see far enough ahead
// to fill the waits.
func (f float) rawGains() {
	f.function("rawGains", "stepGradient, m, p *FLOAT, n int, k *FLOAT", "See Gain.next.")
	g, m, p, n, k := pointer("stepGradient"), pointer("m"), pointer("p"), pointer("n"), pointer("k")
	rate, decay := f.broadcast(k, gainRate), f.broadcast(k, gainDecay)
	lowest, highest := f.broadcast(k, gainMin), f.broadcast(k, gainMax)
	f.loop(n, f.perVector(), func() {
		x := f.load(g)
		f.mul(f.at(m, 0), x, x)
		f.mul(rate, x, x)
		f.exp(x)
		next := f.decayed(p, decay)
		f.mul(x, next, next)
		f.bound(next, lowest, highest)
		f.store(next, p)
		f.advance(f.perVector(), g, m, p)
	})
	VZEROUPPER()
	RET()
}

// decayed is Gain.decayed of p.
func (f float) decayed(p Register, decay VecVirtual) VecVirtual {
	last, t := f.load(p), YMM()
	VMOVUPS(f.constantMem(1), t)
	f.sub(last, t, t)
	f.mul(decay, t, t)
	f.add(t, last, last)
	return last
}

// bound is Gain.bounded, in place.
func (f float) bound(gain, lowest, highest VecVirtual) {
	f.max(lowest, gain, gain)
	f.min(highest, gain, gain)
}

// normalizedFactor is Gain.factor of normalized signals.
func (f float) normalizedFactor(m, g, none, up, down VecVirtual) VecVirtual {
	factor, differ, t := YMM(), YMM(), YMM()
	VXORPS(m, g, differ) // its sign bit says whether the signs differ
	f.blend(differ, down, up, factor)
	f.equal(m, none, differ)
	f.equal(g, none, t)
	VORPS(t, differ, differ)
	f.blend(differ, f.constantMem(1), factor, factor)
	return factor
}
