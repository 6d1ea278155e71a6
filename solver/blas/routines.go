package blas

import "gonum.org/v1/gonum/blas"

// This file expresses BLAS's routines as matrix products.

func gemm[T float](workspaces *pool[workspace[T]], tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if n == 1 {
		// A panel would use one of its columns; as a row, the result uses all.
		rows, columns, incB := m, k, ldb
		if tA != blas.NoTrans {
			rows, columns = k, m
		}
		if tB != blas.NoTrans {
			incB = 1
		}
		if m > 0 && k > 0 {
			gemv(workspaces, tA, rows, columns, alpha, a, lda, b, incB, beta, c, ldc)
			return
		}
	}
	w := workspaces.get()
	defer workspaces.put(w)
	w.multiply(product[T]{m, n, k, alpha, beta, rowMajor(a, lda, tA), rowMajor(b, ldb, tB), rowMajor(c, ldc, blas.NoTrans)})
}

// gemv is yᵀ = βyᵀ + αxᵀAᵀ, whose rows are contiguous.
func gemv[T float](workspaces *pool[workspace[T]], tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int) {
	if m == 0 || n == 0 {
		return // as in gonum, whatever β is
	}
	w := workspaces.get()
	defer workspaces.put(w)
	transposed := blas.Trans
	if tA != blas.NoTrans {
		transposed = blas.NoTrans
		m, n = n, m
	}
	row := w.result.gather(m, y, incY)
	w.multiply(product[T]{1, m, n, alpha, beta, vector(w.x.gather(n, x, incX)), rowMajor(a, lda, transposed), vector(row)})
	scatter(row, y, incY)
}

func ger[T float](workspaces *pool[workspace[T]], m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int) {
	if m == 0 || n == 0 {
		return
	}
	w := workspaces.get()
	defer workspaces.put(w)
	column := matrix[T]{w.x.gather(m, x, incX), 1, 1}
	w.multiply(product[T]{m, n, 1, alpha, 1, column, vector(w.y.gather(n, y, incY)), rowMajor(a, lda, blas.NoTrans)})
}

// axpy is y = y + αx, with product and sum rounded.
func axpy[T float](n int, alpha T, x []T, incX int, y []T, incY int) {
	if alpha == 0 {
		return
	}
	i, j := max(0, (1-n)*incX), max(0, (1-n)*incY)
	for range n {
		y[j] += T(alpha * x[i])
		i, j = i+incX, j+incY
	}
}

func dot[T float](workspaces *pool[workspace[T]], n int, x []T, incX int, y []T, incY int) (c T) {
	w := workspaces.get()
	defer workspaces.put(w)
	x, y = w.x.gather(n, x, incX), w.y.gather(n, y, incY)
	for ; n >= 4*blockDepth; n -= 4 * blockDepth {
		s0, s1, s2, s3 := blockSums(x[:4*blockDepth], y[:4*blockDepth])
		c = c + s0 + s1 + s2 + s3
		x, y = x[4*blockDepth:], y[4*blockDepth:]
	}
	for ; n > 0; n -= blockDepth {
		c += sum(min(n, blockDepth), x, 1, y, 1)
		x, y = x[min(n, blockDepth):], y[min(n, blockDepth):]
	}
	return c
}

// blockSums is sum for four blocks, which the processor computes at once.
func blockSums[T float](x, y []T) (s0, s1, s2, s3 T) {
	x0, x1, x2, x3 := quarters(x)
	y0, y1, y2, y3 := quarters(y)
	for k := range x0 {
		s0 += T(x0[k] * y0[k])
		s1 += T(x1[k] * y1[k])
		s2 += T(x2[k] * y2[k])
		s3 += T(x3[k] * y3[k])
	}
	return s0, s1, s2, s3
}

func quarters[T float](x []T) (x0, x1, x2, x3 *[blockDepth]T) {
	return (*[blockDepth]T)(x), (*[blockDepth]T)(x[blockDepth:]), (*[blockDepth]T)(x[2*blockDepth:]), (*[blockDepth]T)(x[3*blockDepth:])
}

// vector returns x as a row.
func vector[T float](x []T) matrix[T] { return matrix[T]{x, len(x), 1} }

// buffer holds a vector's elements if the caller's are not contiguous.
type buffer[T float] struct{ elements []T }

// gather returns n elements of x, inc apart, in reverse order if inc is negative.
func (b *buffer[T]) gather(n int, x []T, inc int) []T {
	if inc == 1 {
		return x[:n]
	}
	if len(b.elements) < n {
		b.elements = make([]T, n)
	}
	first := max(0, (1-n)*inc)
	for i := range n {
		b.elements[i] = x[first+i*inc]
	}
	return b.elements[:n]
}

// scatter is the inverse of gather.
func scatter[T float](from, x []T, inc int) {
	if inc == 1 {
		return
	}
	first := max(0, (1-len(from))*inc)
	for i, e := range from {
		x[first+i*inc] = e
	}
}
