//go:build mpi && cgo

package distributed

/*
#cgo pkg-config: ompi-c
#include <limits.h>
#include <stdlib.h>
#include <mpi.h>

static int start(int *provided, int *rank, int *size) {
	int err = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, provided);
	if (err == MPI_SUCCESS) err = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if (err == MPI_SUCCESS) err = MPI_Comm_rank(MPI_COMM_WORLD, rank);
	if (err == MPI_SUCCESS) err = MPI_Comm_size(MPI_COMM_WORLD, size);
	return err;
}

static int serialized(int provided) { return provided >= MPI_THREAD_SERIALIZED; }

static int all_to_all(void *send, void *receive, size_t words) {
	if (words > INT_MAX) return MPI_ERR_COUNT;
	return MPI_Alltoall(send, words, MPI_UINT64_T, receive, words, MPI_UINT64_T, MPI_COMM_WORLD);
}

static int all_gather(void *x, size_t words) {
	if (words > INT_MAX) return MPI_ERR_COUNT;
	return MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x, words, MPI_UINT64_T, MPI_COMM_WORLD);
}

static int broadcast(void *x, size_t words) {
	if (words > INT_MAX) return MPI_ERR_COUNT;
	return MPI_Bcast(x, words, MPI_UINT64_T, 0, MPI_COMM_WORLD);
}

static void abort_all(void) { MPI_Abort(MPI_COMM_WORLD, 1); }
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// openMPI is a link. One thread makes all calls: that of the goroutine that started MPI, which is
// locked to it. (Waking a dedicated thread would take 0.2 ms, measured with two ranks on two cores,
// for a call of 1 µs.) Only an abort may come from elsewhere, which MPI_THREAD_SERIALIZED allows.
type openMPI struct {
	rankOf, sizeOf int
	calls          sync.Mutex
}

// connected is never reset: MPI cannot be initialised twice.
var connected atomic.Bool

func connect() (link, error) {
	if connected.Swap(true) {
		return nil, errors.New("distributed: Start has been called before; MPI can be started once in a process")
	}
	runtime.LockOSThread()
	m := new(openMPI)
	if err := m.initialise(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return m, nil
}

func (m *openMPI) initialise() error {
	var provided, rank, size C.int
	if err := result("MPI_Init_thread", C.start(&provided, &rank, &size)); err != nil {
		return err
	}
	if C.serialized(provided) == 0 {
		return errors.New("distributed: this MPI cannot be called from several threads, not even in turn; use one that provides MPI_THREAD_SERIALIZED")
	}
	m.rankOf, m.sizeOf = int(rank), int(size)
	return nil
}

// result returns the error for a return code of MPI.
func result(function string, code C.int) error {
	if code == C.MPI_SUCCESS {
		return nil
	}
	var text [C.MPI_MAX_ERROR_STRING]C.char
	var length C.int
	C.MPI_Error_string(code, &text[0], &length)
	return fmt.Errorf("distributed: %s: %s", function, C.GoStringN(&text[0], length))
}

func (m *openMPI) rank() int { return m.rankOf }
func (m *openMPI) size() int { return m.sizeOf }

// memory is allocated by C: networks that access memory directly notice when C returns memory to
// the system, but not when Go does.
func (m *openMPI) memory(words int, old []uint64) []uint64 {
	C.free(unsafe.Pointer(unsafe.SliceData(old)))
	if words == 0 {
		return nil
	}
	return unsafe.Slice((*uint64)(C.malloc(C.size_t(8*words))), words) // cgo's malloc does not return NULL
}

func (m *openMPI) allToAll(send, receive []uint64) error {
	m.calls.Lock()
	defer m.calls.Unlock()
	return result("MPI_Alltoall", C.all_to_all(unsafe.Pointer(&send[0]), unsafe.Pointer(&receive[0]), C.size_t(len(send)/m.sizeOf)))
}

func (m *openMPI) allGather(x []uint64) error {
	m.calls.Lock()
	defer m.calls.Unlock()
	return result("MPI_Allgather", C.all_gather(unsafe.Pointer(&x[0]), C.size_t(len(x)/m.sizeOf)))
}

func (m *openMPI) broadcast(x []uint64) error {
	m.calls.Lock()
	defer m.calls.Unlock()
	return result("MPI_Bcast", C.broadcast(unsafe.Pointer(&x[0]), C.size_t(len(x))))
}

func (m *openMPI) finalize() error {
	m.calls.Lock()
	defer m.calls.Unlock()
	defer runtime.UnlockOSThread()
	return result("MPI_Finalize", C.MPI_Finalize())
}

// abort ends the process without MPI if a call is under way, which may never return. The launcher
// then ends the other ranks.
func (m *openMPI) abort() {
	if m.calls.TryLock() {
		C.abort_all()
	}
	os.Exit(1)
}
