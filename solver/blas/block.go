package blas

import "unsafe"

// block is a product with at most blockDepth k and blockPanels panels of B, cut
// into pieces, each some rows by some panels of C. It goes through the panels of
// A and B as the caches like it: a panel of B stays in the first while those of
// A, from the second, meet it.
type block[T float] struct {
	product[T]
	packsA, packsB bool
	packed         []T // panels of B, one after the other
	packPieces     int
	rows, panels   int // of a piece
}

const (
	piecesPerWorker = 8             // the more, the more evenly the work is split
	maxPieceRows    = 8 * panelRows // what is packed of A at a time
	packPanels      = 4             // panels of B in a piece of packing
)

func (b *block[T]) set(p product[T], workers int) {
	b.product = p
	width := panelWidth[T]()
	panels := ceil(p.n, width)
	// Packing pays for what is read more than once or twice.
	b.packsB = p.b.column != 1 || p.m > panelRows
	b.packsA = panels > 2 && (p.a.column != 1 || conflicting(p.a))
	switch {
	case b.packsB:
		b.packPieces = ceil(panels, packPanels)
	case p.n%width > 0:
		b.packPieces = 1
	default:
		b.packPieces = 0
	}
	if n := panels * p.k * width; len(b.packed) < n {
		b.packed = make([]T, n)
	}
	b.rows, b.panels = maxPieceRows, panels
	if workers > 1 {
		wanted := workers * piecesPerWorker
		b.rows = panelRows * min(max(1, p.m/panelRows/wanted), maxPieceRows/panelRows)
		b.panels = ceil(panels, ceil(wanted, ceil(p.m, b.rows)))
	}
}

// clear lets go of the operands.
func (b *block[T]) clear() { b.product = product[T]{} }

// conflicting is whether the rows of a fall into the same few places of the first
// cache, as they do a multiple of 2 KB apart.
func conflicting[T float](a matrix[T]) bool { return a.row*int(unsafe.Sizeof(T(0)))%2048 == 0 }

func ceil(x, y int) int { return (x + y - 1) / y }

func (b *block[T]) pieces() int {
	return ceil(b.m, b.rows) * ceil(ceil(b.n, panelWidth[T]()), b.panels)
}

// packB packs the panels of a piece of packing.
func (b *block[T]) packB(piece int) {
	width := panelWidth[T]()
	panels := ceil(b.n, width)
	first, last := piece*packPanels, min((piece+1)*packPanels, panels)
	if !b.packsB { // only the last one, which is not as wide as the others
		first, last = panels-1, panels
	}
	for p := first; p < last; p++ {
		packColumns(b.packed[p*b.k*width:], b.b.from(0, p*width), b.k, min(width, b.n-p*width))
	}
}

// update does a piece of C.
func (b *block[T]) update(piece int, s *scratch[T]) {
	width := panelWidth[T]()
	ofRows := ceil(b.m, b.rows)
	top, left := piece%ofRows*b.rows, piece/ofRows*b.panels*width
	rows, columns := min(b.rows, b.m-top), min(b.panels*width, b.n-left)
	a, step := b.a.from(top, 0), panelRows*b.a.row
	if b.packsA {
		for i := 0; i < rows; i += panelRows {
			packRows(s.a[i*b.k:], a.from(i, 0), min(panelRows, rows-i), b.k)
		}
		a, step = matrix[T]{s.a[:], 1, panelRows}, panelRows*b.k
	}
	for j := left; j < left+columns; j += width {
		n := min(width, b.n-j)
		panel := matrix[T]{nil, width, 1}
		if b.packsB || n < width {
			panel.data = b.packed[j*b.k:]
		} else {
			panel = b.b.from(0, j)
		}
		for i := 0; i < rows; i += panelRows {
			m := min(panelRows, rows-i)
			from := matrix[T]{a.data[i/panelRows*step:], a.row, a.column}
			c := b.c.from(top+i, j)
			if n == width {
				tile(m, b.k, from, panel, c, b.alpha, b.beta)
			} else {
				b.edge(m, n, from, panel, c, s)
			}
		}
	}
}

// edge does a tile of m rows and n columns, fewer than a panel has.
func (b *block[T]) edge(m, n int, from, panel, c matrix[T], s *scratch[T]) {
	width := panelWidth[T]()
	whole := matrix[T]{s.c[:], width, 1}
	if b.beta != 0 {
		for i := range m {
			copy(whole.data[i*width:][:n], c.data[i*c.row:][:n])
		}
	}
	tile(m, b.k, from, panel, whole, b.alpha, b.beta)
	for i := range m {
		copy(c.data[i*c.row:][:n], whole.data[i*width:][:n])
	}
}
