package solver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// at reads v element by element in row-major order, the slow and sure way.
func at(t *testing.T, v gorgonia.Value) []float64 {
	t.Helper()
	d, ok := v.(*tensor.Dense)
	if !ok || d.Dims() == 0 {
		return floats(v)[:1]
	}
	xs := make([]float64, 0, d.Shape().TotalSize())
	index := make([]int, d.Dims())
	for {
		x, err := d.At(index...)
		if err != nil {
			t.Fatal(err)
		}
		switch x := x.(type) {
		case float64:
			xs = append(xs, x)
		case float32:
			xs = append(xs, float64(x))
		}
		k := len(index) - 1
		for ; k >= 0; k-- {
			if index[k]++; index[k] < d.Shape()[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return xs
		}
	}
}

// layouts are 3×4 matrices, or six elements where that is all the layout has,
// made from 60 numbers; with what else they can reach.
var layouts = []struct {
	name  string
	shape tensor.Shape
	make  func(x []float64) *tensor.Dense
}{
	{"row-major", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense { return dense(x[:12], 3, 4) }},
	{"column-major", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		return tensor.New(tensor.WithShape(3, 4), tensor.AsFortran(append([]float64(nil), x[:12]...)))
	}},
	{"transposed", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		d := dense(x[:12], 4, 3)
		must(d.T())
		return d
	}},
	{"safely transposed", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		d, err := dense(x[:12], 4, 3).SafeT()
		must(err)
		return d
	}},
	{"columns of a wider one", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:30], 3, 10), nil, tensor.S(2, 6))
	}},
	{"rows of a longer one", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:20], 5, 4), tensor.S(1, 4))
	}},
	{"a transposed view", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		d := sliced(dense(x[:30], 5, 6), tensor.S(1, 5), tensor.S(2, 5))
		must(d.T())
		return d
	}},
	{"every other column", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:24], 3, 8), nil, tensor.S(0, 8, 2))
	}},
	{"a slab of a cube", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:60], 3, 5, 4), nil, tensor.S(2))
	}},
	{"with dimensions of 1", tensor.Shape{3, 4}, func(x []float64) *tensor.Dense { return dense(x[:12], 1, 3, 1, 4) }},
	{"vector", tensor.Shape{6}, func(x []float64) *tensor.Dense { return dense(x[:6], 6) }},
	{"row", tensor.Shape{6}, func(x []float64) *tensor.Dense { return dense(x[:6], 1, 6) }},
	{"column", tensor.Shape{6}, func(x []float64) *tensor.Dense { return dense(x[:6], 6, 1) }},
	{"column-major column", tensor.Shape{6}, func(x []float64) *tensor.Dense {
		return tensor.New(tensor.WithShape(6, 1), tensor.AsFortran(append([]float64(nil), x[:6]...)))
	}},
	{"transposed row", tensor.Shape{6}, func(x []float64) *tensor.Dense {
		d := dense(x[:6], 1, 6)
		must(d.T())
		return d
	}},
	{"a column of a matrix", tensor.Shape{6}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:30], 6, 5), nil, tensor.S(3))
	}},
	{"one element", tensor.Shape{}, func(x []float64) *tensor.Dense { return dense(x[:1], 1, 1) }},
	{"a scalar tensor", tensor.Shape{}, func(x []float64) *tensor.Dense { return tensor.New(tensor.FromScalar(x[0])) }},
	{"an element of a matrix", tensor.Shape{}, func(x []float64) *tensor.Dense {
		return sliced(dense(x[:30], 6, 5), tensor.S(2), tensor.S(3))
	}},
}

func sliced(d *tensor.Dense, s ...tensor.Slice) *tensor.Dense {
	v, err := d.Slice(s...)
	must(err)
	return v.(*tensor.Dense)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A value in one layout with a gradient in another learns what a plain vector
// of the same elements learns, and nothing beside them is touched.
func TestValuesAndGradientsMayHaveAnyLayout(t *testing.T) {
	for _, member := range family {
		for _, v := range layouts {
			for _, g := range layouts {
				if !v.shape.Eq(g.shape) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s, %s", member.name, v.name, g.name), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(15, 15))
					x := random(rng, 60)
					for i := range x {
						x[i] *= x[i] // EGU wants no sign
					}
					p := &param{"p", v.make(x), g.make(x)}
					q := vector("q", at(t, p.value), at(t, p.gradient))
					s, r := member.make(gorgonia.WithLearnRate(0.1)), member.make(gorgonia.WithLearnRate(0.1))
					for i := range 4 {
						step(t, s, model(p))
						step(t, r, model(q))
						compare(t, i, "value", at(t, p.value), floats(q.value), 0)
						compare(t, i, "gradient", at(t, p.gradient), floats(q.gradient), 0)
						p.gradient = g.make(random(rng, 60))
						set(q.gradient, at(t, p.gradient))
					}
				})
			}
		}
	}
}

// backing is the memory that a view is a part of.
func TestNothingBesideAViewIsTouched(t *testing.T) {
	whole, gradients := dense(make([]float64, 30), 5, 6), dense(make([]float64, 30), 5, 6)
	set(gradients, random(rand.New(rand.NewPCG(16, 16)), 30))
	before := floats(gradients)
	window := []tensor.Slice{tensor.S(1, 4), tensor.S(2, 5)}
	p := &param{"p", sliced(whole, window...), sliced(gradients, window...)}
	step(t, solver.NewFunnel(), model(p))
	for i := range 30 {
		row, column := i/6, i%6
		inside := row >= 1 && row < 4 && column >= 2 && column < 5
		if v := floats(whole)[i]; (v != 0) != inside {
			t.Errorf("value at %d,%d is %v", row, column, v)
		}
		if g := floats(gradients)[i]; inside && g != 0 || !inside && g != before[i] {
			t.Errorf("gradient at %d,%d is %v, was %v", row, column, g, before[i])
		}
	}
}

func TestAScalarMayBeHeldInEitherWay(t *testing.T) {
	for _, member := range family {
		s := member.make()
		p := &param{"w", gorgonia.NewF32(1), dense([]float32{0.5}, 1)}
		step(t, s, model(p))
		p.gradient = gorgonia.NewF32(0.5)
		step(t, s, model(p))
		p.value, p.gradient = dense([]float32{1}, 1, 1), gorgonia.NewF32(0.5)
		step(t, s, model(p))
	}
}

func TestViewsOfOneTensorMayBeSeveralParameters(t *testing.T) {
	whole := dense(make([]float64, 12), 3, 4)
	left := &param{"left", sliced(whole, nil, tensor.S(0, 2)), dense(random(rand.New(rand.NewPCG(17, 17)), 6), 3, 2)}
	right := &param{"right", sliced(whole, nil, tensor.S(2, 4)), dense(random(rand.New(rand.NewPCG(18, 18)), 6), 3, 2)}
	step(t, solver.NewFunnel(), model(left, right))
	for i, v := range floats(whole) {
		if v == 0 {
			t.Errorf("element %d has not moved", i)
		}
	}
}
