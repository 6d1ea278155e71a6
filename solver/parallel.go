package solver

import (
	"sync"
	"sync/atomic"
)

// job is work in pieces that several cores share. Which core does which piece
// must not matter. It allocates nothing once it has run.
//
// Waking a core takes longer than many a step, so nobody waits for a helper to
// begin: one that comes late finds no piece left, or one of the next time that
// the job is done, which it may take.
type job struct {
	work    func(piece int)
	left    atomic.Int64   // pieces that nobody has taken
	pending sync.WaitGroup // pieces that are not done
	helpers atomic.Int64   // that have not ended
	help    func()
}

func (j *job) init(work func(piece int)) {
	j.work = work
	j.help = func() {
		j.take()
		j.helpers.Add(-1)
	}
}

// do does all pieces with at most so many workers, of which the caller is one.
func (j *job) do(pieces, workers int) {
	workers = min(workers, pieces)
	if workers <= 1 {
		for i := range pieces {
			j.work(i)
		}
		return
	}
	j.pending.Add(pieces)
	j.left.Store(int64(pieces))
	for j.helpers.Load() < int64(workers-1) {
		j.helpers.Add(1)
		go j.help()
	}
	j.take()
	j.pending.Wait()
}

// take does pieces for as long as there are any.
func (j *job) take() {
	for n := j.left.Add(-1); n >= 0; n = j.left.Add(-1) {
		j.work(int(n))
		j.pending.Done()
	}
}
