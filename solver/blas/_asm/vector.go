package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// This file is the instructions in two precisions and two lengths of vectors.
// Sources come first, as in all of avo: op(b, a, to) is to = a op b.

func (k kernel) register() VecVirtual {
	if k.vector == 64 {
		return ZMM()
	}
	return YMM()
}

func (k kernel) zero() VecVirtual {
	z := k.register()
	if k.vector == 64 {
		VPXORQ(z, z, z) // VXORPS of this length is not in AVX512F
	} else {
		VXORPS(z, z, z)
	}
	return z
}

func (k kernel) mul(b, a, to Op) {
	if k.bits == 32 {
		VMULPS(b, a, to)
	} else {
		VMULPD(b, a, to)
	}
}

// mulBroadcast is mul with b in every lane.
func (k kernel) mulBroadcast(b, a, to Op) {
	if k.bits == 32 {
		VMULPS_BCST(b, a, to)
	} else {
		VMULPD_BCST(b, a, to)
	}
}

func (k kernel) add(b, a, to Op) {
	if k.bits == 32 {
		VADDPS(b, a, to)
	} else {
		VADDPD(b, a, to)
	}
}

func (k kernel) broadcast(from, to Op) {
	if k.bits == 32 {
		VBROADCASTSS(from, to)
	} else {
		VBROADCASTSD(from, to)
	}
}

// compare sets the flags for the first lanes.
func (k kernel) compare(a, b VecVirtual) {
	if k.bits == 32 {
		VUCOMISS(a.AsX(), b.AsX())
	} else {
		VUCOMISD(a.AsX(), b.AsX())
	}
}

// param is a parameter's place in memory.
func (k kernel) param(name string) Mem {
	c, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}
