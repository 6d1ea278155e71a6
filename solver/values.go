package solver

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// namedValue is a parameter that is saved or loaded.
type namedValue struct {
	name   string
	vg     gorgonia.ValueGrad
	value  gorgonia.Value
	number int // in the model, from 0

	tensor *checkpoint.Tensor
	stage  func() // gives the tensor an array of its own
	set    func() // sets the value to that array
}

// valuesOf returns the parameters of a model, whose names must differ. A parameter that is listed
// twice is returned once.
func valuesOf(model []gorgonia.ValueGrad) ([]*namedValue, error) {
	var values []*namedValue
	var extents []param.Extent
	named := map[string]*namedValue{}
	for i, vg := range model {
		v := &namedValue{vg: vg, number: i}
		extent, err := v.read()
		if err != nil {
			return nil, v.blame(err)
		}
		if other, ok := named[v.name]; ok {
			if param.Same(other.vg, vg) {
				continue
			}
			return nil, v.blame(fmt.Errorf("%w: number %d has the same", ErrName, other.number+1))
		}
		named[v.name] = v
		values, extents = append(values, v), append(extents, extent.OfValue(i))
	}
	if i, err := param.Overlap(extents); err != nil {
		return nil, param.Blame(err, model[i], i)
	}
	return values, nil
}

// read sets the parameter's name, value and tensor.
func (v *namedValue) read() (extent param.Extent, err error) {
	if v.value, err = param.Value(v.vg); err != nil {
		return extent, err
	}
	v.name = param.Name(v.vg)
	if err := checkName(v.name); err != nil {
		return extent, err
	}
	if v.value.Dtype() == tensor.Float32 {
		return bindValue[float32](v)
	}
	return bindValue[float64](v)
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it has none; gorgonia.WithName gives it one", ErrName)
	case name == "__metadata__" || strings.HasPrefix(name, checkpoint.Reserved):
		return fmt.Errorf("%w: __metadata__, and what begins with %s, is taken", ErrName, checkpoint.Reserved)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: it is not UTF-8", ErrName)
	}
	return nil
}

func bindValue[T kernel.Float](v *namedValue) (extent param.Extent, err error) {
	var memory param.Elements[T]
	if err := memory.Bind(v.value); err != nil {
		return extent, err
	}
	found := checkpoint.Floats[T](memory.List())
	v.tensor = &checkpoint.Tensor{Parameter: v.name, Shape: v.value.Shape().Clone(), Data: found, Least: checkpoint.AnyFinite}
	v.stage = func() {
		staged := make(checkpoint.Floats[T], len(found))
		v.tensor.Data = staged
		v.set = func() {
			copy(memory.List(), staged)
			memory.Store()
		}
	}
	return memory.Extent(), nil
}

// standIn returns the parameter as an Augmented's inner solver sees it.
func (v *namedValue) standIn(p state) *namedValue {
	node := p.(augmentedParameter).standIn()
	return &namedValue{name: v.name, vg: node, value: node.Value(), number: v.number}
}

// blame returns err as a *ParameterError about this parameter.
func (v *namedValue) blame(err error) error { return param.Blame(err, v.vg, v.number) }

// checkFinite refuses a value that Load would refuse.
func (v *namedValue) checkFinite() error {
	if i, x := v.tensor.Data.FirstBelow(v.tensor.Least); i >= 0 {
		err := fmt.Errorf("%w: %v", ErrNonFiniteValue, x)
		return v.blame(&ParameterError{Index: param.Coordinates(i, v.tensor.Shape), Err: err})
	}
	return nil
}
