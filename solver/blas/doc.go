// Package blas multiplies matrices for Gorgonia: several times as fast as what it
// does without, and to the same bits on every machine. One line at the start of a
// program is all:
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
// Every product and every sum is rounded to the type of the elements: nothing is
// fused. Where α is 0 or there is no k, C becomes βC, and A and B are not read.
// A product of a zero and NaN or Inf is NaN; which of the many NaNs an element
// becomes is not said.
//
// So the bits of C depend on the elements and on α and β alone: not on the
// processor, the instructions it has, the number of cores, transpositions, leading
// dimensions or alignment. Matrix times vector and the outer and inner products are
// products of matrices with one row, column or k, and are defined by the same lines;
// axpy rounds its product and its sum.
//
// # How it is done
//
// Portable Go computes just that. On amd64, assembly for AVX2 or AVX-512 computes
// as many elements at a time as a register has lanes, which changes nothing for any
// of them. It is chosen when the program starts; the build tag purego leaves it
// out, and GODEBUG=cpu.avx512f=off or cpu.avx2=off does without.
//
// Large products are split over GOMAXPROCS cores. Nothing is allocated once a
// product of the same size has been computed.
package blas
