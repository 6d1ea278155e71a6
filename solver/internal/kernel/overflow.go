package kernel

// copies holds some elements of a parameter's five arrays, on which an update is tried.
type copies[T Float] [5][64]T

// take copies elements from index i on, and returns their number.
func (x *copies[T]) take(i int, arrays ...[]T) (n int) {
	for k, a := range arrays {
		n = copy(x[k][:], a[i:])
	}
	return n
}

// firstNonFinite returns the first index below n at which an array is not finite, or -1.
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
