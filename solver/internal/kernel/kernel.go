// Package kernel is the arithmetic of a step, over slices.
//
// A step reads first and writes later, so that it can be refused. Measure and MeasureAdam return
// the Sums from which the scale is computed, and which mostly show that the step keeps every number
// finite. If they do not, an Overflow function searches for an element that would not stay finite.
// The Update functions write. All slices given to one call have the same length, except those with
// the elements of a Sample only.
//
// # Symbols
//
//	theta     θ  value
//	gradient     as Gorgonia computed it
//	g         g  the gradient that the user's options make of it
//	nu        ν  velocity of Funnel
//	m         m  average of the gradients, or Adam's first moment
//	v         v  Adam's second moment
//	p         p  gain
//	s         s  scale
//	d         d  direction of the step before, but for its sign: ν, or Adam's d
//	mean      ū  average of the steps before, of a sample of the elements
//
// # One specification, several implementations
//
// The loops of funnel.go, adam.go, average.go, subnormal.go, egu.go and augment.go are the
// specification: one line a symbol, with its equation. Faster implementations, chosen by
// dispatch_amd64.go and dispatch_generic.go, are in tuned.go, for measuring and updating on any
// machine, and in avx2_amd64.s, for processors with AVX2, which also has flush and updateAverage.
// Tests hold both to the bits of the specification.
//
// # The same bits on every machine
//
// A product is rounded, by an explicit conversion, before it is added to anything, so that no
// compiler fuses the two. Sums are added in one fixed order.
package kernel

import (
	"math"
	"unsafe"
)

// Float is the type of a parameter's elements.
type Float interface{ float32 | float64 }

// Block is the number of elements that one call measures or updates: a larger parameter is
// processed block by block, on one core or several. Sums depend on it, so it is the same on every
// machine.
const Block = 1 << 14

// FirstNonFinite returns the index of the first NaN or Inf in x, or -1.
func FirstNonFinite[T Float](x []T) int {
	for i, v := range x {
		if !finite(v) {
			return i
		}
	}
	return -1
}

// FirstNaN returns the index of the first NaN in x, or -1.
func FirstNaN[T Float](x []T) int {
	for i, v := range x {
		if v != v {
			return i
		}
	}
	return -1
}

// finite rounds x first: otherwise, inlined, a·b − a·b could be fused and would not be 0.
func finite[T Float](x T) bool { return T(x)-T(x) == 0 }

func sign[T Float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// signsDiffer is 1 where the sign bits of a and b differ, else 0. It has no branch, because the
// signs of gradients are unpredictable.
func signsDiffer[T Float](a, b T) int {
	if unsafe.Sizeof(a) == 4 {
		return int((math.Float32bits(float32(a)) ^ math.Float32bits(float32(b))) >> 31)
	}
	return int((math.Float64bits(float64(a)) ^ math.Float64bits(float64(b))) >> 63)
}

// Power is x^n, with the same bits on every machine, which math.Pow does not
// promise.
func Power(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = p * x
		}
		x = x * x
	}
	return p
}
