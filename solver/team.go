package solver

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// team does pieces of work on all cores. Which core does which piece must not
// matter. It allocates nothing once it has run.
type team struct {
	work   func(piece int)
	pieces int64
	next   atomic.Int64
	done   sync.WaitGroup
	member func() // t.run, once and for all
}

// do does all pieces, at most one a goroutine at a time, and returns when they
// are done. One worker is the caller itself.
func (t *team) do(pieces, workers int, work func(piece int)) {
	if workers = min(workers, pieces, runtime.GOMAXPROCS(0)); workers <= 1 {
		for i := range pieces {
			work(i)
		}
		return
	}
	if t.member == nil {
		t.member = func() { t.run(); t.done.Done() }
	}
	t.work, t.pieces = work, int64(pieces)
	t.next.Store(0)
	t.done.Add(workers - 1)
	for range workers - 1 {
		go t.member()
	}
	t.run()
	t.done.Wait()
}

func (t *team) run() {
	for i := t.next.Add(1) - 1; i < t.pieces; i = t.next.Add(1) - 1 {
		t.work(int(i))
	}
}
