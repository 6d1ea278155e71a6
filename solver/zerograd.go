package solver

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/access"
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
			errs = append(errs, &ParameterError{Name: access.Name(vg), Position: i, Err: fmt.Errorf("gradient: %w", err)})
		}
	}
	return errors.Join(errs...)
}

func zeroGrad(vg gorgonia.ValueGrad) error {
	if access.IsNil(vg) {
		return nil
	}
	gradient, err := vg.Grad()
	if err != nil || access.IsNil(gradient) {
		return nil
	}
	if err := access.CheckSupported(gradient); err != nil {
		return err
	}
	if _, single := access.Float32s(gradient); single {
		return zero(access.NewList(access.Float32s), gradient)
	}
	return zero(access.NewList(access.Float64s), gradient)
}

func zero[T kernel.Float](l access.List[T], gradient gorgonia.Value) error {
	if err := l.Bind(gradient); err != nil {
		return err
	}
	clear(l.Elements())
	l.Store()
	return nil
}
