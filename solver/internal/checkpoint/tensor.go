package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/tensor"
)

// Tensor is an array of a checkpoint, to be written or to be read into.
type Tensor struct {
	Role      string // its role in the solver's state; empty for a value
	Parameter string // the parameter's name; empty if it is the solver's
	Shape     tensor.Shape
	Data      Array
	Least     float64 // the smallest valid element
}

// AnyFinite, 0 and Positive are the values of Least.
const (
	AnyFinite = -math.MaxFloat64
	Positive  = math.SmallestNonzeroFloat64
)

// Name is the tensor's name in the file.
func (t *Tensor) Name() string {
	switch "" {
	case t.Role:
		return t.Parameter
	case t.Parameter:
		return Reserved + t.Role
	}
	return Reserved + t.Role + "/" + t.Parameter
}

// Check returns an error if an element is invalid.
func (t *Tensor) Check() error {
	i, x := t.Data.FirstBelow(t.Least)
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%q has %v at %v, which must be %s", t.Name(), x, param.Coordinates(i, t.Shape), atLeast(t.Least))
}

func atLeast(least float64) string {
	switch least {
	case 0:
		return "finite and at least 0"
	case Positive:
		return "finite and above 0"
	}
	return "finite"
}

// Array is a list of float32, float64 or bytes.
type Array interface {
	DType() string                               // as the format spells it
	Size() int                                   // in bytes
	encode(b []byte, from int)                   // copies the bytes from that offset into b
	decode(b []byte, from int)                   // sets the bytes from that offset to b
	FirstBelow(least float64) (i int, x float64) // the first below least or not finite; i is -1 if there is none
}

// Floats is an Array of numbers. encode and decode take whole elements.
type Floats[T kernel.Float] []T

func elementSize[T kernel.Float]() int { return int(unsafe.Sizeof(T(0))) }

// DType returns F32 or F64.
func (l Floats[T]) DType() string {
	if elementSize[T]() == 4 {
		return "F32"
	}
	return "F64"
}

// Size returns the length in bytes.
func (l Floats[T]) Size() int { return elementSize[T]() * len(l) }

func (l Floats[T]) encode(b []byte, from int) {
	switch xs := any([]T(l)).(type) {
	case []float32:
		for i, x := range xs[from/4:][:len(b)/4] {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
		}
	case []float64:
		for i, x := range xs[from/8:][:len(b)/8] {
			binary.LittleEndian.PutUint64(b[8*i:], math.Float64bits(x))
		}
	}
}

func (l Floats[T]) decode(b []byte, from int) {
	switch xs := any([]T(l)).(type) {
	case []float32:
		for i := range xs[from/4:][:len(b)/4] {
			xs[from/4+i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case []float64:
		for i := range xs[from/8:][:len(b)/8] {
			xs[from/8+i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
}

// FirstBelow returns the first number below least or not finite.
func (l Floats[T]) FirstBelow(least float64) (int, float64) {
	for i, x := range l {
		if x := float64(x); !(x >= least && x <= math.MaxFloat64) {
			return i, x
		}
	}
	return -1, 0
}

// Bytes is an Array whose length comes from the file. It grows as it is decoded, so that a false
// length takes no memory.
type Bytes []byte

// DType returns U8.
func (o *Bytes) DType() string { return "U8" }

// Size returns the length in bytes.
func (o *Bytes) Size() int { return len(*o) }

func (o *Bytes) encode(b []byte, from int) { copy(b, (*o)[from:]) }

func (o *Bytes) decode(b []byte, from int) { *o = append((*o)[:from], b...) }

// FirstBelow returns -1: every byte is valid.
func (o *Bytes) FirstBelow(float64) (int, float64) { return -1, 0 }
