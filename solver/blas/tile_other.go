//go:build !amd64 || purego

package blas

// tile updates a tile of C: some rows, as many columns as a panel of B has.
func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	tilePortable(rows, depth, a, b, c, alpha, beta)
}
