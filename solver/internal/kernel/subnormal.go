package kernel

import "unsafe"

// What a solver remembers of a coordinate without a gradient decays to subnormal
// numbers, where rounding holds it for ever and arithmetic is slow: UpdateAdam
// takes twice as long (measured). The Flush functions set it to 0. They are passes
// of their own, made now and then, which costs 1 to 2 percent of a step; the same
// comparisons in every update would cost up to 20 (measured).

// flushPeriod is the number of steps of a parameter in which each of its blocks is
// flushed once. State depends on it, so it can never change.
const flushPeriod = 16

// FlushDue says whether a parameter's step, counted from 0, ends with a flush of
// the block. The blocks take turns, so that all steps cost alike.
func FlushDue(step, block int) bool { return (step+block)%flushPeriod == 0 }

// FlushFunnel flushes one block of what a Funnel remembers:
//
//	ν ← 0 where |ν| is below the smallest normal number
//	m ← 0 where |m| is
func FlushFunnel[T Float](nu, m []T) {
	fastFlush(nu, nu)
	fastFlush(m, m)
}

// FlushAdam flushes one block of what a FunnelAdam remembers:
//
//	m ← 0 where |m| is below the smallest normal number
//	v ← 0 where v and |m| are
//
// Where m is not 0, v stays: without it, d could be any number of times as large.
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

// smallestNormal is the smallest number above 0 that has all its digits.
func smallestNormal[T Float]() T {
	if unsafe.Sizeof(T(0)) == 4 {
		return 0x1p-126
	}
	x := 0x1p-1022
	return T(x)
}
