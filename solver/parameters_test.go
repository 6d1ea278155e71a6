package solver_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// param is a parameter outside any graph.
type param struct {
	name            string
	value, gradient gorgonia.Value
}

func (p *param) Name() string                  { return p.name }
func (p *param) Value() gorgonia.Value         { return p.value }
func (p *param) Grad() (gorgonia.Value, error) { return p.gradient, nil }

// vector is a parameter of float64 with its own memory.
func vector(name string, value, gradient []float64) *param {
	return &param{name, dense(value, len(value)), dense(gradient, len(gradient))}
}

func dense(x any, shape ...int) *tensor.Dense {
	switch x := x.(type) {
	case []float64:
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float64(nil), x...)))
	case []float32:
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(append([]float32(nil), x...)))
	}
	panic("not a slice of floats")
}

func model(ps ...*param) []gorgonia.ValueGrad {
	vgs := make([]gorgonia.ValueGrad, len(ps))
	for i, p := range ps {
		vgs[i] = p
	}
	return vgs
}

// floats is v's elements in memory order, as float64.
func floats(v gorgonia.Value) []float64 {
	switch v := v.(type) {
	case *gorgonia.F32:
		return []float64{float64(*v)}
	case *gorgonia.F64:
		return []float64{float64(*v)}
	case *tensor.Dense:
		if v.Dtype() == tensor.Float64 {
			return append([]float64(nil), v.Float64s()...)
		}
		xs := make([]float64, len(v.Float32s()))
		for i, x := range v.Float32s() {
			xs[i] = float64(x)
		}
		return xs
	}
	panic("not a value of floats")
}

// set writes x to v.
func set(v gorgonia.Value, x []float64) {
	switch v := v.(type) {
	case *gorgonia.F32:
		*v = gorgonia.F32(x[0])
	case *gorgonia.F64:
		*v = gorgonia.F64(x[0])
	case *tensor.Dense:
		if v.Dtype() == tensor.Float64 {
			copy(v.Float64s(), x)
			return
		}
		for i := range x {
			v.Float32s()[i] = float32(x[i])
		}
	}
}

// sameBits compares to the bit, so that NaN equals itself and 0 is not -0.
func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return true
}

func closeTo(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func step(t *testing.T, s gorgonia.Solver, m []gorgonia.ValueGrad) {
	t.Helper()
	if err := s.Step(m); err != nil {
		t.Fatal(err)
	}
}
