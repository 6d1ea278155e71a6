package blas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is a BLAS for gorgonia.Use. Its methods may be called
// concurrently.
//
// Products of float32 and float64 are computed as the package comment says;
// everything else is gonum's.
type Implementation struct{ gonum.Implementation }

var (
	_ blas.Float32 = Implementation{}
	_ blas.Float64 = Implementation{}
)

// What products of a precision use again.
var (
	scratches32  = pool[scratch[float32]]{make: func() *scratch[float32] { return new(scratch[float32]) }}
	scratches64  = pool[scratch[float64]]{make: func() *scratch[float64] { return new(scratch[float64]) }}
	workspaces32 = pool[workspace[float32]]{make: func() *workspace[float32] { return newWorkspace(&scratches32) }}
	workspaces64 = pool[workspace[float64]]{make: func() *workspace[float64] { return newWorkspace(&scratches64) }}
)

// Sgemm is C = αAB + βC, where A and B are transposed where tA and tB say so.
func (i Implementation) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	i.Implementation.Sgemm(tA, tB, m, n, k, 0, a, lda, b, ldb, 1, c, ldc) // checks the arguments, and no more
	gemm(&workspaces32, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemm is Sgemm in float64.
func (i Implementation) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	i.Implementation.Dgemm(tA, tB, m, n, k, 0, a, lda, b, ldb, 1, c, ldc)
	gemm(&workspaces64, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func gemm[T float](workspaces *pool[workspace[T]], tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	w := workspaces.get()
	defer workspaces.put(w)
	w.multiply(product[T]{
		m: m, n: n, k: k, alpha: alpha, beta: beta,
		a: rowMajor(a, lda, tA != blas.NoTrans), b: rowMajor(b, ldb, tB != blas.NoTrans), c: rowMajor(c, ldc, false),
	})
}
