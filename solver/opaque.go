package solver

import (
	"encoding"
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// marshaler is a solver that is not ours and says itself what it keeps.
type marshaler interface {
	gorgonia.Solver
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// opaque keeps such a solver.
type opaque struct{ marshaler }

var _ keeper = opaque{}

func (o opaque) kind() string { return "opaque" }

func (o opaque) knows() []gorgonia.ValueGrad { return nil }

func (o opaque) save(map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error) {
	b, err := o.MarshalBinary()
	if err != nil {
		return nil, nil, fmt.Errorf("what a %T keeps: %w", o.marshaler, err)
	}
	return new(solverRecord), []kept{{role: o.kind(), shape: tensor.Shape{len(b)}, data: (*octets)(&b)}}, nil
}

func (o opaque) restore(*solverRecord, map[string]gorgonia.ValueGrad) ([]kept, func() error, error) {
	var b octets
	return []kept{{role: o.kind(), data: &b}}, func() error {
		err := o.UnmarshalBinary(b)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrDifferent):
			err = fmt.Errorf("%w: %w", ErrDifferent, err)
		}
		return fmt.Errorf("what a %T keeps: %w", o.marshaler, err)
	}, nil
}

// octets is an array of bytes. It grows as it is decoded, since how long it is
// to become nothing but the file says.
type octets []byte

func (o *octets) dtype() string { return "U8" }

func (o *octets) size() int { return len(*o) }

func (o *octets) encode(b []byte, from int) { copy(b, (*o)[from:]) }

func (o *octets) decode(b []byte, from int) { *o = append((*o)[:from], b...) }

func (o *octets) firstBelow(float64) (int, float64) { return -1, 0 }
