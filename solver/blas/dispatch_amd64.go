//go:build !purego

package blas

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// instructions is what the assembly may use: chosen once. Tests compare all.
var instructions = detect()

const (
	portable = iota
	avx2
	avx512
)

func detect() int {
	switch {
	case cpu.X86.HasAVX512F:
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	}
	return portable
}

// function is one of the generated ones. Strides are in bytes.
type function[T float] func(depth int, a *T, rowA, columnA int, b *T, rowB int, c *T, rowC int, alpha, beta T)

// Functions for 1, 2, 3, … rows.
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

func tileVector[T float](rows, depth int, a, b, c matrix[T], alpha, beta T, of32 []function[float32], of64 []function[float64]) {
	size := int(unsafe.Sizeof(T(0)))
	for i := 0; i < rows; {
		n := min(len(of32), rows-i)
		x, z := &a.data[i*a.row], &c.data[i*c.row]
		if size == 4 {
			of32[n-1](depth, (*float32)(unsafe.Pointer(x)), size*a.row, size*a.column, (*float32)(unsafe.Pointer(&b.data[0])), size*b.row, (*float32)(unsafe.Pointer(z)), size*c.row, float32(alpha), float32(beta))
		} else {
			of64[n-1](depth, (*float64)(unsafe.Pointer(x)), size*a.row, size*a.column, (*float64)(unsafe.Pointer(&b.data[0])), size*b.row, (*float64)(unsafe.Pointer(z)), size*c.row, float64(alpha), float64(beta))
		}
		i += n
	}
}
