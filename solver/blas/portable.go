package blas

// This file is the definition of every result.
//
// An element c of C = βC + αAB, whose row of A has the elements a_k and whose
// column of B the elements b_k, becomes
//
//	c ← βc                        0 if β = 0: c is not read
//	for every block of 256 k:     the last one may be shorter
//	    s ← 0
//	    for every k of the block, in ascending order:
//	        s ← s + a_k b_k
//	    c ← c + αs
//
// where every product and every sum is rounded to the type of the elements.
// (The conversions in the code below see to that: without them Go may round a
// product and the sum it is part of only once, and does on some processors.)
// With α = 0 neither A nor B is read. The assembly computes the same.

// blockDepth is how many k a block has.
const blockDepth = 256

type float interface{ float32 | float64 }

// sum is s of a block of depth elements: those of a and b at every stepA-th and
// stepB-th place.
func sum[T float](depth int, a []T, stepA int, b []T, stepB int) (s T) {
	for k := range depth {
		s += T(a[k*stepA] * b[k*stepB])
	}
	return s
}

// update is c after a block whose sum is s. Blocks other than the first have β = 1.
func update[T float](alpha, s, beta, c T) T {
	if beta == 0 {
		var zero T
		return zero + T(alpha*s) // not −0
	}
	return T(beta*c) + T(alpha*s)
}
