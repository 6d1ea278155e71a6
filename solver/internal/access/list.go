package access

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// List is the memory of a value or a gradient, seen as a list of elements
// in row-major order. Dimensions of size 1 are left out: Gorgonia adds and
// drops them as it likes.
type List[T kernel.Float] struct {
	of func(gorgonia.Value) ([]T, bool)

	memory         []T // the tensor's own, from its first element on
	shape, strides []int
	dense          bool // row-major without gaps: memory is the list
	packed         []T  // the list, where memory is not
}

// NewList is a List of what of finds in a value: Float32s or Float64s.
func NewList[T kernel.Float](of func(gorgonia.Value) ([]T, bool)) List[T] { return List[T]{of: of} }

// Bind finds v's memory.
func (l *List[T]) Bind(v gorgonia.Value) error {
	if err := CheckSupported(v); err != nil {
		return err
	}
	var ok bool
	if l.memory, ok = l.of(v); !ok {
		return fmt.Errorf("%w: it is of dtype %v, which the parameter's state or value is not", ErrMismatch, v.Dtype())
	}
	var strides []int
	if d, ok := v.(*tensor.Dense); ok {
		strides = d.Strides()
	}
	return l.setLayout(v.Shape(), strides)
}

// CheckSupported refuses what has no elements that Go can reach.
func CheckSupported(v gorgonia.Value) error {
	switch v := v.(type) {
	case *gorgonia.F32, *gorgonia.F64:
		return nil
	case *tensor.Dense:
		switch {
		case v.Dtype() != tensor.Float32 && v.Dtype() != tensor.Float64:
			return fmt.Errorf("%w: a tensor of %v; use float32 or float64", ErrUnsupported, v.Dtype())
		case !v.IsNativelyAccessible():
			return fmt.Errorf("%w: its memory is not the CPU's; copy it to the CPU first", ErrUnsupported)
		case len(v.Mask()) > 0:
			return fmt.Errorf("%w: a masked tensor; take the mask off", ErrUnsupported)
		}
		return nil
	}
	return fmt.Errorf("%w: %T; use *tensor.Dense, *gorgonia.F32 or *gorgonia.F64", ErrUnsupported, v)
}

// Float32s is the memory of a value of float32.
func Float32s(v gorgonia.Value) ([]float32, bool) {
	switch v := v.(type) {
	case *gorgonia.F32:
		return unsafe.Slice((*float32)(v), 1), true
	case *tensor.Dense:
		if v.Dtype() == tensor.Float32 {
			return v.Float32s(), true
		}
	}
	return nil, false
}

// Float64s is the memory of a value of float64.
func Float64s(v gorgonia.Value) ([]float64, bool) {
	switch v := v.(type) {
	case *gorgonia.F64:
		return unsafe.Slice((*float64)(v), 1), true
	case *tensor.Dense:
		if v.Dtype() == tensor.Float64 {
			return v.Float64s(), true
		}
	}
	return nil, false
}

// setLayout takes over shape and strides, less the dimensions of size 1. The
// tensor package itself drops strides of such dimensions now and then; what
// remains must still be one stride a dimension.
func (l *List[T]) setLayout(shape, strides []int) error {
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

// within says whether every element is inside memory. A stride below 1 would
// make several elements one.
func (l *List[T]) within() bool {
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

// Holds says whether v is of the list's dtype.
func (l *List[T]) Holds(v gorgonia.Value) bool {
	_, ok := l.of(v)
	return ok
}

// SameShape compares two lists' shapes, but for dimensions of size 1.
func (l *List[T]) SameShape(m *List[T]) bool { return slices.Equal(l.shape, m.shape) }

// Extent is where in memory the list is: all of it if it is dense, else its
// first element, since views may lie between one another.
func (l *List[T]) Extent() (from, to uintptr) {
	n := len(l.memory)
	if !l.dense {
		n = min(n, 1)
	}
	var element T
	from = uintptr(unsafe.Pointer(unsafe.SliceData(l.memory)))
	return from, from + uintptr(n)*unsafe.Sizeof(element)
}

// Elements is all elements in row-major order, to be read.
func (l *List[T]) Elements() []T {
	if l.dense {
		return l.memory
	}
	transfer(l.packed, l.memory, l.shape, l.strides, false)
	return l.packed
}

// Store puts what was written to the list where it belongs.
func (l *List[T]) Store() {
	if !l.dense {
		transfer(l.packed, l.memory, l.shape, l.strides, true)
	}
}

// transfer copies between a list and the strided memory it lists, and returns
// what is left of the list.
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

// Coordinates is the place of the i-th element of a list in a tensor.
func Coordinates(i int, shape tensor.Shape) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}
