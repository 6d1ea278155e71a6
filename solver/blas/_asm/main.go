// Command asm generates the kernels of package blas for amd64: vectors_amd64.s and
// its declarations, vectors_amd64.go. Run it with make asm.
//
// Each function computes what tilePortable says, on a tile of some rows by 64
// bytes. An element of the tile is one lane of an accumulator, so that no two
// elements are ever added to each other. Products are rounded before they are
// added to anything: no fused multiply-add.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/buildtags"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	Constraint(buildtags.Not("purego").ToConstraint())
	for _, bits := range []int{32, 64} {
		for rows := 1; rows <= 6; rows++ {
			kernel{bits: bits, rows: rows, panels: 1, vector: 32}.generate()
		}
		for rows := 1; rows <= 12; rows++ {
			kernel{bits: bits, rows: rows, panels: 1, vector: 64}.generate()
		}
		kernel{bits: bits, rows: 12, panels: 2, vector: 64}.generate()
		interleave(bits)
	}
	Generate()
}

// kernel is one function.
type kernel struct {
	bits         int
	rows, panels int
	vector       int // bytes
}

// width is how many bytes of a row a panel has.
const width = 64

func (k kernel) generate() {
	set := "AVX2"
	if k.vector == 64 {
		set = "AVX512"
	}
	TEXT(fmt.Sprintf("%stile%dx%d%s", map[int]string{32: "s", 64: "d"}[k.bits], k.rows, k.panels*width*8/k.bits, set), NOSPLIT, fmt.Sprintf(
		"func(depth int, a *float%[1]d, rowA, columnA int, b *float%[1]d, rowB, nextB int, c *float%[1]d, rowC int, alpha, beta float%[1]d)", k.bits))
	Doc("See tilePortable. Strides are in bytes, nextB that between two panels of B;", "depth must be above 0.")
	Pragma("noescape")

	sums := make([][]VecVirtual, k.rows)
	for i := range sums {
		for range k.panels * width / k.vector {
			sums[i] = append(sums[i], k.zero())
		}
	}
	k.multiply(sums)
	k.update(sums)
	VZEROUPPER()
	RET()
}

// multiply adds the products of depth columns of A and rows of B to the sums.
func (k kernel) multiply(sums [][]VecVirtual) {
	depth := Load(Param("depth"), GP64())
	a, columnA, rowA := Load(Param("a"), GP64()), Load(Param("columnA"), GP64()), rows(Load(Param("rowA"), GP64()), k.rows)
	b, rowB := Load(Param("b"), GP64()), Load(Param("rowB"), GP64())
	addressB := func(j int) Mem { return Mem{Base: b, Disp: j * k.vector} }
	if k.panels == 2 {
		nextB := Load(Param("nextB"), GP64())
		addressB = func(j int) Mem { return [...]Mem{{Base: b}, {Base: b, Index: nextB, Scale: 1}}[j] }
	}
	Label("next")
	fromB := make([]VecVirtual, len(sums[0]))
	for j := range fromB {
		fromB[j] = k.register()
		VMOVUPS(addressB(j), fromB[j])
	}
	for i := range sums {
		if len(fromB) == 1 {
			product := k.register()
			k.mulBroadcast(rowA(a, i), fromB[0], product)
			k.add(product, sums[i][0], sums[i][0])
			continue
		}
		fromA := k.register()
		k.broadcast(rowA(a, i), fromA)
		for j := range fromB {
			product := fromA // the last one needs no other register
			if j < len(fromB)-1 {
				product = k.register()
			}
			k.mul(fromB[j], fromA, product)
			k.add(product, sums[i][j], sums[i][j])
		}
	}
	ADDQ(columnA, a)
	ADDQ(rowB, b)
	DECQ(depth)
	JNZ(LabelRef("next"))
}

// update makes c = βc + αs, where βc is 0 and c is not read if β is 0.
func (k kernel) update(sums [][]VecVirtual) {
	alpha, beta, zero := k.register(), k.register(), k.zero()
	k.broadcast(k.param("alpha"), alpha)
	k.broadcast(k.param("beta"), beta)
	c, rowC := Load(Param("c"), GP64()), Load(Param("rowC"), GP64())
	k.each(sums, func(_, _ int, sum VecVirtual) { k.mul(alpha, sum, sum) })
	k.compare(zero, beta)
	JNE(LabelRef("read"))
	JPS(LabelRef("read"))                                                  // NaN
	k.each(sums, func(_, _ int, sum VecVirtual) { k.add(sum, zero, sum) }) // 0 + −0 is 0
	JMP(LabelRef("write"))
	Label("read")
	p := GP64()
	MOVQ(c, p)
	k.each(sums, func(i, j int, sum VecVirtual) {
		if i > 0 && j == 0 {
			ADDQ(rowC, p)
		}
		old := zero
		k.mul(Mem{Base: p, Disp: j * k.vector}, beta, old)
		k.add(sum, old, sum)
	})
	Label("write")
	k.each(sums, func(i, j int, sum VecVirtual) {
		if i > 0 && j == 0 {
			ADDQ(rowC, c)
		}
		VMOVUPS(sum, Mem{Base: c, Disp: j * k.vector})
	})
}

func (k kernel) each(sums [][]VecVirtual, do func(i, j int, sum VecVirtual)) {
	for i := range sums {
		for j := range sums[i] {
			do(i, j, sums[i][j])
		}
	}
}

// rows returns where a row begins, of n rows that are stride bytes apart.
func rows(stride Register, n int) func(a Register, i int) Mem {
	multiples := map[int]Register{1: stride}
	for i := 3; i < n; i += 2 {
		multiples[i] = GP64()
		LEAQ(Mem{Base: multiples[i-2], Index: stride, Scale: 2}, multiples[i])
	}
	return func(a Register, i int) Mem {
		for scale := 1; i > 0; scale *= 2 {
			if i%2 == 1 {
				return Mem{Base: a, Index: multiples[i], Scale: uint8(scale)}
			}
			i /= 2
		}
		return Mem{Base: a}
	}
}
