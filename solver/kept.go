package solver

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// kept is a list of numbers that a checkpoint keeps, as a tensor.
type kept struct {
	role      string // what it is to the solver; empty for the value itself
	parameter string // whose it is; empty for the solver's
	shape     tensor.Shape
	data      array
	least     float64 // that a number of it can be
}

const (
	anyFinite = -math.MaxFloat64
	positive  = math.SmallestNonzeroFloat64
)

// tensor is its name in the file.
func (k *kept) tensor() string {
	switch "" {
	case k.role:
		return k.parameter
	case k.parameter:
		return reserved + k.role
	}
	return reserved + k.role + "/" + k.parameter
}

func (k *kept) check() error {
	i, x := k.data.firstBelow(k.least)
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%q has %v at %v, which must be %s", k.tensor(), x, access.Coordinates(i, k.shape), above(k.least))
}

func above(least float64) string {
	switch least {
	case 0:
		return "finite and at least 0"
	case positive:
		return "finite and above 0"
	}
	return "finite"
}

// array is a list of float32, float64 or bytes.
type array interface {
	dtype() string                               // in the format
	size() int                                   // in bytes
	encode(b []byte, from int)                   // the bytes from there on into b
	decode(b []byte, from int)                   // b, as the bytes from there on
	firstBelow(least float64) (i int, x float64) // or not finite; i is -1 if none is
}

// list is an array. Bytes are counted, and given, in whole elements.
type list[T kernel.Float] []T

func (l list[T]) dtype() string {
	if _, single := any(T(0)).(float32); single {
		return "F32"
	}
	return "F64"
}

func (l list[T]) size() int {
	if _, single := any(T(0)).(float32); single {
		return 4 * len(l)
	}
	return 8 * len(l)
}

func (l list[T]) encode(b []byte, from int) {
	switch xs := any([]T(l)).(type) {
	case []float32:
		for i, x := range xs[from/4:][:len(b)/4] {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
		}
	case []float64:
		for i, x := range xs[from/8:][:len(b)/8] {
			binary.LittleEndian.PutUint64(b[8*i:], math.Float64bits(x))
		}
	}
}

func (l list[T]) decode(b []byte, from int) {
	switch xs := any([]T(l)).(type) {
	case []float32:
		for i := range xs[from/4:][:len(b)/4] {
			xs[from/4+i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case []float64:
		for i := range xs[from/8:][:len(b)/8] {
			xs[from/8+i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
}

func (l list[T]) firstBelow(least float64) (int, float64) {
	for i, x := range l {
		if x := float64(x); !(x >= least && x <= math.MaxFloat64) {
			return i, x
		}
	}
	return -1, 0
}

// value is a parameter's value, as a checkpoint sees it.
type value struct {
	kept
	of     gorgonia.ValueGrad
	place  extent
	stage  func() // gives kept a list of its own
	set    func() // sets the value to that list
	number int    // in the model, from 0
}

// valuesOf finds the values of a model, by names that differ.
func valuesOf(model []gorgonia.ValueGrad) ([]*value, error) {
	values := make([]*value, len(model))
	seen := map[string]int{}
	var places []extent
	for i, vg := range model {
		v := &value{of: vg, number: i}
		if err := v.read(seen); err != nil {
			return nil, blame(err, vg, i)
		}
		values[i], places = v, append(places, v.place)
	}
	if i, err := overlap(places); err != nil {
		return nil, blame(err, model[i], i)
	}
	return values, nil
}

// read finds the value's name and memory. seen are the names before it.
func (v *value) read(seen map[string]int) error {
	x, err := access.Value(v.of)
	if err != nil {
		return err
	}
	if err := access.CheckSupported(x); err != nil {
		return err
	}
	v.parameter, v.shape, v.least = access.Name(v.of), x.Shape().Clone(), anyFinite
	if err := checkName(v.parameter); err != nil {
		return err
	}
	if j, ok := seen[v.parameter]; ok {
		return fmt.Errorf("%w: number %d has the same", ErrName, j+1)
	}
	seen[v.parameter] = v.number
	if x.Dtype() == tensor.Float32 {
		return bindValue(v, x, access.Float32s)
	}
	return bindValue(v, x, access.Float64s)
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it has none; gorgonia.WithName gives it one", ErrName)
	case name == "__metadata__" || strings.HasPrefix(name, reserved):
		return fmt.Errorf("%w: __metadata__, and what begins with %s, is taken", ErrName, reserved)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: it is not UTF-8", ErrName)
	}
	return nil
}

func bindValue[T kernel.Float](v *value, x gorgonia.Value, elements func(gorgonia.Value) ([]T, bool)) error {
	memory := access.NewList(elements)
	if err := memory.Bind(x); err != nil {
		return err
	}
	v.place = extentOf(&memory)
	v.place.position = v.number
	found := list[T](memory.Elements())
	v.data = found
	v.stage = func() {
		staged := make(list[T], len(found))
		v.data = staged
		v.set = func() {
			copy(memory.Elements(), staged)
			memory.Store()
		}
	}
	return nil
}

// checkFinite finds a value that Load would refuse.
func (v *value) checkFinite() error {
	if i, x := v.data.firstBelow(v.least); i >= 0 {
		err := fmt.Errorf("%w: %v", ErrNonFiniteValue, x)
		return blame(&ParameterError{Index: access.Coordinates(i, v.shape), Err: err}, v.of, v.number)
	}
	return nil
}
