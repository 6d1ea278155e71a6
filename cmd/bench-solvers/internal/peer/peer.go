// Package peer has solvers that need no learning rate, to compare ours with. They
// are plain implementations of their papers' equations, for this benchmark only, and
// compute in float64 whatever the type of the parameters.
//
// A solver finds a parameter's state by its position in the model, so a model must
// have the same parameters at every step.
package peer

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rule is one step of a solver: it updates theta, given the gradients g. Both have a
// row for each parameter.
type rule interface{ step(theta, g [][]float64) }

// solver makes a gorgonia.Solver out of a rule.
type solver struct {
	rule
	theta, g [][]float64 // scratch, valid during Step
}

var _ gorgonia.Solver = (*solver)(nil)

// Step updates the model's values and sets its gradients to 0. It returns an error,
// and changes nothing, if a parameter is not a contiguous dense tensor of float32 or
// float64, or if the model's sizes are not those of the first step.
func (s *solver) Step(model []gorgonia.ValueGrad) (err error) {
	first := s.theta == nil
	if first {
		s.theta, s.g = make([][]float64, len(model)), make([][]float64, len(model))
		defer func() {
			if err != nil {
				s.theta = nil // the next step counts as the first
			}
		}()
	}
	if len(model) != len(s.theta) {
		return fmt.Errorf("the model has %d parameters; at the first step it had %d", len(model), len(s.theta))
	}
	values, gradients := make([]*tensor.Dense, len(model)), make([]*tensor.Dense, len(model))
	for i, p := range model {
		gradient, err := p.Grad()
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i+1, err)
		}
		if values[i], err = dense(p.Value()); err != nil {
			return fmt.Errorf("parameter %d: value: %w", i+1, err)
		}
		if gradients[i], err = dense(gradient); err != nil {
			return fmt.Errorf("parameter %d: gradient: %w", i+1, err)
		}
		n := size(values[i])
		if first {
			s.theta[i], s.g[i] = make([]float64, n), make([]float64, n)
		}
		if n != len(s.theta[i]) || size(gradients[i]) != n {
			return fmt.Errorf("parameter %d has %d numbers and its gradient %d; at the first step there were %d", i+1, n, size(gradients[i]), len(s.theta[i]))
		}
		read(s.theta[i], values[i])
		read(s.g[i], gradients[i])
	}
	s.step(s.theta, s.g)
	for i := range model {
		write(values[i], s.theta[i])
		gradients[i].Zero()
	}
	return nil
}

// dense returns a value as a contiguous, row-major tensor.
func dense(v gorgonia.Value) (*tensor.Dense, error) {
	d, ok := v.(*tensor.Dense)
	switch {
	case !ok:
		return nil, fmt.Errorf("it is a %T, not a dense tensor", v)
	case d.Dtype() != tensor.Float32 && d.Dtype() != tensor.Float64:
		return nil, fmt.Errorf("its numbers are %v, neither float32 nor float64", d.Dtype())
	case d.RequiresIterator() || d.DataOrder().IsColMajor():
		return nil, fmt.Errorf("it is not contiguous and row-major")
	}
	return d, nil
}

// size returns how many numbers d has; DataSize would return 0 for a scalar.
func size(d *tensor.Dense) int {
	if d.Dtype() == tensor.Float64 {
		return len(d.Float64s())
	}
	return len(d.Float32s())
}

func read(x []float64, d *tensor.Dense) {
	if d.Dtype() == tensor.Float64 {
		copy(x, d.Float64s())
		return
	}
	for i, v := range d.Float32s() {
		x[i] = float64(v)
	}
}

func write(d *tensor.Dense, x []float64) {
	if d.Dtype() == tensor.Float64 {
		copy(d.Float64s(), x)
		return
	}
	numbers := d.Float32s()
	for i, v := range x {
		numbers[i] = float32(v)
	}
}

// clone copies every row of x.
func clone(x [][]float64) [][]float64 {
	c := zerosLike(x)
	for i := range x {
		copy(c[i], x[i])
	}
	return c
}

// zerosLike returns rows of zeros, as long as those of x.
func zerosLike(x [][]float64) [][]float64 {
	z := make([][]float64, len(x))
	for i := range x {
		z[i] = make([]float64, len(x[i]))
	}
	return z
}
