package distributed

import "sync"

// InProcess is a job whose ranks are goroutines of this process: what does not
// depend on MPI is tested without it.
func InProcess(size int) []*World {
	h := &hub{size: size, sent: make([][]uint64, size)}
	h.all.L = &h.mutex
	worlds := make([]*World, size)
	for rank := range worlds {
		worlds[rank] = &World{link: &local{h, rank}}
	}
	return worlds
}

type hub struct {
	size           int
	mutex          sync.Mutex
	all            sync.Cond
	waiting, round int
	sent           [][]uint64 // by each rank
}

// wait returns when all ranks wait.
func (h *hub) wait() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.waiting++; h.waiting == h.size {
		h.waiting = 0
		h.round++
		h.all.Broadcast()
		return
	}
	for round := h.round; round == h.round; {
		h.all.Wait()
	}
}

type local struct {
	*hub
	number int
}

func (l *local) rank() int { return l.number }
func (l *local) size() int { return l.hub.size }

func (l *local) memory(words int, _ []uint64) []uint64 { return make([]uint64, words) }

// exchange lets receive read what all ranks have sent.
func (l *local) exchange(sent []uint64, receive func()) error {
	l.sent[l.number] = sent
	l.wait()
	receive()
	l.wait()
	return nil
}

func (l *local) allToAll(send, receive []uint64) error {
	n := len(send) / l.size()
	return l.exchange(send, func() {
		for rank, x := range l.sent {
			copy(receive[rank*n:], x[l.number*n:][:n])
		}
	})
}

func (l *local) allGather(x []uint64) error {
	n := len(x) / l.size()
	return l.exchange(x, func() {
		for rank, y := range l.sent {
			if rank != l.number {
				copy(x[rank*n:][:n], y[rank*n:])
			}
		}
	})
}

func (l *local) broadcast(x []uint64) error {
	return l.exchange(x, func() {
		if l.number != 0 {
			copy(x, l.sent[0])
		}
	})
}

func (l *local) finalize() error { return nil }
func (l *local) abort()          { panic("abort") }
