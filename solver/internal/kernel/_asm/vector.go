package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// This file is the instructions in two precisions.

func pointer(param string) Register { return Load(Param(param), GP64()) }

// loop repeats body while n, counted down by step, is above 0.
func (f float) loop(n Register, step int, body func()) {
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("loop")
	body()
	SUBQ(Imm(uint64(step)), n)
	JNZ(LabelRef("loop"))
	Label("done")
}

func (f float) advance(elements int, pointers ...Register) {
	for _, p := range pointers {
		ADDQ(Imm(uint64(elements*f.bytes)), p)
	}
}

func (f float) at(p Register, element int) Mem { return Mem{Base: p, Disp: element * f.bytes} }

func (f float) load(p Register) VecVirtual {
	x := YMM()
	VMOVUPS(f.at(p, 0), x)
	return x
}

func (f float) store(x VecVirtual, p Register) { VMOVUPS(x, f.at(p, 0)) }

func zero() VecVirtual {
	z := YMM()
	VXORPS(z, z, z)
	return z
}

// broadcast is a coefficient in every element.
func (f float) broadcast(c Register, index int) VecVirtual {
	v := YMM()
	if f.bits == 32 {
		VBROADCASTSS(f.at(c, index), v)
	} else {
		VBROADCASTSD(f.at(c, index), v)
	}
	return v
}

// choose emits the instruction of the precision. Sources first, as in all of
// avo: op(b, a, to) is to = a op b.
func (f float) choose(single, double func(...Op), ops ...Op) {
	if f.bits == 32 {
		single(ops...)
	} else {
		double(ops...)
	}
}

func three(op func(b, a, to Op)) func(...Op) { return func(o ...Op) { op(o[0], o[1], o[2]) } }

func four(op func(c, b, a, to Op)) func(...Op) {
	return func(o ...Op) { op(o[0], o[1], o[2], o[3]) }
}

func (f float) mul(b, a, to Op) { f.choose(VMULPS, VMULPD, b, a, to) }
func (f float) add(b, a, to Op) { f.choose(VADDPS, VADDPD, b, a, to) }
func (f float) sub(b, a, to Op) { f.choose(VSUBPS, VSUBPD, b, a, to) } // to = a − b
func (f float) div(b, a, to Op) { f.choose(VDIVPS, VDIVPD, b, a, to) } // to = a / b
func (f float) max(b, a, to Op) { f.choose(VMAXPS, VMAXPD, b, a, to) }
func (f float) min(b, a, to Op) { f.choose(VMINPS, VMINPD, b, a, to) }

// sqrt is to = √a.
func (f float) sqrt(a, to Op) {
	f.choose(func(o ...Op) { VSQRTPS(o[0], o[1]) }, func(o ...Op) { VSQRTPD(o[0], o[1]) }, a, to)
}

// blend is to = b where mask has its sign bit set, a elsewhere.
func (f float) blend(mask, b, a, to Op) { f.choose(four(VBLENDVPS), four(VBLENDVPD), mask, b, a, to) }

// equal is to = all ones where a = b.
func (f float) equal(b, a, to Op) { f.choose(VCMPPS, VCMPPD, Imm(0), b, a, to) }

// round is to = a, rounded to the nearest integer, ties to even.
func (f float) round(a, to Op) { f.choose(three(VROUNDPS), three(VROUNDPD), Imm(8), a, to) }

func (f float) magnitudeMask() uint64 { return math.MaxUint64 >> (65 - f.bits) }
func (f float) signMask() uint64      { return 1 << (f.bits - 1) }

func (f float) exponentMask() uint64 {
	if f.bits == 32 {
		return 0xff << 23
	}
	return 0x7ff << 52
}

// tables of constants, by their bits.
var tables = map[string]Mem{}

// bitsMem is a vector in memory with every element of these bits.
func (f float) bitsMem(bits uint64) Mem {
	key := fmt.Sprintf("c%d_%x", f.bits, bits)
	if m, ok := tables[key]; ok {
		return m
	}
	m := GLOBL(key, RODATA|NOPTR)
	for i := 0; i < 32/f.bytes; i++ {
		if f.bits == 32 {
			DATA(4*i, U32(bits))
		} else {
			DATA(8*i, U64(bits))
		}
	}
	tables[key] = m
	return m
}

func (f float) integerMem(x uint64) Mem { return f.bitsMem(x) }

func (f float) constantMem(x float64) Mem {
	if f.bits == 32 {
		return f.bitsMem(uint64(math.Float32bits(float32(x))))
	}
	return f.bitsMem(math.Float64bits(x))
}

func (f float) constant(bits uint64) VecVirtual {
	v := YMM()
	VMOVUPS(f.bitsMem(bits), v)
	return v
}
