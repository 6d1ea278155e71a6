package kernel

// copies holds some elements of the five arrays of a parameter, for an update
// that is only tried.
type copies[T Float] [5][64]T

// take copies elements from index i on, and returns how many.
func (x *copies[T]) take(i int, arrays ...[]T) (n int) {
	for k, a := range arrays {
		n = copy(x[k][:], a[i:])
	}
	return n
}

// firstNonFinite returns the first index, below n, at which an array has a
// number that is not finite, or -1.
func (x *copies[T]) firstNonFinite(n int) int {
	for i := range n {
		for k := range x {
			if !finite(x[k][i]) {
				return i
			}
		}
	}
	return -1
}
