package blas

// This file defines every result by sum and update, as the package comment describes. (The
// conversions round every product. Without them Go may fuse a product with the sum it is part of,
// and does on some processors.)

type float interface{ float32 | float64 }

// blockDepth is the number of k in a block.
const blockDepth = 256

// sum is s after a block of depth elements of a and b, which are stepA and stepB apart.
func sum[T float](depth int, a []T, stepA int, b []T, stepB int) (s T) {
	for k := range depth {
		s += T(a[k*stepA] * b[k*stepB])
	}
	return s
}

// update is c after a block whose sum is s. Blocks other than the first have β = 1.
func update[T float](alpha, s, beta, c T) T {
	if beta == 0 {
		return 0 + T(alpha*s) // 0, never −0
	}
	return T(beta*c) + T(alpha*s)
}

// sums is sum for four adjacent columns of B. Go keeps all of it in registers, and the processor
// computes the four at once.
func sums[T float](depth int, a []T, stepA int, b []T, stepB int) (s0, s1, s2, s3 T) {
	i, j := 0, 0
	for range depth {
		x := a[i]
		y := b[j : j+4]
		s0 += T(x * y[0])
		s1 += T(x * y[1])
		s2 += T(x * y[2])
		s3 += T(x * y[3])
		i += stepA
		j += stepB
	}
	return s0, s1, s2, s3
}

// tilePortable updates a tile of C, with the given rows and as many columns as a panel of B.
func tilePortable[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	width := panelWidth[T]()
	for i := range rows {
		for j := 0; j < width; j += 4 {
			s0, s1, s2, s3 := sums(depth, a.data[i*a.row:], a.column, b.data[j:], b.row)
			c := c.data[i*c.row+j:][:4]
			c[0] = update(alpha, s0, beta, c[0])
			c[1] = update(alpha, s1, beta, c[1])
			c[2] = update(alpha, s2, beta, c[2])
			c[3] = update(alpha, s3, beta, c[3])
		}
	}
}
