//go:build !amd64 || purego

package blas

// tile updates a tile of C: some rows, as many columns as a panel of B has.
func tile[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	tilePortable(rows, depth, a, b, c, alpha, beta)
}

// interleaveColumns writes the first rows of a panel of B whose columns are
// contiguous, and returns how many.
func interleaveColumns[T float](to []T, b matrix[T], depth int) int { return 0 }

// tilePair is tile for two panels of B. It says whether it has done it.
func tilePair[T float](depth int, a, b matrix[T], next int, c matrix[T], alpha, beta T) bool {
	return false
}
