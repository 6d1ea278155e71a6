package gorgoniastate

import (
	"fmt"
	"reflect"
	"strings"

	"gorgonia.org/gorgonia"
)

// version is the release of Gorgonia that fields describes.
const version = "v0.9.18"

// fields lists the fields of Gorgonia's solvers, in order. A cache is a slice of
// dual values, one for each parameter by its position in the model.
var fields = map[reflect.Type]string{
	reflect.TypeFor[gorgonia.AdamSolver](): "eta float64, eps float64, beta1 float64, beta2 float64, clip float64, l1reg float64, l2reg float64, " +
		"batch float64, useClip bool, useL1Reg bool, useL2Reg bool, iter int, cache cache",
	reflect.TypeFor[gorgonia.Momentum](): "eta float64, momentum float64, clip float64, l1reg float64, l2reg float64, " +
		"batch float64, useClip bool, useL1Reg bool, useL2Reg bool, cache cache",
	reflect.TypeFor[gorgonia.RMSPropSolver](): "decay float64, eps float64, l2reg float64, clip float64, eta float64, " +
		"useClip bool, useL2Reg bool, cache cache",
	reflect.TypeFor[gorgonia.VanillaSolver](): "eta float64, clip float64, l1reg float64, l2reg float64, " +
		"batch float64, useClip bool, useL1Reg bool, useL2Reg bool",
}

// checkFields refuses a type that is not listed or whose fields are not as
// listed.
func checkFields(t reflect.Type) error {
	want, ok := fields[t]
	if !ok {
		return fmt.Errorf("the state of a %v cannot be saved; only that of Gorgonia's Adam, Momentum, RMSProp and Vanilla can", t)
	}
	if is := describe(t); is != want {
		return fmt.Errorf("a %v of this release of Gorgonia has the fields (%s), and of %s (%s); its state cannot be saved", t, is, version, want)
	}
	return nil
}

// describe lists the names and types of a struct's fields.
func describe(t reflect.Type) string {
	var all []string
	for i := range t.NumField() {
		f := t.Field(i)
		kind := f.Type.String()
		if f.Type.Kind() == reflect.Slice && isDual(f.Type.Elem()) {
			kind = "cache"
		}
		all = append(all, f.Name+" "+kind)
	}
	return strings.Join(all, ", ")
}

// isDual tells whether t is a pointer to Gorgonia's dual value: two values.
func isDual(t reflect.Type) bool {
	value := reflect.TypeFor[gorgonia.Value]()
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().NumField() == 2 &&
		t.Elem().Field(0).Type == value && t.Elem().Field(1).Type == value
}
