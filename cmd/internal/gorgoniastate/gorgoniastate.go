// Package gorgoniastate saves and restores Gorgonia's own solvers.
//
// Gorgonia does not export the state of its solvers, so a run that compares them
// with ours could not be resumed. With reflection and package unsafe, this package
// reads and writes the unexported fields of the solvers of Gorgonia v0.9.18, listed
// in fields.go. A solver whose fields differ, as in a later release, is refused with
// an error that lists both.
package gorgoniastate

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Solver is one of Gorgonia's solvers, which solver.Save can save and solver.Load
// restore, alone and inside an Augmented. Make one with New.
type Solver struct {
	gorgonia.Solver
	restored bool // and not stepped since
}

var (
	_ encoding.BinaryMarshaler   = (*Solver)(nil)
	_ encoding.BinaryUnmarshaler = (*Solver)(nil)
)

// New wraps one of Gorgonia's solvers so that it can be saved.
func New(s gorgonia.Solver) *Solver { return &Solver{Solver: s} }

// Unwrap returns the solver that New was given.
func (g *Solver) Unwrap() gorgonia.Solver { return g.Solver }

// Apply changes hyperparameters between steps. Gorgonia's options do nothing to a
// solver that is not Gorgonia's, so they are called on the wrapped one.
func (g *Solver) Apply(opts ...gorgonia.SolverOpt) error {
	for _, opt := range opts {
		opt(g.Solver)
	}
	return nil
}

// Step makes Gorgonia's step. After UnmarshalBinary it first checks that the state
// fits the model, since Gorgonia would panic.
func (g *Solver) Step(model []gorgonia.ValueGrad) error {
	if g.restored {
		if err := g.fits(model); err != nil {
			return err
		}
		g.restored = false
	}
	return g.Solver.Step(model)
}

// state is the JSON of a saved solver. The numbers of its caches follow it.
type state struct {
	Type   string                  `json:"type"`
	Fields map[string]any          `json:"fields"`
	Caches map[string][][2]*layout `json:"caches"` // except those without values
}

// layout describes one value. The values' numbers, little-endian, follow the JSON one
// after the other, in the order of the fields.
type layout struct {
	Shape  []int `json:"shape"`
	Double bool  `json:"double,omitempty"` // float64, not float32
}

// MarshalBinary returns the hyperparameters and the state of the solver.
func (g *Solver) MarshalBinary() ([]byte, error) {
	k := state{Type: fmt.Sprintf("%T", g.Solver), Fields: map[string]any{}, Caches: map[string][][2]*layout{}}
	var numbers []byte
	err := g.each(func(name string, f reflect.Value) (err error) {
		if f.Kind() != reflect.Slice {
			k.Fields[name] = f.Interface()
			return nil
		}
		if f.IsNil() {
			return nil
		}
		duals := make([][2]*layout, f.Len())
		for i := range duals {
			if dual := f.Index(i); !dual.IsNil() {
				for part := range duals[i] {
					if duals[i][part], numbers, err = appendValue(numbers, valueOf(dual, part)); err != nil {
						return err
					}
				}
			}
		}
		k.Caches[name] = duals
		return nil
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return slices.Concat(b, text, numbers), nil
}

func appendValue(b []byte, v gorgonia.Value) (*layout, []byte, error) {
	d, ok := v.(*tensor.Dense)
	if !ok {
		return nil, nil, fmt.Errorf("its state has a %T, which cannot be saved", v)
	}
	if d.RequiresIterator() || d.DataOrder().IsColMajor() || d.IsMasked() { // UnmarshalBinary makes row-major tensors
		return nil, nil, fmt.Errorf("its state has a tensor of shape %v that is not row-major, which cannot be saved", d.Shape())
	}
	b, err := binary.Append(b, binary.LittleEndian, d.Data())
	return &layout{d.Shape().Clone(), d.Dtype() == tensor.Float64}, b, err
}

// UnmarshalBinary restores what MarshalBinary saved. On an error the solver is
// unchanged.
func (g *Solver) UnmarshalBinary(b []byte) error {
	var k state
	if len(b) < 8 || uint64(len(b)-8) < binary.LittleEndian.Uint64(b) {
		return errors.New("it ends within its description")
	}
	n := binary.LittleEndian.Uint64(b)
	if err := json.Unmarshal(b[8:8+n], &k); err != nil {
		return err
	}
	if own := fmt.Sprintf("%T", g.Solver); k.Type != own {
		return fmt.Errorf("it is of a %.40q, and this is a %s", k.Type, own)
	}
	numbers := b[8+n:]
	next := reflect.New(reflect.TypeOf(g.Solver).Elem())
	restored := &Solver{Solver: next.Interface().(gorgonia.Solver), restored: true}
	err := restored.each(func(name string, f reflect.Value) (err error) {
		if f.Kind() != reflect.Slice {
			return setField(f, k.Fields[name])
		}
		duals, ok := k.Caches[name]
		if !ok {
			return nil
		}
		f.Set(reflect.MakeSlice(f.Type(), len(duals), len(duals)))
		for i, parts := range duals {
			if parts == [2]*layout{} {
				continue
			}
			dual := reflect.New(f.Type().Elem().Elem())
			for part, l := range parts {
				if numbers, err = l.read(numbers, field(dual.Elem(), part)); err != nil {
					return err
				}
			}
			f.Index(i).Set(dual)
		}
		return nil
	})
	if err == nil && len(numbers) > 0 {
		err = errors.New("it goes on after its end")
	}
	if err != nil {
		return err
	}
	reflect.ValueOf(g.Solver).Elem().Set(next.Elem())
	g.restored = true
	return nil
}

func setField(f reflect.Value, x any) error {
	switch x := x.(type) {
	case bool:
		if f.Kind() == reflect.Bool {
			f.SetBool(x)
			return nil
		}
	case float64: // JSON's type for all numbers
		if f.Kind() == reflect.Float64 {
			f.SetFloat(x)
			return nil
		}
		if f.Kind() == reflect.Int && x == float64(int(x)) {
			f.SetInt(int64(x))
			return nil
		}
	}
	return fmt.Errorf("%v where a %v belongs", x, f.Kind())
}

// read sets f to the value that b begins with, and returns the rest.
func (l *layout) read(b []byte, f reflect.Value) (rest []byte, err error) {
	if l == nil {
		return nil, errors.New("half of a value")
	}
	size, n := 4, 1
	if l.Double {
		size = 8
	}
	for _, d := range l.Shape {
		if d < 1 || d > len(b)/n {
			return nil, fmt.Errorf("a value of shape %v, which is not there", l.Shape)
		}
		n *= d
	}
	if n > len(b)/size || len(l.Shape) == 0 {
		return nil, fmt.Errorf("a value of shape %v, which is not there", l.Shape)
	}
	var backing any = make([]float32, n)
	if l.Double {
		backing = make([]float64, n)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, backing); err != nil {
		return nil, err
	}
	var v gorgonia.Value = tensor.New(tensor.WithShape(l.Shape...), tensor.WithBacking(backing))
	f.Set(reflect.ValueOf(&v).Elem())
	return b[size*n:], nil
}

// fits returns an error if the restored state belongs to another model.
func (g *Solver) fits(model []gorgonia.ValueGrad) error {
	return g.each(func(name string, f reflect.Value) error {
		if f.Kind() != reflect.Slice || f.IsNil() {
			return nil
		}
		if f.Len() != len(model) {
			return fmt.Errorf("it was restored to a solver of %d parameters, and there are %d", f.Len(), len(model))
		}
		for i, vg := range model {
			dual := f.Index(i)
			for part := range 2 {
				if dual.IsNil() {
					continue
				}
				if is, want := valueOf(dual, part), vg.Value(); !is.Shape().Eq(want.Shape()) || is.Dtype() != want.Dtype() {
					return fmt.Errorf("it was restored to a solver whose parameter %d is %v of shape %v, and it is %v of shape %v", i+1, is.Dtype(), is.Shape(), want.Dtype(), want.Shape())
				}
			}
		}
		return nil
	})
}

// each calls do with every field of the solver, and refuses fields that are not
// as listed.
func (g *Solver) each(do func(name string, f reflect.Value) error) error {
	s := reflect.ValueOf(g.Solver).Elem()
	if err := checkFields(s.Type()); err != nil {
		return err
	}
	for i := range s.NumField() {
		if err := do(s.Type().Field(i).Name, field(s, i)); err != nil {
			return err
		}
	}
	return nil
}

// valueOf returns one of the two values of a dual value.
func valueOf(dual reflect.Value, part int) gorgonia.Value {
	v, _ := field(dual.Elem(), part).Interface().(gorgonia.Value)
	return v
}

// field returns a field of a struct, exported or not, that can be read and set.
func field(s reflect.Value, i int) reflect.Value {
	f := s.Field(i)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}
