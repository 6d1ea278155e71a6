package blas

import (
	"runtime"
	"sync/atomic"
)

// team does pieces of work on several cores. Which core does which piece does not
// matter. It allocates nothing once it has run.
//
// Waking a core takes longer than many a product. So nobody waits for a helper:
// one that comes late finds less to do. A helper stays for a moment when there is
// nothing left, for the next product, and then ends.
type team[T float] struct {
	scratches *pool[scratch[T]]
	work      func(piece int, s *scratch[T])
	member    func()       // t.help
	left      atomic.Int64 // pieces that nobody has taken
	done      atomic.Int64 // pieces that are done
	helpers   atomic.Int64
}

const (
	// patience is how often a helper looks for work in vain before it ends: for
	// some tens of microseconds.
	patience = 300
	// spins is how often the caller looks whether the last pieces are done before
	// it lets other goroutines run. Gorgonia's machines lock their goroutine to a
	// thread, for which that is slow.
	spins = 20_000
)

// do does all pieces, with as many workers at most, the caller being one, and
// returns when they are done.
func (t *team[T]) do(pieces, workers int) {
	s := t.scratches.get()
	defer t.scratches.put(s)
	if workers = min(workers, pieces); workers <= 1 {
		for i := range pieces {
			t.work(i, s)
		}
		return
	}
	t.done.Store(0)
	t.left.Store(int64(pieces)) // whoever takes one sees work
	for n := t.helpers.Load(); n < int64(workers-1); n++ {
		t.helpers.Add(1)
		go t.member()
	}
	for t.one(s) {
	}
	for i := 0; t.done.Load() < int64(pieces); i++ {
		if i > spins {
			runtime.Gosched()
		}
	}
}

// one does a piece if one is left.
func (t *team[T]) one(s *scratch[T]) bool {
	for {
		n := t.left.Load()
		if n == 0 {
			return false
		}
		if t.left.CompareAndSwap(n, n-1) {
			t.work(int(n-1), s)
			t.done.Add(1)
			return true
		}
	}
}

func (t *team[T]) help() {
	s := t.scratches.get()
	for idle := 0; idle < patience; idle++ {
		if t.one(s) {
			idle = 0
		}
		runtime.Gosched()
	}
	t.scratches.put(s)
	t.helpers.Add(-1)
}
