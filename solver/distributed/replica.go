package distributed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// replica is this rank's copy of one parameter, of either dtype.
type replica interface {
	param.State
	checkGradient() error
	description() string
	layoutHash() uint64
	valueHash() uint64
	compared() *bool // points to whether its values have been compared
}

type replicaOf[T kernel.Float] struct {
	param.Binding[T]
	same      bool // its values have been compared
	described string
	layout    uint64

	gradients []T // scratch, valid during Step
}

func newReplica(value gorgonia.Value) replica {
	if value.Dtype() == tensor.Float32 {
		return &replicaOf[float32]{Binding: param.NewBinding[float32](value)}
	}
	return &replicaOf[float64]{Binding: param.NewBinding[float64](value)}
}

func (r *replicaOf[T]) Bind(name string, value, gradient gorgonia.Value) error {
	if r.described == "" || name != r.Name {
		r.described = fmt.Sprintf("%q, %v of shape %v", name, value.Dtype(), value.Shape())
		r.layout = hash([]byte(r.described))
	}
	return r.Binding.Bind(name, value, gradient)
}

// Release drops the references to the parameter's memory.
func (r *replicaOf[T]) Release() {
	r.gradients = nil
	r.Binding.Release()
}

// checkGradient lists the gradient, after the registry has decided whether it is a copy, and checks
// it.
func (r *replicaOf[T]) checkGradient() error {
	r.gradients = r.Gradient.List()
	return r.CheckGradient(r.gradients, false)
}

func (r *replicaOf[T]) description() string { return r.described }
func (r *replicaOf[T]) layoutHash() uint64  { return r.layout }
func (r *replicaOf[T]) compared() *bool     { return &r.same }

func (r *replicaOf[T]) valueHash() uint64 {
	x := r.Value.List()
	return hash(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(T(0)))))
}

func hash(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// mix adds a hash to a combined one, which depends on their order.
func mix(hashes, next uint64) uint64 { return (hashes ^ next) * 0x100000001b3 }

// each iterates over the replicas of dtype T.
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
		r.Gradient.Store()
	}
	return nil
}

// broadcastValues replaces the values of dtype T by rank 0's.
func broadcastValues[T kernel.Float](w *World, model []replica) error {
	n := 0
	for r := range each[T](model) {
		n += len(r.Value.List())
	}
	if n == 0 {
		return nil
	}
	flat := stage[T](w, n)
	rest := flat
	for r := range each[T](model) {
		rest = rest[copy(rest, r.Value.List()):]
	}
	if err := w.link.broadcast(w.flat[:w.Size()*share[T](w, n)]); err != nil {
		return err
	}
	for r := range each[T](model) {
		flat = flat[copy(r.Value.List(), flat):]
		r.Value.Store()
	}
	return nil
}
