package distributed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"unsafe"

	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// replica is one parameter as this rank holds it, of either dtype.
type replica interface {
	bindValue(gorgonia.Value) error
	bindGradient(gorgonia.Value) error
	firstNonFinite() (i int, err error)
	description() string
	layoutHash() uint64
	valueHash() uint64
	isNew() *bool // its values have not been compared
}

type replicaOf[T kernel.Float] struct {
	described       string
	layout          uint64
	fresh           bool
	shape           tensor.Shape
	value, gradient access.List[T]

	// of the step under way
	gradients []T
}

func newReplica(vg gorgonia.ValueGrad, value gorgonia.Value) replica {
	if value.Dtype() == tensor.Float32 {
		return newReplicaOf(vg, value, access.Float32s)
	}
	return newReplicaOf(vg, value, access.Float64s)
}

func newReplicaOf[T kernel.Float](vg gorgonia.ValueGrad, value gorgonia.Value, of func(gorgonia.Value) ([]T, bool)) replica {
	described := fmt.Sprintf("%q, %v of shape %v", access.Name(vg), value.Dtype(), value.Shape())
	return &replicaOf[T]{
		described: described,
		fresh:     true,
		layout:    hash([]byte(described)),
		shape:     value.Shape().Clone(),
		value:     access.NewList(of),
		gradient:  access.NewList(of),
	}
}

func (r *replicaOf[T]) bindValue(value gorgonia.Value) error {
	if err := r.value.Bind(value); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if value.Shape().TotalSize() != r.shape.TotalSize() {
		return fmt.Errorf("%w: the value's shape was %v and is %v now", solver.ErrMismatch, r.shape, value.Shape())
	}
	return nil
}

func (r *replicaOf[T]) bindGradient(gradient gorgonia.Value) error {
	if err := r.gradient.Bind(gradient); err != nil {
		return fmt.Errorf("gradient: %w", err)
	}
	if !r.value.SameShape(&r.gradient) {
		return fmt.Errorf("%w: the value's shape is %v, the gradient's %v", solver.ErrMismatch, r.shape, gradient.Shape())
	}
	r.gradients = r.gradient.Elements()
	return nil
}

func (r *replicaOf[T]) firstNonFinite() (int, error) {
	i := kernel.FirstNonFinite(r.gradients)
	if i < 0 {
		return i, nil
	}
	err := fmt.Errorf("%w: %v", solver.ErrNonFiniteGradient, r.gradients[i])
	return i, &solver.ParameterError{Index: access.Coordinates(i, r.shape), Err: err}
}

func (r *replicaOf[T]) description() string { return r.described }
func (r *replicaOf[T]) layoutHash() uint64  { return r.layout }
func (r *replicaOf[T]) isNew() *bool        { return &r.fresh }

func (r *replicaOf[T]) valueHash() uint64 {
	x := r.value.Elements()
	return hash(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(T(0)))))
}

func hash(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// mix puts another hash into one of several, whose order matters.
func mix(hashes, next uint64) uint64 { return (hashes ^ next) * 0x100000001b3 }

// each goes through the replicas of one dtype.
func each[T kernel.Float](model []replica) iter.Seq[*replicaOf[T]] {
	return func(yield func(*replicaOf[T]) bool) {
		for _, r := range model {
			if r, ok := r.(*replicaOf[T]); ok && !yield(r) {
				return
			}
		}
	}
}

// average replaces the gradients of dtype T by their averages over all ranks.
func average[T kernel.Float](w *World, model []replica) error {
	n := 0
	for r := range each[T](model) {
		n += len(r.gradients)
	}
	flat := stage[T](w, n)
	rest := flat
	for r := range each[T](model) {
		rest = rest[copy(rest, r.gradients):]
	}
	if err := reduce[T](w, n, float64(w.Size())); err != nil {
		return err
	}
	for r := range each[T](model) {
		flat = flat[copy(r.gradients, flat):]
		r.gradient.Store()
	}
	return nil
}

// broadcastValues replaces the values of dtype T by rank 0's.
func broadcastValues[T kernel.Float](w *World, model []replica) error {
	n := 0
	for r := range each[T](model) {
		n += len(r.value.Elements())
	}
	if n == 0 {
		return nil
	}
	flat := stage[T](w, n)
	rest := flat
	for r := range each[T](model) {
		rest = rest[copy(rest, r.value.Elements()):]
	}
	if err := w.link.broadcast(w.flat[:w.Size()*share[T](w, n)]); err != nil {
		return err
	}
	for r := range each[T](model) {
		flat = flat[copy(r.value.Elements(), flat):]
		r.value.Store()
	}
	return nil
}
