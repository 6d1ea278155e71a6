package blas

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"gonum.org/v1/gonum/blas"
)

// matrix is a view of elements: row i, column j is data[i*row+j*column].
type matrix[T float] struct {
	data        []T
	row, column int
}

// rowMajor returns a BLAS matrix after t has been applied.
func rowMajor[T float](data []T, stride int, t blas.Transpose) matrix[T] {
	if t == blas.NoTrans {
		return matrix[T]{data, stride, 1}
	}
	return matrix[T]{data, 1, stride}
}

// from returns the part of m from row i and column j on.
func (m matrix[T]) from(i, j int) matrix[T] {
	return matrix[T]{m.data[i*m.row+j*m.column:], m.row, m.column}
}

// product is C = βC + αAB, where A is m×k and B is k×n. The rows of C are contiguous.
type product[T float] struct {
	m, n, k     int
	alpha, beta T
	a, b, c     matrix[T]
}

// part returns the product for some rows and columns of C.
func (p product[T]) part(top, left, rows, columns int) product[T] {
	p.m, p.n = min(rows, p.m-top), min(columns, p.n-left)
	p.a, p.b, p.c = p.a.from(top, 0), p.b.from(0, left), p.c.from(top, left)
	return p
}

// scale computes C = βC.
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

// A panel is the part of a matrix that a tile of C needs. The result does not depend on its size.
const (
	panelBytes = 64 // of a row of a panel of B: a cache line
	panelRows  = 12 // of a panel of A
)

// panelWidth is the number of columns of a panel of B.
func panelWidth[T float]() int { return panelBytes / int(unsafe.Sizeof(T(0))) }

const (
	// parallelThreshold is the number of multiplications below which one core is
	// as fast as two (measured).
	parallelThreshold = 1 << 19
	// readCost is the time to read and pack an element, and borderCost the wait, for each k, for a
	// cache line that another core also writes, both in multiplications (measured).
	readCost, borderCost = 20, 16
	// rowsTogether is the number of rows of C that a core computes at once at full speed.
	rowsTogether = 4
)

// split returns the number of rows and columns of C for each core that minimize the time of the
// slowest. Each core reads and packs all it needs itself, which is faster than passing packed
// panels between cores.
func (p *product[T]) split(workers int) (rows, columns int) {
	rows, columns = p.m, p.n
	least := p.m*p.n + readCost*(p.m+p.n)
	for across := 1; across <= workers; across++ {
		r := roundUp(ceil(p.m, workers/across), rowsTogether)
		c := roundUp(ceil(p.n, across), panelWidth[T]())
		cost := r*c + readCost*(r+c)
		if across > 1 && !p.c.aligned() {
			cost += borderCost * r
		}
		if cost < least {
			least, rows, columns = cost, r, c
		}
	}
	return rows, columns
}

// aligned reports whether every row begins at a cache line.
func (m matrix[T]) aligned() bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))%panelBytes == 0 && m.row%panelWidth[T]() == 0
}

func ceil(x, y int) int    { return (x + y - 1) / y }
func roundUp(x, y int) int { return ceil(x, y) * y }

// active is the number of large products in progress, which share the cores.
var active atomic.Int64

// multiply computes a product.
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
		workers = max(1, runtime.GOMAXPROCS(0)/int(active.Add(1)))
		defer active.Add(-1)
	}
	w.whole = p
	w.rows, w.columns = p.split(workers)
	w.team.Do(ceil(p.m, w.rows)*ceil(p.n, w.columns), workers, w.work)
	w.whole = product[T]{} // drops the references to the operands
}

// piece computes one core's part of the whole.
func (w *workspace[T]) piece(i int) {
	s := w.scratches.get()
	defer w.scratches.put(s)
	down := ceil(w.whole.m, w.rows)
	s.multiply(w.whole.part(i%down*w.rows, i/down*w.columns, w.rows, w.columns))
}
