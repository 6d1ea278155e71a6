package distributed

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// World is all processes of a job, as one of them sees it. It belongs to the
// goroutine that called Start, but for Abort. Its methods and the steps of a
// Solver are collective: every rank calls them in the same order.
type World struct {
	link link

	// what is sent and received, kept from one call to the next
	flat, pieces, words []uint64
}

// link moves words of 64 bits between ranks. The slices are from memory.
type link interface {
	rank() int
	size() int
	memory(words int, old []uint64) []uint64 // old is not to be used again
	allToAll(send, receive []uint64) error   // piece i of send goes to rank i
	allGather(x []uint64) error              // piece i of x comes from rank i
	broadcast(x []uint64) error              // from rank 0
	finalize() error
	abort()
}

// Start joins the job that mpirun, or srun, started this process for. A process
// that nobody started so is a job of its own, of one rank. It can be called once.
// It locks the goroutine to its thread, which makes all calls of MPI, until Close.
func Start() (*World, error) {
	l, err := connect()
	if err != nil {
		return nil, err
	}
	return &World{link: l}, nil
}

// Rank is the number of this process in the job, from 0.
func (w *World) Rank() int { return w.link.rank() }

// Size is the number of processes in the job.
func (w *World) Size() int { return w.link.size() }

// Close leaves the job, when all ranks do. A process that exits otherwise ends
// the whole job with a failure.
func (w *World) Close() error {
	w.flat, w.pieces, w.words = w.link.memory(0, w.flat), w.link.memory(0, w.pieces), w.link.memory(0, w.words)
	return w.link.finalize()
}

// Abort says on stderr which rank failed, and why, and ends all processes of the
// job with exit status 1. Any goroutine may call it at any time. It does not
// return.
func (w *World) Abort(err error) {
	fmt.Fprintf(os.Stderr, "rank %d: %v\n", w.Rank(), err)
	w.link.abort()
}

// AllReduce replaces x, which is as long on every rank, by its sum over all
// ranks. The result is the same on every rank, to the bit. An error is MPI's, and
// leaves nothing to go on with; Abort ends the other ranks, too.
func AllReduce[T float32 | float64](w *World, x []T) error {
	copy(stage[T](w, len(x)), x)
	if err := reduce[T](w, len(x), 1); err != nil {
		return err
	}
	copy(x, floats[T](w.flat))
	return nil
}

// Broadcast returns rank 0's b on every rank; that of others does not matter. Errors are
// as AllReduce's.
func (w *World) Broadcast(b []byte) ([]byte, error) {
	x := w.reserve(&w.words, 1)
	x[0] = uint64(len(b))
	if err := w.link.broadcast(x); err != nil {
		return nil, err
	}
	n := int(x[0])
	if n == 0 {
		return nil, nil
	}
	x = w.reserve(&w.flat, (n+7)/8)
	if w.Rank() == 0 {
		copy(bytesOf(x), b)
	}
	if err := w.link.broadcast(x); err != nil {
		return nil, err
	}
	return append([]byte(nil), bytesOf(x)[:n]...), nil
}

// reserve makes a buffer at least n words long, and returns them.
func (w *World) reserve(buffer *[]uint64, n int) []uint64 {
	if len(*buffer) < n {
		*buffer = w.link.memory(n, *buffer)
	}
	return (*buffer)[:n]
}

// stage is where n numbers go that reduce is to add up.
func stage[T kernel.Float](w *World, n int) []T {
	x := w.reserve(&w.flat, w.Size()*share[T](w, n))
	all := floats[T](x)
	clear(all[n:])
	return all[:n]
}

// share is how many words of n numbers each rank adds up.
func share[T kernel.Float](w *World, n int) int {
	perWord := 8 / int(unsafe.Sizeof(T(0)))
	return (n + perWord*w.Size() - 1) / (perWord * w.Size())
}

// reduce replaces the n numbers that are staged by their sum over all ranks,
// divided. Each rank adds up a share of them, in the order of the ranks: as many
// bytes are sent as in the best all-reduce, and the order is no business of
// MPI's.
func reduce[T kernel.Float](w *World, n int, divisor float64) error {
	words := share[T](w, n)
	if words == 0 {
		return nil
	}
	flat := w.flat[:w.Size()*words]
	pieces := w.reserve(&w.pieces, len(flat))
	if err := w.link.allToAll(flat, pieces); err != nil {
		return err
	}
	add(floats[T](flat[w.Rank()*words:][:words]), floats[T](pieces), divisor)
	return w.link.allGather(flat)
}

// add sets sum to that of the pieces, each as long as it is, divided. In float64
// the average of finite float32 is finite, and all but exact.
func add[T kernel.Float](sum, pieces []T, divisor float64) {
	n := len(sum)
	for i := range sum {
		s := float64(pieces[i])
		for j := i + n; j < len(pieces); j += n {
			s += float64(pieces[j])
		}
		sum[i] = T(s / divisor)
	}
}

func floats[T kernel.Float](words []uint64) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8/int(unsafe.Sizeof(T(0))))
}

func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
}

// gather returns every rank's words, those of rank r from r·len(own) on.
func (w *World) gather(own []uint64) ([]uint64, error) {
	x := w.reserve(&w.words, w.Size()*len(own))
	copy(x[w.Rank()*len(own):], own)
	return x, w.link.allGather(x)
}
