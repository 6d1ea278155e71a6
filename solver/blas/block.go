package blas

import "unsafe"

// scratch is one core's memory for a product.
type scratch[T float] struct {
	a []T // packed panels
	b []T
	c [panelRows * panelBytes / 4]T // a tile
}

// How much is packed at a time: as much as the second cache holds.
const (
	blockRows   = 8 * panelRows // of A
	blockPanels = 32            // of B: 512 KB
)

// multiply computes a product, block by block of B and, within one, block by block of A.
func (s *scratch[T]) multiply(p product[T]) {
	columns := blockPanels * panelWidth[T]()
	for j := 0; j < p.n; j += columns {
		part := p.part(0, j, p.m, columns)
		for k := 0; k < p.k; k += blockDepth {
			part.k = min(blockDepth, p.k-k)
			part.a, part.b = p.a.from(0, k), p.b.from(k, j)
			s.block(&part)
			part.beta = 1
		}
	}
}

// block computes a product with one block of B.
func (s *scratch[T]) block(p *product[T]) {
	width := panelWidth[T]()
	// Packing pays if elements are read more than once or twice.
	packsB := p.b.column != 1 || p.m > panelRows
	packsA := p.n > 2*width && (p.a.column != 1 || conflicting(p.a))
	s.b = atLeast(s.b, roundUp(p.n, width)*p.k)
	for j := 0; j < p.n; j += width {
		if n := min(width, p.n-j); packsB || n < width {
			packColumns(s.b[j*p.k:], p.b.from(0, j), p.k, n)
		}
	}
	for top := 0; top < p.m; top += blockRows {
		rows := min(blockRows, p.m-top)
		a, panel := p.a.from(top, 0), panelRows*p.a.row
		if packsA {
			s.a = atLeast(s.a, blockRows*p.k)
			for i := 0; i < rows; i += panelRows {
				packRows(s.a[i*p.k:], a.from(i, 0), min(panelRows, rows-i), p.k)
			}
			a, panel = matrix[T]{s.a, 1, panelRows}, panelRows*p.k
		}
		for j := 0; j < p.n; {
			b, next := p.b.from(0, j), width
			if packsB || j+width > p.n {
				b, next = matrix[T]{s.b[j*p.k:], width, 1}, width*p.k
			}
			columns := min(width, p.n-j)
			if j+2*width <= p.n {
				columns = 2 * width
			}
			for i := 0; i < rows; i += panelRows {
				a := matrix[T]{a.data[i/panelRows*panel:], a.row, a.column}
				s.tile(min(panelRows, rows-i), columns, p, a, b, next, p.c.from(top+i, j))
			}
			j += columns
		}
	}
}

// conflicting reports whether the rows of a map to the same few lines of the first cache, as rows a
// multiple of 2 KB apart do.
func conflicting[T float](a matrix[T]) bool { return a.row*int(unsafe.Sizeof(T(0)))%2048 == 0 }

// atLeast returns x, or a new slice if x is shorter than n.
func atLeast[T float](x []T, n int) []T {
	if len(x) < n {
		return make([]T, n)
	}
	return x
}

// tile updates m rows and n columns of C. n is the width of two panels of B, the second of which
// begins next elements after the first, or of one, or less.
func (s *scratch[T]) tile(m, n int, p *product[T], a, b matrix[T], next int, c matrix[T]) {
	width := panelWidth[T]()
	switch {
	case n == 2*width:
		if m < panelRows || !tilePair(p.k, a, b, next, c, p.alpha, p.beta) {
			tile(m, p.k, a, b, c, p.alpha, p.beta)
			tile(m, p.k, a, b.from(0, next), c.from(0, width), p.alpha, p.beta)
		}
	case n == width:
		tile(m, p.k, a, b, c, p.alpha, p.beta)
	default:
		whole := matrix[T]{s.c[:], width, 1}
		if p.beta != 0 {
			copyRows(whole, c, m, n)
		}
		tile(m, p.k, a, b, whole, p.alpha, p.beta)
		copyRows(c, whole, m, n)
	}
}

func copyRows[T float](to, from matrix[T], m, n int) {
	for i := range m {
		copy(to.data[i*to.row:][:n], from.data[i*from.row:])
	}
}
