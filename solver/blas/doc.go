// Package blas multiplies matrices for Gorgonia, several times as fast as Gorgonia's default and to
// the same bits on every machine. It takes one line at the start of a program:
//
//	gorgonia.Use(blas.Implementation{})
//
// # The result
//
// Every element of C = βC + αAB is a sum in one order, which is part of the
// package's contract. With a_k the elements of the row of A and b_k those of the
// column of B:
//
//	c ← βc                        0 if β = 0: c is not read
//	for every block of 256 k:     the last one may be shorter
//	    s ← 0
//	    for every k of the block, in ascending order:
//	        s ← s + a_k b_k
//	    c ← c + αs
//
// Every product and every sum is rounded to the type of the elements: nothing is fused. If α or k
// is 0, C becomes βC, and A and B are not read. A product of zero and NaN or Inf is NaN; which of
// the many NaNs is unspecified.
//
// So the bits of C depend only on the elements, α and β: not on the processor and its instructions,
// the number of cores, transpositions, leading dimensions or alignment. Matrix times vector and the
// outer and inner products are products of matrices with one row, column or k, and are defined in
// the same way; axpy rounds its product and its sum.
//
// # How it is done
//
// Portable Go computes just that. On amd64, assembly for AVX2 or AVX-512 computes as many elements
// at a time as a register has lanes, with the same operations for each. It is chosen when the
// program starts. The build tag purego leaves it out; GODEBUG=cpu.avx512f=off or cpu.avx2=off
// disables it.
//
// Large products are split over GOMAXPROCS cores. Nothing is allocated once a
// product of the same size has been computed.
package blas
