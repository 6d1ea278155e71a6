package blas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is a BLAS for gorgonia.Use, and anything that takes gonum's. Its methods may be
// called concurrently.
//
// The methods below are this package's. All others are gonum's, and so are the argument checks and
// their panics. A result must not overlap an operand.
type Implementation struct{ gonum.Implementation }

var (
	_ blas.Float32 = Implementation{}
	_ blas.Float64 = Implementation{}
)

// Each method first calls gonum with α = 0 (and β = 1), which only checks the arguments.

// Sgemm computes C = αAB + βC, where C is m×n, and A and B are m×k and k×n after tA and tB have
// been applied.
func (i Implementation) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	i.Implementation.Sgemm(tA, tB, m, n, k, 0, a, lda, b, ldb, 1, c, ldc)
	gemm(&workspaces32, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemm is Sgemm in float64.
func (i Implementation) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	i.Implementation.Dgemm(tA, tB, m, n, k, 0, a, lda, b, ldb, 1, c, ldc)
	gemm(&workspaces64, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Sgemv computes y = αAx + βy, where A is m×n before tA is applied.
func (i Implementation) Sgemv(tA blas.Transpose, m, n int, alpha float32, a []float32, lda int, x []float32, incX int, beta float32, y []float32, incY int) {
	i.Implementation.Sgemv(tA, m, n, 0, a, lda, x, incX, 1, y, incY)
	gemv(&workspaces32, tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Dgemv is Sgemv in float64.
func (i Implementation) Dgemv(tA blas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	i.Implementation.Dgemv(tA, m, n, 0, a, lda, x, incX, 1, y, incY)
	gemv(&workspaces64, tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
}

// Sger computes A = A + αxyᵀ, where A is m×n: a product with one k.
func (i Implementation) Sger(m, n int, alpha float32, x []float32, incX int, y []float32, incY int, a []float32, lda int) {
	i.Implementation.Sger(m, n, 0, x, incX, y, incY, a, lda)
	ger(&workspaces32, m, n, alpha, x, incX, y, incY, a, lda)
}

// Dger is Sger in float64.
func (i Implementation) Dger(m, n int, alpha float64, x []float64, incX int, y []float64, incY int, a []float64, lda int) {
	i.Implementation.Dger(m, n, 0, x, incX, y, incY, a, lda)
	ger(&workspaces64, m, n, alpha, x, incX, y, incY, a, lda)
}

// Sdot is xᵀy: a product with one element.
func (i Implementation) Sdot(n int, x []float32, incX int, y []float32, incY int) float32 {
	i.Implementation.Saxpy(n, 0, x, incX, y, incY)
	return dot(&workspaces32, n, x, incX, y, incY)
}

// Ddot is Sdot in float64.
func (i Implementation) Ddot(n int, x []float64, incX int, y []float64, incY int) float64 {
	i.Implementation.Daxpy(n, 0, x, incX, y, incY)
	return dot(&workspaces64, n, x, incX, y, incY)
}

// Saxpy computes y = y + αx.
func (i Implementation) Saxpy(n int, alpha float32, x []float32, incX int, y []float32, incY int) {
	i.Implementation.Saxpy(n, 0, x, incX, y, incY)
	axpy(n, alpha, x, incX, y, incY)
}

// Daxpy is Saxpy in float64.
func (i Implementation) Daxpy(n int, alpha float64, x []float64, incX int, y []float64, incY int) {
	i.Implementation.Daxpy(n, 0, x, incX, y, incY)
	axpy(n, alpha, x, incX, y, incY)
}
