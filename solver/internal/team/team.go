// Package team does work in pieces on several cores.
package team

import (
	"runtime"
	"sync/atomic"
)

// Team is some cores that work together. Which of them does which piece must not
// matter. It allocates nothing once it has worked.
//
// Waking a core takes longer than many a piece. So nobody waits for a helper to
// begin: one that comes late finds less to do. And one that has nothing left to do
// looks for more for a moment before it ends: with goroutines that end at once, a
// step of a million parameters, which calls Do twice, takes 15% longer on two cores.
type Team struct {
	work    func(piece int)
	left    atomic.Int64 // pieces that nobody has taken
	done    atomic.Int64 // pieces that are done
	helpers atomic.Int64 // that have not ended
	help    func()       // made once, so that Do does not allocate it
}

const (
	// patience is how often in a row a helper looks for work in vain before it
	// ends: some tens of microseconds.
	patience = 300
	// spins is how often the caller looks whether the last pieces are done before
	// it lets other goroutines run. Gorgonia's machines lock their goroutine to a
	// thread, for which that is slow.
	spins = 20_000
)

// Do does all pieces with as many workers at most, of which the caller is one, and
// returns when they are done.
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
	t.left.Store(int64(pieces)) // whoever takes a piece from here on sees the work
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

// wait is what a helper does until it ends.
func (t *Team) wait() {
	for vain := 0; vain < patience; vain++ {
		if t.take() {
			vain = 0
		}
		runtime.Gosched()
	}
	t.helpers.Add(-1)
}
