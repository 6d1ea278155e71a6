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

// gain returns what gives an update its gains, given g.
func (f float) gain(raw bool, m, p, c Register, none VecVirtual) func(g VecVirtual) VecVirtual {
	if raw {
		return func(VecVirtual) VecVirtual { return f.load(p) }
	}
	lowest, highest := f.broadcast(c, gain+gainMin), f.broadcast(c, gain+gainMax)
	up, down := f.broadcast(c, gain+gainUp), f.broadcast(c, gain+gainDown)
	return func(g VecVirtual) VecVirtual {
		factor := f.normalizedFactor(f.load(m), g, none, up, down)
		return f.nextGain(factor, p, f.broadcast(c, gain+gainDecay), lowest, highest)
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
		f.nextGain(x, p, decay, lowest, highest)
		f.advance(f.perVector(), g, m, p)
	})
	VZEROUPPER()
	RET()
}

// nextGain is Gain.next with this factor, in memory and returned.
func (f float) nextGain(factor VecVirtual, p Register, decay, lowest, highest VecVirtual) VecVirtual {
	last, t := f.load(p), YMM()
	VMOVUPS(f.constantMem(1), t)
	f.sub(last, t, t)
	f.mul(decay, t, t)
	f.add(t, last, last)
	f.mul(last, factor, last)
	f.max(lowest, last, last)
	f.min(highest, last, last)
	f.store(last, p)
	return last
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
