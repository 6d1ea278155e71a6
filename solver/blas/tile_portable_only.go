//go:build !amd64 || purego

package blas

func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	tilePortable(rows, depth, a, b, c, alpha, beta)
}
