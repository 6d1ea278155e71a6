package solver

import (
	"runtime"
	"sync/atomic"
)

// team does pieces of work on several cores. Which core does which piece must
// not matter. It allocates nothing once it has run.
//
// Waking a core takes longer than many a step. So nobody waits for a helper:
// one that comes late finds less to do. A helper stays for a moment when there
// is nothing left, for the next work of the same step, and then ends.
type team struct {
	work    func(piece int)
	left    atomic.Int64 // pieces that nobody has taken
	done    atomic.Int64 // pieces that are done
	helpers atomic.Int64
	member  func() // t.help, made once
}

// patience is how often a helper looks for work in vain before it ends: for
// some tens of microseconds.
const patience = 300

// do does all pieces, with as many workers at most, the caller being one, and
// returns when they are done.
func (t *team) do(pieces, workers int, work func(piece int)) {
	if workers = min(workers, pieces); workers <= 1 {
		for i := range pieces {
			work(i)
		}
		return
	}
	if t.member == nil {
		t.member = t.help
	}
	t.work = work
	t.done.Store(0)
	t.left.Store(int64(pieces)) // whoever takes one sees work
	for n := t.helpers.Load(); n < int64(workers-1); n++ {
		t.helpers.Add(1)
		go t.member()
	}
	for t.one() {
	}
	for t.done.Load() < int64(pieces) {
		runtime.Gosched()
	}
}

// one does a piece if one is left.
func (t *team) one() bool {
	for {
		n := t.left.Load()
		if n == 0 {
			return false
		}
		if t.left.CompareAndSwap(n, n-1) {
			t.work(int(n - 1))
			t.done.Add(1)
			return true
		}
	}
}

func (t *team) help() {
	for idle := 0; idle < patience; idle++ {
		if t.one() {
			idle = 0
		}
		runtime.Gosched()
	}
	t.helpers.Add(-1)
}
