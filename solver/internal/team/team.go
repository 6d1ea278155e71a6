// Package team runs the pieces of a task on several cores.
package team

import (
	"runtime"
	"sync/atomic"
)

// Team is a group of goroutines that share a task. The result must not depend on which of them does
// which piece. After its first task a Team allocates nothing.
//
// Waking a core takes longer than many pieces do. So Do does not wait for a helper to begin: a late
// one finds less to do. And a helper without work looks for more for a moment before it ends: with
// goroutines that end at once, a step of a million parameters, which calls Do twice, takes 15%
// longer on two cores.
type Team struct {
	work    func(piece int)
	left    atomic.Int64 // pieces that nobody has taken
	done    atomic.Int64 // pieces that are done
	helpers atomic.Int64 // goroutines that have not ended
	help    func()       // made once, so that Do does not allocate it
}

const (
	// patience is how many times in a row a helper finds no work before it ends: some tens of
	// microseconds.
	patience = 300
	// spins is how many times the caller polls for the last pieces before it yields to other
	// goroutines. Gorgonia's machines lock their goroutine to a thread, which makes yielding slow.
	spins = 20_000
)

// Do does all pieces, with at most this many workers including the caller, and returns when they
// are done.
func (t *Team) Do(pieces, workers int, work func(piece int)) {
	workers = min(workers, pieces)
	if workers <= 1 {
		for i := range pieces {
			work(i)
		}
		return
	}
	if t.help == nil {
		t.help = t.wait
	}
	t.work = work
	t.done.Store(0)
	t.left.Store(int64(pieces)) // publishes work to whoever takes a piece
	for t.helpers.Load() < int64(workers-1) {
		t.helpers.Add(1)
		go t.help()
	}
	for t.take() {
	}
	for i := 0; t.done.Load() < int64(pieces); i++ {
		if i > spins {
			runtime.Gosched()
		}
	}
}

// take does a piece, if one is left.
func (t *Team) take() bool {
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

// wait is the body of a helper.
func (t *Team) wait() {
	for vain := 0; vain < patience; vain++ {
		if t.take() {
			vain = 0
		}
		runtime.Gosched()
	}
	t.helpers.Add(-1)
}
