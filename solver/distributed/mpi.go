//go:build mpi && cgo

package distributed

/*
#cgo pkg-config: ompi-c
#include <stdlib.h>
#include <mpi.h>

static int start(int *provided, int *rank, int *size) {
	int err = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, provided);
	if (err == MPI_SUCCESS) err = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if (err == MPI_SUCCESS) err = MPI_Comm_rank(MPI_COMM_WORLD, rank);
	if (err == MPI_SUCCESS) err = MPI_Comm_size(MPI_COMM_WORLD, size);
	return err;
}

static int enough(int provided) { return provided >= MPI_THREAD_FUNNELED; }

static int all_to_all(void *send, void *receive, int words) {
	return MPI_Alltoall(send, words, MPI_UINT64_T, receive, words, MPI_UINT64_T, MPI_COMM_WORLD);
}

static int all_gather(void *x, int words) {
	return MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x, words, MPI_UINT64_T, MPI_COMM_WORLD);
}

static int broadcast(void *x, int words) {
	return MPI_Bcast(x, words, MPI_UINT64_T, 0, MPI_COMM_WORLD);
}

static void abort_all(void) { MPI_Abort(MPI_COMM_WORLD, 1); }
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// openMPI is a link. All calls of MPI are made by one goroutine on one thread,
// the one that initialised it, which is what MPI_THREAD_FUNNELED asks for.
type openMPI struct {
	rankOf, sizeOf int
	calls          chan call
	results        chan error
}

// call is of one of MPI's functions.
type call struct {
	function      function
	send, receive unsafe.Pointer
	words         int
}

type function int

const (
	allToAll function = iota
	allGather
	broadcast
	finalize
	abort
)

var names = [...]string{"MPI_Alltoall", "MPI_Allgather", "MPI_Bcast", "MPI_Finalize", "MPI_Abort"}

// connected is set for good: MPI cannot be initialised twice.
var connected atomic.Bool

func connect() (link, error) {
	if connected.Swap(true) {
		return nil, errors.New("distributed: Start has been called before; MPI can be started once in a process")
	}
	m := &openMPI{calls: make(chan call), results: make(chan error)}
	go m.serve()
	return m, <-m.results
}

// serve makes the calls. Its thread, locked to it, ends with it.
func (m *openMPI) serve() {
	runtime.LockOSThread()
	err := m.initialise()
	m.results <- err
	if err != nil {
		return
	}
	for c := range m.calls {
		m.results <- m.do(c)
		if c.function == finalize {
			return
		}
	}
}

func (m *openMPI) initialise() error {
	var provided, rank, size C.int
	if code := C.start(&provided, &rank, &size); code != C.MPI_SUCCESS {
		return failure("MPI_Init_thread", code)
	}
	if C.enough(provided) == 0 {
		return errors.New("distributed: this MPI cannot be used by a process with threads; it must provide MPI_THREAD_FUNNELED")
	}
	m.rankOf, m.sizeOf = int(rank), int(size)
	return nil
}

func (m *openMPI) do(c call) error {
	var code C.int
	switch c.function {
	case allToAll:
		code = C.all_to_all(c.send, c.receive, C.int(c.words))
	case allGather:
		code = C.all_gather(c.send, C.int(c.words))
	case broadcast:
		code = C.broadcast(c.send, C.int(c.words))
	case finalize:
		code = C.MPI_Finalize()
	case abort:
		C.abort_all()
	}
	if code != C.MPI_SUCCESS {
		return failure(names[c.function], code)
	}
	return nil
}

func failure(function string, code C.int) error {
	var text [C.MPI_MAX_ERROR_STRING]C.char
	var length C.int
	C.MPI_Error_string(code, &text[0], &length)
	return fmt.Errorf("distributed: %s: %s", function, C.GoStringN(&text[0], length))
}

func (m *openMPI) call(c call) error {
	if c.words > math.MaxInt32 {
		return fmt.Errorf("distributed: %s: %d words in one message are more than MPI can count; train with more ranks", names[c.function], c.words)
	}
	m.calls <- c
	return <-m.results
}

func (m *openMPI) rank() int { return m.rankOf }
func (m *openMPI) size() int { return m.sizeOf }

// memory is C's: networks that read memory by themselves keep track of what C
// returns to the system, and do not see what Go returns.
func (m *openMPI) memory(words int, old []uint64) []uint64 {
	C.free(unsafe.Pointer(unsafe.SliceData(old)))
	if words == 0 {
		return nil
	}
	return unsafe.Slice((*uint64)(C.malloc(C.size_t(8*words))), words) // cgo's malloc does not return NULL
}

func (m *openMPI) allToAll(send, receive []uint64) error {
	return m.call(call{allToAll, unsafe.Pointer(&send[0]), unsafe.Pointer(&receive[0]), len(send) / m.sizeOf})
}

func (m *openMPI) allGather(x []uint64) error {
	return m.call(call{allGather, unsafe.Pointer(&x[0]), nil, len(x) / m.sizeOf})
}

func (m *openMPI) broadcast(x []uint64) error {
	return m.call(call{broadcast, unsafe.Pointer(&x[0]), nil, len(x)})
}

func (m *openMPI) finalize() error { return m.call(call{function: finalize}) }

// abort ends the process without MPI if a call is under way, which may never
// return: whoever started the ranks then ends the others.
func (m *openMPI) abort() {
	select {
	case m.calls <- call{function: abort}:
		<-m.results
	default:
	}
	os.Exit(1)
}
