package blas

import (
	"runtime"
	"unsafe"

	"gonum.org/v1/gonum/blas"
)

// matrix is a view of elements: that of row i and column j is data[i*row+j*column].
type matrix[T float] struct {
	data        []T
	row, column int
}

// rowMajor is a matrix as BLAS has it, after it has been transposed as t says.
func rowMajor[T float](data []T, stride int, t blas.Transpose) matrix[T] {
	if t == blas.NoTrans {
		return matrix[T]{data, stride, 1}
	}
	return matrix[T]{data, 1, stride}
}

// from is the part of m that begins at row i and column j.
func (m matrix[T]) from(i, j int) matrix[T] {
	return matrix[T]{m.data[i*m.row+j*m.column:], m.row, m.column}
}

// product is C = βC + αAB, where A is m×k and B is k×n. The rows of C are contiguous.
type product[T float] struct {
	m, n, k     int
	alpha, beta T
	a, b, c     matrix[T]
}

// What the processor's caches ask for. The result depends on none of it.
const (
	panelBytes  = 64 // of a row of a panel of B: a cache line
	panelRows   = 12 // of a panel of A
	blockPanels = 32 // of B, packed at a time: 512 KB, for the second cache
)

// panelWidth is how many columns a panel of B has.
func panelWidth[T float]() int { return panelBytes / int(unsafe.Sizeof(T(0))) }

// parallelThreshold is the number of multiplications below which one core is as
// fast as two (measured).
const parallelThreshold = 1 << 18

// multiply computes a product, block by block of B.
func (w *workspace[T]) multiply(p product[T]) {
	if p.m == 0 || p.n == 0 {
		return
	}
	if p.k == 0 || p.alpha == 0 {
		p.scale()
		return
	}
	workers := 1
	if p.m*p.n*p.k >= parallelThreshold {
		workers = runtime.GOMAXPROCS(0)
	}
	defer w.block.clear()
	columns := blockPanels * panelWidth[T]()
	for j := 0; j < p.n; j += columns {
		part := p
		part.n = min(columns, p.n-j)
		for k := 0; k < p.k; k += blockDepth {
			part.k = min(blockDepth, p.k-k)
			part.a, part.b, part.c = p.a.from(0, k), p.b.from(k, j), p.c.from(0, j)
			w.block.set(part, workers)
			w.team.do(w.block.packPieces, workers, w.packB)
			w.team.do(w.block.pieces(), workers, w.update)
			part.beta = 1
		}
	}
}

// scale is C = βC.
func (p *product[T]) scale() {
	if p.beta == 1 {
		return
	}
	for i := range p.m {
		row := p.c.data[i*p.c.row:][:p.n]
		if p.beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= p.beta
		}
	}
}
