package blas

import "unsafe"

// Packing copies a panel into the order in which a tile reads it, so that it occupies few cache
// lines and pages.

// packColumns writes depth rows and n columns of a panel of B. Columns missing from a whole panel
// become 0.
func packColumns[T float](to []T, b matrix[T], depth, n int) {
	width := panelWidth[T]()
	to = to[:depth*width]
	switch {
	case n < width:
		clear(to)
		for j := range n {
			for k := range depth {
				to[k*width+j] = b.data[k*b.row+j*b.column]
			}
		}
	case b.column == 1:
		for k := range depth {
			line := (*[panelBytes]byte)(unsafe.Pointer(unsafe.SliceData(b.data[k*b.row:][:width])))
			*(*[panelBytes]byte)(unsafe.Pointer(unsafe.SliceData(to[k*width:][:width]))) = *line
		}
	default: // b.row is 1
		done := interleaveColumns(to, b, depth)
		for j := 0; j < width && done < depth; j += 4 {
			interleave(to[done*width+j:], width, b.from(done, j), depth-done)
		}
	}
}

// packRows writes m rows and depth columns of a panel of A. Rows missing from a whole panel are
// left unchanged; no tile reads them.
func packRows[T float](to []T, a matrix[T], m, depth int) {
	to = to[:depth*panelRows]
	switch {
	case m < panelRows:
		for i := range m {
			for k := range depth {
				to[k*panelRows+i] = a.data[i*a.row+k*a.column]
			}
		}
	case a.row == 1:
		for k := range depth {
			*(*[panelRows]T)(to[k*panelRows:]) = *(*[panelRows]T)(a.data[k*a.column:])
		}
	default: // a.column is 1
		for i := 0; i < panelRows; i += 4 {
			interleave(to[i:], panelRows, matrix[T]{a.data[i*a.row:], 1, a.row}, depth)
		}
	}
}

// interleave writes the elements of the first four columns of x side by side. Each column is
// contiguous.
func interleave[T float](to []T, stride int, x matrix[T], depth int) {
	x0, x1, x2, x3 := x.data[:depth], x.data[x.column:][:depth], x.data[2*x.column:][:depth], x.data[3*x.column:][:depth]
	for k, v := range x0 {
		four := to[k*stride:][:4]
		four[0], four[1], four[2], four[3] = v, x1[k], x2[k], x3[k]
	}
}
