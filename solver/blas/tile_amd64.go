//go:build !purego

package blas

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// set is a set of instructions.
type set int

const (
	portable set = iota
	avx2
	avx512
)

// instructions is the set in use, the best that the processor and the operating system support.
// Tests try all.
var instructions = detect()

func detect() set {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX2:
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	}
	return portable
}

// tile updates a tile of C, with the given rows and as many columns as a panel of B.
func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	of32, of64 := avx2of32, avx2of64
	switch instructions {
	case portable:
		tilePortable(rows, depth, a, b, c, alpha, beta)
		return
	case avx512:
		of32, of64 = avx512of32, avx512of64
	}
	for rows > 0 {
		n := min(len(of32), rows)
		if unsafe.Sizeof(alpha) == 4 {
			call(of32[n-1], depth, a, b, 0, c, alpha, beta)
		} else {
			call(of64[n-1], depth, a, b, 0, c, alpha, beta)
		}
		if rows -= n; rows > 0 {
			a, c = a.from(n, 0), c.from(n, 0)
		}
	}
}

// tilePair is tile for panelRows rows and two panels of B, the second of which begins next elements
// after the first. It returns false if there are no instructions for that, and does nothing.
func tilePair[T float](depth int, a, b matrix[T], next int, c matrix[T], alpha, beta T) bool {
	if instructions != avx512 {
		return false
	}
	if unsafe.Sizeof(alpha) == 4 {
		call(stile12x32AVX512, depth, a, b, next, c, alpha, beta)
	} else {
		call(dtile12x16AVX512, depth, a, b, next, c, alpha, beta)
	}
	return true
}

// interleaveColumns packs the first rows of a panel of B whose columns are contiguous, and returns
// their number.
func interleaveColumns[T float](to []T, b matrix[T], depth int) int {
	size, width := int(unsafe.Sizeof(T(0))), panelWidth[T]()
	lanes := width / 2
	rows := depth &^ (lanes - 1)
	if instructions == portable || rows == 0 {
		return 0
	}
	for j := 0; j < width; j += lanes {
		x, to := b.from(0, j), matrix[T]{to[j:], width, 1}
		if size == 4 {
			sinterleaveAVX2(rows, start[float32](x), size*b.column, start[float32](to))
		} else {
			dinterleaveAVX2(rows, start[float64](x), size*b.column, start[float64](to))
		}
	}
	return rows
}

// function is a generated one. Strides are in bytes.
type function[F float] func(depth int, a *F, rowA, columnA int, b *F, rowB, nextB int, c *F, rowC int, alpha, beta F)

// call calls f, whose F is T.
func call[F, T float](f function[F], depth int, a, b matrix[T], next int, c matrix[T], alpha, beta T) {
	size := int(unsafe.Sizeof(alpha))
	f(depth, start[F](a), size*a.row, size*a.column, start[F](b), size*b.row, size*next, start[F](c), size*c.row, F(alpha), F(beta))
}

// start returns the address of m's first element.
func start[F, T float](m matrix[T]) *F { return (*F)(unsafe.Pointer(&m.data[0])) }

var (
	avx2of32 = []function[float32]{stile1x16AVX2, stile2x16AVX2, stile3x16AVX2, stile4x16AVX2, stile5x16AVX2, stile6x16AVX2}
	avx2of64 = []function[float64]{dtile1x8AVX2, dtile2x8AVX2, dtile3x8AVX2, dtile4x8AVX2, dtile5x8AVX2, dtile6x8AVX2}

	avx512of32 = []function[float32]{
		stile1x16AVX512, stile2x16AVX512, stile3x16AVX512, stile4x16AVX512, stile5x16AVX512, stile6x16AVX512,
		stile7x16AVX512, stile8x16AVX512, stile9x16AVX512, stile10x16AVX512, stile11x16AVX512, stile12x16AVX512,
	}
	avx512of64 = []function[float64]{
		dtile1x8AVX512, dtile2x8AVX512, dtile3x8AVX512, dtile4x8AVX512, dtile5x8AVX512, dtile6x8AVX512,
		dtile7x8AVX512, dtile8x8AVX512, dtile9x8AVX512, dtile10x8AVX512, dtile11x8AVX512, dtile12x8AVX512,
	}
)
