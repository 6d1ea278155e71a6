package blas

import "sync"

// workspace is what a product needs beside its operands. It is used again, by one
// caller at a time.
type workspace[T float] struct {
	block  block[T]
	team   team[T]
	packB  func(piece int, s *scratch[T])
	update func(piece int, s *scratch[T])
}

// scratch is what one goroutine needs to do a piece.
type scratch[T float] struct {
	a [maxPieceRows * blockDepth]T  // packed
	c [panelRows * panelBytes / 4]T // a tile
}

func newWorkspace[T float](scratches *pool[scratch[T]]) *workspace[T] {
	w := new(workspace[T])
	w.team.scratches = scratches
	w.packB = func(piece int, _ *scratch[T]) { w.block.packB(piece) }
	w.update = w.block.update
	return w
}

// pool holds what nobody uses. It gives back what came last, which the caches may
// still hold. (A sync.Pool would be emptied now and then, and products allocate.)
type pool[E any] struct {
	mutex sync.Mutex
	idle  []*E
	make  func() *E
}

func (p *pool[E]) get() *E {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if n := len(p.idle); n > 0 {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return e
	}
	return p.make()
}

func (p *pool[E]) put(e *E) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.idle = append(p.idle, e)
}
