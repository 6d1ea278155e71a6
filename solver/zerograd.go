package solver

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// ZeroGrad sets the gradients of a model to 0, as a successful step does.
//
// A Gorgonia tape machine adds each backward pass to the existing gradients. After a step that was
// refused for a NaN they would stay NaN for ever: call ZeroGrad, and go on with the next batch. A
// parameter without a gradient is skipped. One whose gradient is of an unsupported kind is
// reported, as a *ParameterError, after all others have been cleared.
func ZeroGrad(model []gorgonia.ValueGrad) error {
	var errs []error
	for i, vg := range model {
		if err := zeroGrad(vg); err != nil {
			errs = append(errs, &ParameterError{Name: param.Name(vg), Position: i, Err: fmt.Errorf("gradient: %w", err)})
		}
	}
	return errors.Join(errs...)
}

func zeroGrad(vg gorgonia.ValueGrad) error {
	if param.IsNil(vg) {
		return nil
	}
	gradient, err := vg.Grad()
	if err != nil || param.IsNil(gradient) {
		return nil
	}
	if err := param.CheckSupported(gradient); err != nil {
		return err
	}
	if gradient.Dtype() == tensor.Float32 {
		return zero(new(param.Elements[float32]), gradient)
	}
	return zero(new(param.Elements[float64]), gradient)
}

func zero[T kernel.Float](l *param.Elements[T], gradient gorgonia.Value) error {
	if err := l.Bind(gradient); err != nil {
		return err
	}
	clear(l.List())
	l.Store()
	return nil
}
