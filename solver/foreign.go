package solver

import (
	"encoding"
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// marshaler is a solver of another package that can encode its own state.
type marshaler interface {
	gorgonia.Solver
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// foreign saves and restores a marshaler's state as opaque bytes.
type foreign struct{ marshaler }

// foreignKind is the solver's kind and the tensor's role in a checkpoint.
const foreignKind = "opaque"

func (f foreign) savedKind() string { return foreignKind }

func (f foreign) save([]*namedValue) (*checkpoint.Solver, []*checkpoint.Tensor, error) {
	b, err := f.MarshalBinary()
	if err != nil {
		return nil, nil, fmt.Errorf("the state of a %T: %w", f.marshaler, err)
	}
	return new(checkpoint.Solver), []*checkpoint.Tensor{{Role: foreignKind, Shape: tensor.Shape{len(b)}, Data: (*checkpoint.Bytes)(&b)}}, nil
}

func (f foreign) restore(*checkpoint.Solver, []*namedValue) ([]*checkpoint.Tensor, func() error, error) {
	var b checkpoint.Bytes
	return []*checkpoint.Tensor{{Role: foreignKind, Data: &b}}, func() error {
		err := f.UnmarshalBinary(b)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrDifferent):
			err = fmt.Errorf("%w: %w", ErrDifferent, err)
		}
		return fmt.Errorf("the state of a %T: %w", f.marshaler, err)
	}, nil
}
