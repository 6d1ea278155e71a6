// Package peer has the solvers that need no learning rate and that ours are
// compared with: plain reference implementations of their papers' equations, for
// the bench and not for use elsewhere. They compute in float64 whatever the
// parameters are.
//
// State belongs to a parameter's place in the model, so a model must have the same
// parameters at every step.
package peer

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rule is one step of a solver: it changes theta, given the gradients g at it. Both
// have a row for each parameter.
type rule interface{ step(theta, g [][]float64) }

// solver makes a gorgonia.Solver out of a rule.
type solver struct {
	rule
	theta, g [][]float64 // scratch, valid during Step
}

var _ gorgonia.Solver = (*solver)(nil)

// Step changes the model's values and sets its gradients to 0. It fails, and has
// changed nothing, where a parameter is not a contiguous dense tensor of float32 or float64,
// or the model is not that of the step before.
func (s *solver) Step(model []gorgonia.ValueGrad) (err error) {
	first := s.theta == nil
	if first {
		s.theta, s.g = make([][]float64, len(model)), make([][]float64, len(model))
		defer func() {
			if err != nil {
				s.theta = nil // the next step is the first
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

// dense is a value as a tensor whose numbers lie one after the other.
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

// size is how many numbers d has; DataSize would be 0 for a scalar.
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

// zerosLike has rows as long as those of x.
func zerosLike(x [][]float64) [][]float64 {
	z := make([][]float64, len(x))
	for i := range x {
		z[i] = make([]float64, len(x[i]))
	}
	return z
}
