package distributed

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// World is the processes of a job, as one of them sees them. Only the goroutine that called Start
// may use it, except for Abort. Its methods and the steps of a Solver are collective: every rank
// calls them in the same order.
type World struct {
	link link

	// send and receive buffers, reused
	flat, pieces, words []uint64
}

// link moves 64-bit words between ranks. The slices must come from memory.
type link interface {
	rank() int
	size() int
	memory(words int, old []uint64) []uint64 // old must not be used again
	allToAll(send, receive []uint64) error   // piece i of send goes to rank i
	allGather(x []uint64) error              // piece i of x comes from rank i
	broadcast(x []uint64) error              // from rank 0
	finalize() error
	abort()
}

// Start joins the job for which mpirun or srun started this process. Any other process is a job of
// its own, of one rank. Start can be called once. Until Close, it locks the goroutine to its
// thread, which makes all calls of MPI.
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

// Close leaves the job, once all ranks do. A process that exits without it makes the whole job
// fail.
func (w *World) Close() error {
	w.flat, w.pieces, w.words = w.link.memory(0, w.flat), w.link.memory(0, w.pieces), w.link.memory(0, w.words)
	return w.link.finalize()
}

// Abort prints the rank and err on stderr, and ends all processes of the job with exit status 1.
// Any goroutine may call it at any time. It does not return.
func (w *World) Abort(err error) {
	fmt.Fprintf(os.Stderr, "rank %d: %v\n", w.Rank(), err)
	w.link.abort()
}

// AllReduce replaces x, which must have the same length on every rank, by its sum over all ranks.
// The result is the same on every rank, to the bit. An error is MPI's, after which the job cannot
// continue; Abort ends the other ranks.
func AllReduce[T float32 | float64](w *World, x []T) error {
	copy(stage[T](w, len(x)), x)
	if err := reduce[T](w, len(x), 1); err != nil {
		return err
	}
	copy(x, floats[T](w.flat))
	return nil
}

// Broadcast returns rank 0's b on every rank, and ignores the others'. Errors are as AllReduce's.
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

// reserve returns n words of a buffer, which it grows if needed.
func (w *World) reserve(buffer *[]uint64, n int) []uint64 {
	if len(*buffer) < n {
		*buffer = w.link.memory(n, *buffer)
	}
	return (*buffer)[:n]
}

// stage returns the buffer for n numbers that reduce is to add up.
func stage[T kernel.Float](w *World, n int) []T {
	x := w.reserve(&w.flat, w.Size()*share[T](w, n))
	all := floats[T](x)
	clear(all[n:])
	return all[:n]
}

// share returns how many words each rank adds up, of n numbers in all.
func share[T kernel.Float](w *World, n int) int {
	perWord := 8 / int(unsafe.Sizeof(T(0)))
	return (n + perWord*w.Size() - 1) / (perWord * w.Size())
}

// reduce replaces the n staged numbers by their sum over all ranks, divided by divisor. Each rank
// adds up its share, in the order of the ranks. That sends as many bytes as the best all-reduce,
// and makes the order independent of MPI.
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

// add sets sum to the sum of the pieces, divided by divisor. Each piece is as long as sum. In
// float64 the average of finite float32 is finite and almost exact.
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

// gather returns the words of every rank, those of rank r from index r·len(own) on.
func (w *World) gather(own []uint64) ([]uint64, error) {
	x := w.reserve(&w.words, w.Size()*len(own))
	copy(x[w.Rank()*len(own):], own)
	return x, w.link.allGather(x)
}
