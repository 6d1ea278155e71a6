package blas

import (
	"sync"

	"github.com/seed1e560811/funnel/solver/internal/team"
)

// workspace is a routine's memory besides its arguments. It is reused, by one caller at a time.
type workspace[T float] struct {
	whole         product[T]
	rows, columns int // of a piece of whole
	team          team.Team
	work          func(piece int) // w.piece, made once, so that a product does not allocate it
	scratches     *pool[scratch[T]]
	x, y, result  buffer[T]
}

func newWorkspace[T float](scratches *pool[scratch[T]]) *workspace[T] {
	w := &workspace[T]{scratches: scratches}
	w.work = w.piece
	return w
}

var (
	scratches32  = pool[scratch[float32]]{make: func() *scratch[float32] { return new(scratch[float32]) }}
	scratches64  = pool[scratch[float64]]{make: func() *scratch[float64] { return new(scratch[float64]) }}
	workspaces32 = pool[workspace[float32]]{make: func() *workspace[float32] { return newWorkspace(&scratches32) }}
	workspaces64 = pool[workspace[float64]]{make: func() *workspace[float64] { return newWorkspace(&scratches64) }}
)

// pool holds unused objects. get returns the one that was put last, which the caches may still
// hold. (A sync.Pool would be emptied now and then, and products would allocate.)
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
