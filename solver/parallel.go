package solver

import (
	"runtime"
	"sync/atomic"
)

// pool does work in pieces on several cores. Which core does which piece must not
// matter. It allocates nothing once it has run.
//
// Waking a core takes longer than many a step, so nobody waits for a helper to
// begin, and one that has nothing left to do looks for more work for a moment
// before it ends: the second pass of a step follows the first at once. With
// goroutines that end after each pass, a step of a million parameters takes 15%
// longer on two cores.
type pool struct {
	work    func(piece int)
	left    atomic.Int64 // pieces that nobody has taken
	done    atomic.Int64 // pieces that are done
	helpers atomic.Int64 // that have not ended
	help    func()       // made once, so that a step does not allocate it
}

// patience is how many times in a row a helper looks for work in vain before it
// ends: some tens of microseconds.
const patience = 300

// do does all pieces with at most so many workers, of which the caller is one.
func (p *pool) do(pieces, workers int, work func(piece int)) {
	workers = min(workers, pieces)
	if workers <= 1 {
		for i := range pieces {
			work(i)
		}
		return
	}
	if p.help == nil {
		p.help = p.wait
	}
	p.work = work
	p.done.Store(0)
	p.left.Store(int64(pieces)) // whoever takes a piece from here on sees the work
	for p.helpers.Load() < int64(workers-1) {
		p.helpers.Add(1)
		go p.help()
	}
	for p.take() {
	}
	for p.done.Load() < int64(pieces) {
		runtime.Gosched()
	}
}

// take does a piece, if one is left.
func (p *pool) take() bool {
	for {
		n := p.left.Load()
		if n == 0 {
			return false
		}
		if p.left.CompareAndSwap(n, n-1) {
			p.work(int(n - 1))
			p.done.Add(1)
			return true
		}
	}
}

// wait is what a helper does until it ends.
func (p *pool) wait() {
	for vain := 0; vain < patience; vain++ {
		if p.take() {
			vain = 0
		}
		runtime.Gosched()
	}
	p.helpers.Add(-1)
}
