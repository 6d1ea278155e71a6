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

// Tensor is an array of a checkpoint: to be written, or for a file to fill.
type Tensor struct {
	Role      string // what it is to the solver; empty for a value
	Parameter string // the name of the parameter it belongs to; empty for the solver's
	Shape     tensor.Shape
	Data      Array
	Least     float64 // the smallest number that it can contain
}

// AnyFinite, 0 and Positive are what Least can be.
const (
	AnyFinite = -math.MaxFloat64
	Positive  = math.SmallestNonzeroFloat64
)

// Name is the tensor's in the file.
func (t *Tensor) Name() string {
	switch "" {
	case t.Role:
		return t.Parameter
	case t.Parameter:
		return Reserved + t.Role
	}
	return Reserved + t.Role + "/" + t.Parameter
}

// Check finds a number that the tensor cannot contain.
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
	DType() string                               // in the format's words
	Size() int                                   // in bytes
	encode(b []byte, from int)                   // writes the bytes from there on into b
	decode(b []byte, from int)                   // takes b as the bytes from there on
	FirstBelow(least float64) (i int, x float64) // or not finite; i is -1 if there is none
}

// Floats is an Array. Its bytes are counted in whole elements.
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

// FirstBelow finds the first number below least, or not finite.
func (l Floats[T]) FirstBelow(least float64) (int, float64) {
	for i, x := range l {
		if x := float64(x); !(x >= least && x <= math.MaxFloat64) {
			return i, x
		}
	}
	return -1, 0
}

// Bytes is an Array whose length is the file's to say. It grows as it is decoded,
// so that a length without the bytes takes no memory.
type Bytes []byte

// DType returns U8.
func (o *Bytes) DType() string { return "U8" }

// Size returns the length in bytes.
func (o *Bytes) Size() int { return len(*o) }

func (o *Bytes) encode(b []byte, from int) { copy(b, (*o)[from:]) }

func (o *Bytes) decode(b []byte, from int) { *o = append((*o)[:from], b...) }

// FirstBelow finds nothing.
func (o *Bytes) FirstBelow(float64) (int, float64) { return -1, 0 }
