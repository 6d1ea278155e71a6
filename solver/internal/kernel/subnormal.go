package kernel

import "unsafe"

// The state of a coordinate without a gradient decays to subnormal numbers, where rounding stops
// the decay and arithmetic is slow: UpdateAdam takes twice as long (measured). The Flush functions
// set such state to 0. As separate passes, made now and then, they cost 1 to 2 percent of a step;
// the same comparisons in every update would cost up to 20 (measured).

// flushPeriod is the number of a parameter's steps in which each of its blocks is flushed once.
// Solver state depends on it, so it can never change.
const flushPeriod = 16

// FlushDue reports whether a parameter's step, counted from 0, ends with a flush of the block. The
// blocks take turns, so that all steps cost the same.
func FlushDue(step, block int) bool { return (step+block)%flushPeriod == 0 }

// FlushFunnel flushes one block of a Funnel's state:
//
//	ν ← 0 where |ν| is below the smallest normal number
//	m ← 0 where |m| is
func FlushFunnel[T Float](nu, m []T) {
	fastFlush(nu, nu)
	fastFlush(m, m)
}

// FlushAdam flushes one block of a FunnelAdam's state:
//
//	m ← 0 where |m| is below the smallest normal number
//	v ← 0 where v and |m| are
//
// v stays where m is not 0: without it, d could become arbitrarily large.
func FlushAdam[T Float](m, v []T) {
	fastFlush(m, m)
	fastFlush(v, m)
}

// flush sets x to 0 where both |x| and |y| are below the smallest normal number,
// whose magnitude is a power of 2: both are below it where their OR is.
func flush[T Float](x, y []T) {
	smallestNormal := magnitude(smallestNormal[T]())
	for i, v := range x {
		if magnitude(v)|magnitude(y[i]) < smallestNormal {
			x[i] = 0
		}
	}
}

// smallestNormal is the smallest positive number with full precision.
func smallestNormal[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-126
	}
	x := 0x1p-1022
	return T(x)
}
