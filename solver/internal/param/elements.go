package param

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Elements is the memory of a value or a gradient, seen as a list in row-major order. Dimensions of
// size 1 are left out, because Gorgonia adds and drops them freely.
type Elements[T kernel.Float] struct {
	memory         []T // the tensor's own, from its first element on
	shape, strides []int
	dense          bool // memory is the list: row-major, without gaps, not shared
	packed         []T  // the list, if not dense
}

// Bind finds v's memory.
func (l *Elements[T]) Bind(v gorgonia.Value) error {
	if err := CheckSupported(v); err != nil {
		return err
	}
	var ok bool
	if l.memory, ok = memory[T](v); !ok {
		return fmt.Errorf("%w: it is of dtype %v, which the parameter's state or value is not", ErrMismatch, v.Dtype())
	}
	var strides []int
	if d, ok := v.(*tensor.Dense); ok {
		strides = d.Strides()
	}
	return l.setLayout(v.Shape(), strides)
}

// Share makes the list a copy, because another parameter's list has the same memory.
func (l *Elements[T]) Share() {
	if !l.dense {
		return
	}
	l.dense = false
	if size := len(l.memory); len(l.packed) != size {
		l.packed = make([]T, size)
	}
}

// Release drops the reference to the memory, so that it can be collected.
func (l *Elements[T]) Release() { l.memory = nil }

// memory returns a value's memory, if its elements are of type T.
func memory[T kernel.Float](v gorgonia.Value) ([]T, bool) {
	single := unsafe.Sizeof(T(0)) == 4
	switch v := v.(type) {
	case *gorgonia.F32:
		return as[T](unsafe.Slice((*float32)(v), 1)), single
	case *gorgonia.F64:
		return as[T](unsafe.Slice((*float64)(v), 1)), !single
	case *tensor.Dense:
		switch {
		case single && v.Dtype() == tensor.Float32:
			return as[T](v.Float32s()), true
		case !single && v.Dtype() == tensor.Float64:
			return as[T](v.Float64s()), true
		}
	}
	return nil, false
}

// as converts x, whose elements are of type T.
func as[T, F kernel.Float](x []F) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// address returns the address of a value's first element, nil if it has none.
func address(v gorgonia.Value) *byte {
	if slices.Contains(v.Shape(), 0) {
		return nil
	}
	if x, ok := memory[float32](v); ok {
		return (*byte)(unsafe.Pointer(unsafe.SliceData(x)))
	}
	x, _ := memory[float64](v)
	return (*byte)(unsafe.Pointer(unsafe.SliceData(x)))
}

// setLayout sets shape and strides, without dimensions of size 1. The tensor package sometimes
// drops the strides of such dimensions; the rest must have one stride each.
func (l *Elements[T]) setLayout(shape, strides []int) error {
	l.shape, l.strides = l.shape[:0], l.strides[:0]
	for i, size := range shape {
		if size == 1 {
			continue
		}
		l.shape = append(l.shape, size)
		if len(strides) == len(shape) {
			l.strides = append(l.strides, strides[i])
		}
	}
	if len(l.strides) != len(l.shape) { // a vector or a scalar in column-major order
		l.strides = append(l.strides[:0], strides[:min(len(strides), len(l.shape))]...)
	}
	if len(l.strides) != len(l.shape) || !l.within() {
		return fmt.Errorf("%w: a tensor of shape %v with strides %v over %d elements", ErrUnsupported, shape, strides, len(l.memory))
	}
	l.dense = true
	size := 1
	for i := len(l.shape) - 1; i >= 0; i-- {
		l.dense = l.dense && l.strides[i] == size
		size *= l.shape[i]
	}
	if l.dense {
		l.memory = l.memory[:size]
	} else if len(l.packed) != size {
		l.packed = make([]T, size)
	}
	return nil
}

// within reports whether every element is inside memory. It refuses strides below 1, with which
// elements could coincide.
func (l *Elements[T]) within() bool {
	if slices.Contains(l.shape, 0) {
		return true
	}
	last := 0
	for i, size := range l.shape {
		if l.strides[i] < 1 {
			return false
		}
		last += (size - 1) * l.strides[i]
	}
	return last < len(l.memory)
}

// SameShape compares two shapes, ignoring dimensions of size 1.
func (l *Elements[T]) SameShape(m *Elements[T]) bool { return slices.Equal(l.shape, m.shape) }

// Extent is the memory range of the elements. If they are not dense, it is that of the first alone,
// since views may interleave.
func (l *Elements[T]) Extent() Extent {
	n := len(l.memory)
	if !l.dense {
		n = min(n, 1)
	}
	from := uintptr(unsafe.Pointer(unsafe.SliceData(l.memory)))
	return Extent{from: from, to: from + uintptr(n)*unsafe.Sizeof(T(0))}
}

// List returns all elements in row-major order.
func (l *Elements[T]) List() []T {
	if l.dense {
		return l.memory
	}
	transfer(l.packed, l.memory, l.shape, l.strides, false)
	return l.packed
}

// Store writes the list back to where its elements belong.
func (l *Elements[T]) Store() {
	if !l.dense {
		transfer(l.packed, l.memory, l.shape, l.strides, true)
	}
}

// transfer copies between a list and strided memory, and returns the rest of the list.
func transfer[T kernel.Float](list, memory []T, shape, strides []int, toMemory bool) []T {
	if len(shape) > 1 {
		for i := range shape[0] {
			list = transfer(list, memory[i*strides[0]:], shape[1:], strides[1:], toMemory)
		}
		return list
	}
	size, stride := 1, 1
	if len(shape) == 1 {
		size, stride = shape[0], strides[0]
	}
	for i := range size {
		if toMemory {
			memory[i*stride] = list[i]
		} else {
			list[i] = memory[i*stride]
		}
	}
	return list[size:]
}

// Coordinates returns the tensor indices of the i-th element in row-major order.
func Coordinates(i int, shape tensor.Shape) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}

// Number is the inverse of Coordinates.
func Number(at []int, shape tensor.Shape) (i int) {
	for d, k := range at {
		i = i*shape[d] + k
	}
	return i
}
