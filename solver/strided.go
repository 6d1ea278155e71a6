package solver

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// strided is the memory of a value or a gradient, seen as a list of elements
// in row-major order. Dimensions of size 1 are left out: Gorgonia adds and
// drops them as it likes.
type strided[T kernel.Float] struct {
	elements func(gorgonia.Value) ([]T, bool)

	memory         []T // the tensor's own, from its first element on
	shape, strides []int
	dense          bool // row-major without gaps: memory is the list
	packed         []T  // the list, where memory is not
}

// bind finds v's memory.
func (s *strided[T]) bind(v gorgonia.Value) error {
	if err := checkSupported(v); err != nil {
		return err
	}
	var ok bool
	if s.memory, ok = s.elements(v); !ok {
		return fmt.Errorf("%w: it is of dtype %v, which the parameter's state or value is not", ErrMismatch, v.Dtype())
	}
	var strides []int
	if d, ok := v.(*tensor.Dense); ok {
		strides = d.Strides()
	}
	return s.setLayout(v.Shape(), strides)
}

// checkSupported refuses what has no elements that Go can reach.
func checkSupported(v gorgonia.Value) error {
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

// elements32 is the memory of a value of float32.
func elements32(v gorgonia.Value) ([]float32, bool) {
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

// elements64 is the memory of a value of float64.
func elements64(v gorgonia.Value) ([]float64, bool) {
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
func (s *strided[T]) setLayout(shape, strides []int) error {
	s.shape, s.strides = s.shape[:0], s.strides[:0]
	for i, size := range shape {
		if size == 1 {
			continue
		}
		s.shape = append(s.shape, size)
		if len(strides) == len(shape) {
			s.strides = append(s.strides, strides[i])
		}
	}
	if len(s.strides) != len(s.shape) { // a vector or a scalar in column-major order
		s.strides = append(s.strides[:0], strides[:min(len(strides), len(s.shape))]...)
	}
	if len(s.strides) != len(s.shape) || !s.within() {
		return fmt.Errorf("%w: a tensor of shape %v with strides %v over %d elements", ErrUnsupported, shape, strides, len(s.memory))
	}
	s.dense = true
	size := 1
	for i := len(s.shape) - 1; i >= 0; i-- {
		s.dense = s.dense && s.strides[i] == size
		size *= s.shape[i]
	}
	if s.dense {
		s.memory = s.memory[:size]
	} else if len(s.packed) != size {
		s.packed = make([]T, size)
	}
	return nil
}

// within says whether every element is inside memory. A stride below 1 would
// make several elements one.
func (s *strided[T]) within() bool {
	if slices.Contains(s.shape, 0) {
		return true
	}
	last := 0
	for i, size := range s.shape {
		if s.strides[i] < 1 {
			return false
		}
		last += (size - 1) * s.strides[i]
	}
	return last < len(s.memory)
}

// list is all elements in row-major order, to be read.
func (s *strided[T]) list() []T {
	if s.dense {
		return s.memory
	}
	transfer(s.packed, s.memory, s.shape, s.strides, false)
	return s.packed
}

// store puts what was written to the list where it belongs.
func (s *strided[T]) store() {
	if !s.dense {
		transfer(s.packed, s.memory, s.shape, s.strides, true)
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

// coordinates is the place of the i-th element of a list in a tensor.
func coordinates(i int, shape tensor.Shape) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}
