package param

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Binding is a parameter of dtype T. While it is bound, its value and gradient can be read as
// lists.
type Binding[T kernel.Float] struct {
	Name            string       // as last bound
	Shape           tensor.Shape // of the value, when the binding was made
	Value, Gradient Elements[T]

	bound tensor.Shape // of the value, as last bound
}

// Describe returns the parameter's name and shape, for messages and files.
func (b *Binding[T]) Describe() (name string, shape tensor.Shape) { return b.Name, b.Shape }

// Rename sets the name until the next Bind.
func (b *Binding[T]) Rename(name string) { b.Name = name }

// NewBinding returns the binding of a parameter whose values have this value's shape.
func NewBinding[T kernel.Float](value gorgonia.Value) Binding[T] {
	return Binding[T]{Shape: value.Shape().Clone()}
}

// Bind finds the memory of value and gradient. The value must still have the shape of the binding,
// and the gradient the same as the value. The gradient may be nil.
func (b *Binding[T]) Bind(name string, value, gradient gorgonia.Value) error {
	b.Name = name
	if err := b.Value.Bind(value); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	b.bound = append(b.bound[:0], value.Shape()...)
	if !SameShape(b.Shape, b.bound) {
		return fmt.Errorf("%w: the value's shape was %v and is %v now", ErrMismatch, b.Shape, b.bound)
	}
	if gradient == nil {
		return nil
	}
	if err := b.Gradient.Bind(gradient); err != nil {
		return fmt.Errorf("gradient: %w", err)
	}
	if !b.Value.SameShape(&b.Gradient) {
		return fmt.Errorf("%w: the value's shape is %v, the gradient's %v", ErrMismatch, value.Shape(), gradient.Shape())
	}
	return nil
}

// SameShape compares two shapes, ignoring dimensions of size 1.
func SameShape(a, b tensor.Shape) bool {
	for {
		for len(a) > 0 && a[0] == 1 {
			a = a[1:]
		}
		for len(b) > 0 && b[0] == 1 {
			b = b[1:]
		}
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

// ShareGradient prepares for a gradient that is also another parameter's.
func (b *Binding[T]) ShareGradient() { b.Gradient.Share() }

// Extents returns the memory ranges of value and gradient.
func (b *Binding[T]) Extents() (value, gradient Extent) {
	return b.Value.Extent(), b.Gradient.Extent()
}

// Store writes both lists back to where their elements belong.
func (b *Binding[T]) Store() {
	b.Value.Store()
	b.Gradient.Store()
}

// Release drops the references to the memory of value and gradient.
func (b *Binding[T]) Release() {
	b.Value.Release()
	b.Gradient.Release()
}

// At returns err with the index of the i-th element in the value that was bound last.
func (b *Binding[T]) At(i int, err error) error {
	return &ParameterError{Index: Coordinates(i, b.bound), Err: err}
}

// CheckGradient returns an error if the gradient has NaN or, unless it is clipped, Inf.
func (b *Binding[T]) CheckGradient(gradient []T, clipped bool) error {
	first := kernel.FirstNonFinite[T]
	if clipped {
		first = kernel.FirstNaN[T]
	}
	if i := first(gradient); i >= 0 {
		return b.At(i, fmt.Errorf("%w: %v", ErrNonFiniteGradient, gradient[i]))
	}
	return nil
}

// CheckValue returns an error if the value is not finite.
func (b *Binding[T]) CheckValue(value []T) error {
	if i := kernel.FirstNonFinite(value); i >= 0 {
		return b.At(i, fmt.Errorf("%w: %v", ErrNonFiniteValue, value[i]))
	}
	return nil
}
