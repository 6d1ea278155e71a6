package solver

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
)

// ZeroGrad sets the gradients of a model to 0, as a step does that succeeds.
//
// A Gorgonia tape machine adds each backward pass onto the gradients that are
// there. After a step that was refused for a NaN they would keep it for ever:
// ZeroGrad, and go on with the next batch. A parameter without a gradient is
// left alone; one whose gradient cannot be reached is reported, as a
// *ParameterError, after all others have been cleared.
func ZeroGrad(model []gorgonia.ValueGrad) error {
	var errs []error
	for i, vg := range model {
		if err := zeroGrad(vg); err != nil {
			errs = append(errs, &ParameterError{Name: nameOf(vg), Position: i, Err: fmt.Errorf("gradient: %w", err)})
		}
	}
	return errors.Join(errs...)
}

func zeroGrad(vg gorgonia.ValueGrad) error {
	if isNil(vg) {
		return nil
	}
	gradient, err := vg.Grad()
	if err != nil || isNil(gradient) {
		return nil
	}
	if err := checkSupported(gradient); err != nil {
		return err
	}
	if _, single := elements32(gradient); single {
		return zero(&strided[float32]{elements: elements32}, gradient)
	}
	return zero(&strided[float64]{elements: elements64}, gradient)
}

func zero[T kernel.Float](s *strided[T], gradient gorgonia.Value) error {
	if err := s.bind(gradient); err != nil {
		return err
	}
	clear(s.list())
	s.store()
	return nil
}
