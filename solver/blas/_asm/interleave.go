package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// interleave generates the function that writes part of a panel of B, half its
// columns wide, from as many vectors of B: it transposes as many elements of each
// at a time.
func interleave(bits int) {
	lanes := 256 / bits
	TEXT(fmt.Sprintf("%sinterleaveAVX2", map[int]string{32: "s", 64: "d"}[bits]), NOSPLIT, fmt.Sprintf(
		"func(depth int, x *float%[1]d, stride int, to *float%[1]d)", bits))
	Doc(fmt.Sprintf("See interleave. There are %d vectors, stride bytes apart, depth is a multiple of that", lanes), "above 0, and to has rows of 64 bytes.")
	Pragma("noescape")
	depth, x := Load(Param("depth"), GP64()), Load(Param("x"), GP64())
	row, to := rows(Load(Param("stride"), GP64()), lanes), Load(Param("to"), GP64())
	Label("next")
	square := make([]VecVirtual, lanes)
	for i := range square {
		square[i] = YMM()
		VMOVUPS(row(x, i), square[i])
	}
	if bits == 32 {
		square = transpose8(square)
	} else {
		square = transpose4(square)
	}
	for k, v := range square {
		VMOVUPS(v, Mem{Base: to, Disp: k * width})
	}
	ADDQ(Imm(32), x)
	ADDQ(U32(lanes*width), to)
	SUBQ(Imm(uint64(lanes)), depth)
	JNZ(LabelRef("next"))
	VZEROUPPER()
	RET()
}

func transpose8(r []VecVirtual) []VecVirtual {
	var t, s, result [8]VecVirtual
	for i := 0; i < 8; i += 2 { // pairs of elements
		t[i], t[i+1] = YMM(), YMM()
		VUNPCKLPS(r[i+1], r[i], t[i])
		VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	for i := range s { // fours
		s[i] = YMM()
		a := i/4*4 + i%4/2
		VSHUFPS(Imm([...]uint64{0x44, 0xee}[i%2]), t[a+2], t[a], s[i])
	}
	for i := range result { // eights
		result[i] = YMM()
		VPERM2F128(Imm([...]uint64{0x20, 0x31}[i/4]), s[i%4+4], s[i%4], result[i])
	}
	return result[:]
}

func transpose4(r []VecVirtual) []VecVirtual {
	var t, result [4]VecVirtual
	for i := 0; i < 4; i += 2 {
		t[i], t[i+1] = YMM(), YMM()
		VUNPCKLPD(r[i+1], r[i], t[i])
		VUNPCKHPD(r[i+1], r[i], t[i+1])
	}
	for i := range result {
		result[i] = YMM()
		VPERM2F128(Imm([...]uint64{0x20, 0x31}[i/2]), t[i%2+2], t[i%2], result[i])
	}
	return result[:]
}
