// Package access reaches the numbers of Gorgonia's parameters, whatever their
// layout, and says why where it cannot.
package access

import (
	"errors"
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
)

// What keeps numbers out of reach. Package solver exports them.
var (
	ErrNoValue     = errors.New("it has no value; bind one, for instance with gorgonia.WithInit or gorgonia.Let")
	ErrNoGradient  = errors.New("it has no gradient; call gorgonia.Grad, and make the machine with gorgonia.BindDualValues(params...)")
	ErrUnsupported = errors.New("unsupported kind of value")
	ErrMismatch    = errors.New("shape or dtype does not agree")
)

// Value returns the value of a parameter, not nil.
func Value(vg gorgonia.ValueGrad) (gorgonia.Value, error) {
	if IsNil(vg) {
		return nil, fmt.Errorf("%w: the parameter itself is nil", ErrNoValue)
	}
	if !hashable(vg) {
		return nil, fmt.Errorf("%w: a %T cannot be told from another; give a pointer to it", ErrUnsupported, vg)
	}
	value := vg.Value()
	if IsNil(value) {
		return nil, ErrNoValue
	}
	return value, nil
}

// Extract returns the value and the gradient of a parameter, neither nil.
func Extract(vg gorgonia.ValueGrad) (value, gradient gorgonia.Value, err error) {
	if value, err = Value(vg); err != nil {
		return nil, nil, err
	}
	gradient, err = vg.Grad()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoGradient, err)
	}
	if IsNil(gradient) {
		return nil, nil, ErrNoGradient
	}
	return value, gradient, nil
}

// IsNil finds a nil pointer in an interface, too.
func IsNil(x any) bool {
	if x == nil {
		return true
	}
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// hashable says whether vg can be the key of a map. A pointer can, and mostly
// it is one.
func hashable(vg gorgonia.ValueGrad) bool {
	v := reflect.ValueOf(vg)
	return v.Kind() == reflect.Pointer || v.Comparable()
}

// Name is the parameter's, empty if it has none.
func Name(vg gorgonia.ValueGrad) string {
	if n, ok := vg.(gorgonia.Namer); ok {
		return n.Name()
	}
	return ""
}
