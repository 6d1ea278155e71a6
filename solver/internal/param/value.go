package param

import (
	"errors"
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Faults of a parameter. Package solver exports them.
var (
	ErrNoValue     = errors.New("it has no value; bind one, for instance with gorgonia.WithInit or gorgonia.Let")
	ErrNoGradient  = errors.New("it has no gradient; call gorgonia.Grad, and make the machine with gorgonia.BindDualValues(params...)")
	ErrUnsupported = errors.New("unsupported kind of value")
	ErrMismatch    = errors.New("shape or dtype does not agree")
	ErrShared      = errors.New("memory that is not its own")

	// ErrNonFiniteGradient is NaN or Inf in a gradient.
	ErrNonFiniteGradient = errors.New("NaN or Inf in the gradient; ZeroGrad clears it, to skip the batch")

	// ErrNonFiniteValue is NaN or Inf in a value before the step.
	ErrNonFiniteValue = errors.New("NaN or Inf in the value; it was there before the step")
)

// Value returns a parameter's value, which is not nil and has float32 or float64 elements in memory
// that Go can address.
func Value(vg gorgonia.ValueGrad) (gorgonia.Value, error) {
	if IsNil(vg) {
		return nil, fmt.Errorf("%w: the parameter itself is nil", ErrNoValue)
	}
	value := vg.Value()
	if IsNil(value) {
		return nil, ErrNoValue
	}
	if err := CheckSupported(value); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return value, nil
}

// Gradient returns a parameter's gradient, which is not nil.
func Gradient(vg gorgonia.ValueGrad) (gorgonia.Value, error) {
	gradient, err := vg.Grad()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoGradient, err)
	}
	if IsNil(gradient) {
		return nil, ErrNoGradient
	}
	return gradient, nil
}

// IsNil reports whether x is nil or holds a nil pointer.
func IsNil(x any) bool {
	if x == nil {
		return true
	}
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// CheckSupported refuses a value or gradient whose elements are in memory that Go cannot address,
// or are neither float32 nor float64.
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

// Name returns a parameter's name, empty if it has none. A node made without a name has none,
// although its method Name invents one.
func Name(vg gorgonia.ValueGrad) string {
	if IsNil(vg) {
		return ""
	}
	switch vg := vg.(type) {
	case *gorgonia.Node:
		return nodeName(vg)
	case gorgonia.Namer:
		return vg.Name()
	}
	return ""
}

// nodeName reads a private field, the only way to find out whether a node was given a name. If a
// release of Gorgonia has no such field, it falls back to the node's method Name.
func nodeName(n *gorgonia.Node) string {
	if nodeNameField < 0 {
		return n.Name()
	}
	return reflect.ValueOf(n).Elem().Field(nodeNameField).String()
}

var nodeNameField = func() int {
	f, ok := reflect.TypeFor[gorgonia.Node]().FieldByName("name")
	if !ok || f.Type.Kind() != reflect.String {
		return -1
	}
	return f.Index[0]
}()
