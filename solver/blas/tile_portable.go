package blas

// tilePortable updates a tile of C: rows of it, one panel wide. Two rows by four
// columns at a time have their sums in registers.
func tilePortable[T float](rows, depth int, a, b, c matrix[T], alpha, beta T) {
	width := panelWidth[T]()
	i := 0
	for ; i+2 <= rows; i += 2 {
		for j := 0; j < width; j += 4 {
			twoByFour(depth, a.from(i, 0), b.from(0, j), c.from(i, j), alpha, beta)
		}
	}
	for ; i < rows; i++ {
		for j := range width {
			s := sum(depth, a.data[i*a.row:], a.column, b.data[j:], b.row)
			e := &c.data[i*c.row+j]
			*e = update(alpha, s, beta, *e)
		}
	}
}

func twoByFour[T float](depth int, a, b, c matrix[T], alpha, beta T) {
	var s00, s01, s02, s03, s10, s11, s12, s13 T
	x, y := a.data, a.data[a.row:]
	z := b.data
	stepA, stepB := uint(a.column), uint(b.row)
	for range depth {
		x0, x1 := x[0], y[0]
		four := z[:4]
		b0, b1, b2, b3 := four[0], four[1], four[2], four[3]
		s00 += T(x0 * b0)
		s01 += T(x0 * b1)
		s02 += T(x0 * b2)
		s03 += T(x0 * b3)
		s10 += T(x1 * b0)
		s11 += T(x1 * b1)
		s12 += T(x1 * b2)
		s13 += T(x1 * b3)
		x, y, z = after(x, stepA), after(y, stepA), after(z, stepB)
	}
	for i, s := range [2][4]T{{s00, s01, s02, s03}, {s10, s11, s12, s13}} {
		for j := range s {
			e := &c.data[i*c.row+j]
			*e = update(alpha, s[j], beta, *e)
		}
	}
}

// after is x without its first n elements, or nothing.
func after[T float](x []T, n uint) []T { return x[min(n, uint(len(x))):] }
