//go:build !amd64 || purego

package blas

// tile updates a tile of C, with the given rows and as many columns as a panel of B.
func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	tilePortable(rows, depth, a, b, c, alpha, beta)
}

// interleaveColumns packs nothing: interleave does it all.
func interleaveColumns[T float](to []T, b matrix[T], depth int) int { return 0 }

// tilePair does nothing, and returns false.
func tilePair[T float](depth int, a, b matrix[T], next int, c matrix[T], alpha, beta T) bool {
	return false
}
