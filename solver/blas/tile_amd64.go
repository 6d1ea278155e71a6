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

// instructions is what the processor and the operating system have: chosen once.
// Tests compare all.
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

// tile updates a tile of C: some rows, as many columns as a panel of B has.
func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	switch instructions {
	case avx512:
		tileVector(rows, depth, a, b, c, alpha, beta, avx512of32, avx512of64)
	case avx2:
		tileVector(rows, depth, a, b, c, alpha, beta, avx2of32, avx2of64)
	default:
		tilePortable(rows, depth, a, b, c, alpha, beta)
	}
}

// tileVector is tilePortable by functions for 1, 2, 3, … rows.
func tileVector[T float](rows, depth int, a, b, c matrix[T], alpha, beta T, of32 []function[float32], of64 []function[float64]) {
	for i := 0; i < rows; {
		n := min(len(of32), rows-i)
		if unsafe.Sizeof(alpha) == 4 {
			call(of32[n-1], depth, a.from(i, 0), b, c.from(i, 0), alpha, beta)
		} else {
			call(of64[n-1], depth, a.from(i, 0), b, c.from(i, 0), alpha, beta)
		}
		i += n
	}
}

// function is one of the generated ones. Strides are in bytes.
type function[F float] func(depth int, a *F, rowA, columnA int, b *F, rowB int, c *F, rowC int, alpha, beta F)

// call calls f, whose F is T.
func call[F, T float](f function[F], depth int, a, b, c matrix[T], alpha, beta T) {
	size := int(unsafe.Sizeof(alpha))
	f(depth, start[F](a), size*a.row, size*a.column, start[F](b), size*b.row, start[F](c), size*c.row, F(alpha), F(beta))
}

// start is where m begins.
func start[F, T float](m matrix[T]) *F { return (*F)(unsafe.Pointer(&m.data[0])) }

var (
	avx2of32 = []function[float32]{tile1x16AVX2, tile2x16AVX2, tile3x16AVX2, tile4x16AVX2, tile5x16AVX2, tile6x16AVX2}
	avx2of64 = []function[float64]{tile1x8AVX2, tile2x8AVX2, tile3x8AVX2, tile4x8AVX2, tile5x8AVX2, tile6x8AVX2}

	avx512of32 = []function[float32]{
		tile1x16AVX512, tile2x16AVX512, tile3x16AVX512, tile4x16AVX512, tile5x16AVX512, tile6x16AVX512,
		tile7x16AVX512, tile8x16AVX512, tile9x16AVX512, tile10x16AVX512, tile11x16AVX512, tile12x16AVX512,
	}
	avx512of64 = []function[float64]{
		tile1x8AVX512, tile2x8AVX512, tile3x8AVX512, tile4x8AVX512, tile5x8AVX512, tile6x8AVX512,
		tile7x8AVX512, tile8x8AVX512, tile9x8AVX512, tile10x8AVX512, tile11x8AVX512, tile12x8AVX512,
	}
)
