package param

import (
	"cmp"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"unsafe"
	"weak"

	"gorgonia.org/gorgonia"
)

// State is a solver's state of one parameter. It must not refer to the parameter's memory except
// between Bind and Release, or that memory would never be collected.
type State interface {
	Bind(name string, value, gradient gorgonia.Value) error
	Extents() (value, gradient Extent)
	ShareGradient() // called if another parameter has the same gradient
	Release()
}

// Registry maps the memory that holds a parameter's value to a solver's state. It keeps the memory
// of the model released last alive, so that the state can be read when the model is no longer in
// use. The state for other memory is dropped once nothing else refers to that memory.
//
// Parameters without elements have no memory and nothing to step: they are checked and left out.
type Registry[S State] struct {
	mu      sync.Mutex // because the runtime's cleanups delete entries at any time
	entries map[uintptr]*entry[S]
	added   int     // number of entries so far, for their order
	models  int     // number of models released so far
	last    []*byte // the memory of the model released last, or added since

	// valid from Bind to Release
	model     []gorgonia.ValueGrad
	bound     []*entry[S]
	states    []S
	extents   []Extent
	gradients []Extent // position is the index in bound
}

type entry[S State] struct {
	state   S
	address uintptr
	memory  weak.Pointer[byte]
	lasting bool // not memory of Go's heap, so never freed
	cleanup runtime.Cleanup
	order   int
	within  int  // number of the last model that had it
	small   bool // smaller than sharedBlock, so neighbours may keep its memory alive
	fresh   bool // made by the current Bind
	at      int  // position in the model, from Bind to Release; else -1
}

func (e *entry[S]) alive() bool { return e.lasting || e.memory.Value() != nil }

// NewRegistry returns a registry that knows no parameter.
func NewRegistry[S State]() *Registry[S] {
	return &Registry[S]{entries: map[uintptr]*entry[S]{}}
}

// Bind finds the state and the memory of every parameter of a model; on an error it changes
// nothing. create makes the state for new memory. A parameter that the model lists twice is bound
// once. Call Release or Forget afterwards.
func (r *Registry[S]) Bind(model []gorgonia.ValueGrad, create func(value gorgonia.Value) S) error {
	return r.bind(model, create, true)
}

// BindValues is Bind without gradients.
func (r *Registry[S]) BindValues(model []gorgonia.ValueGrad, create func(value gorgonia.Value) S) error {
	return r.bind(model, create, false)
}

func (r *Registry[S]) bind(model []gorgonia.ValueGrad, create func(gorgonia.Value) S, gradients bool) error {
	r.model = model
	for i, vg := range model {
		if err := r.bindOne(i, vg, create, gradients); err != nil {
			r.Forget()
			return Blame(err, vg, i)
		}
	}
	r.shareGradients()
	if i, err := Overlap(r.extents); err != nil {
		r.Forget()
		return Blame(err, model[i], i)
	}
	return nil
}

// keep makes last refer to the memory of the bound model instead of the previous one's. A model
// without elements changes nothing.
func (r *Registry[S]) keep() {
	if len(r.bound) == 0 {
		return
	}
	clear(r.last)
	r.last = r.last[:0]
	r.models++
	for _, e := range r.bound {
		e.within = r.models
		r.last = append(r.last, e.memory.Value())
	}
}

func (r *Registry[S]) bindOne(i int, vg gorgonia.ValueGrad, create func(gorgonia.Value) S, gradients bool) error {
	value, err := Value(vg)
	if err != nil {
		return err
	}
	var gradient gorgonia.Value
	if gradients {
		if gradient, err = Gradient(vg); err != nil {
			return err
		}
	}
	at := address(value)
	if at == nil {
		return create(value).Bind("", value, gradient)
	}
	e := r.find(at)
	switch {
	case e == nil:
		e = r.add(at, value, create(value))
		e.fresh = true
	case e.at >= 0 && Same(vg, r.model[e.at]):
		return nil
	case e.at >= 0:
		return fmt.Errorf("%w: it is in one place with number %d; %s", ErrShared, e.at+1, shareAdvice)
	}
	e.at = i
	r.bound, r.states = append(r.bound, e), append(r.states, e.state)
	if err := e.state.Bind(Name(vg), value, gradient); err != nil {
		return err
	}
	v, g := e.state.Extents()
	r.extents = append(r.extents, v.OfValue(i))
	if gradients {
		r.gradients = append(r.gradients, g.OfGradient(len(r.bound)-1))
	}
	return nil
}

// shareGradients finds parameters with the same gradient memory. Gorgonia does that where no dual
// values are bound and one node is the derivative of several. All but the first get a copy, and
// Overlap sees the memory once.
func (r *Registry[S]) shareGradients() {
	slices.SortStableFunc(r.gradients, func(a, b Extent) int { return cmp.Compare(a.from, b.from) })
	for i, g := range r.gradients {
		if i > 0 && g.from < g.to && g.from == r.gradients[i-1].from && g.to == r.gradients[i-1].to {
			r.states[g.position].ShareGradient()
			continue
		}
		r.extents = append(r.extents, g.OfGradient(r.bound[g.position].at))
	}
}

// Same reports whether two items of a model are the same parameter.
func Same(a, b gorgonia.ValueGrad) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// find returns the entry of the memory that begins at an address, or nil, also if an entry's memory
// is gone and the address has been reused.
func (r *Registry[S]) find(at *byte) *entry[S] {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[uintptr(unsafe.Pointer(at))]
	if e == nil || !e.alive() {
		return nil
	}
	return e
}

// sharedBlock is the size of the blocks in which Go's allocator puts several smaller values without
// pointers.
const sharedBlock = 16

func (r *Registry[S]) add(at *byte, value gorgonia.Value, state S) *entry[S] {
	e := &entry[S]{state: state, address: uintptr(unsafe.Pointer(at)), order: r.added, within: r.models, at: -1}
	e.small = value.Shape().TotalSize()*int(value.Dtype().Size()) < sharedBlock
	r.added++
	if e.lasting = !r.watch(at, e); !e.lasting {
		e.memory = weak.Make(at)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries[e.address] = e
	return e
}

// watch drops the state of a parameter with its memory. It returns false if the memory is not of
// Go's heap, for instance a mapped file's.
func (r *Registry[S]) watch(at *byte, e *entry[S]) (ok bool) {
	defer func() { ok = recover() == nil }()
	e.cleanup = runtime.AddCleanup(at, bury[S], place[S]{weak.Make(r), e.address})
	return true
}

// place is an address in a registry. It keeps neither the registry nor the memory alive.
type place[S State] struct {
	registry weak.Pointer[Registry[S]]
	address  uintptr
}

// bury deletes the entry of memory that has been freed, unless new memory already has its address.
func bury[S State](p place[S]) {
	r := p.registry.Value()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[p.address]; e != nil && !e.alive() {
		delete(r.entries, p.address)
	}
}

// Bound returns the states of the bound parameters, in the order of the model.
func (r *Registry[S]) Bound() []S { return r.states }

// Position returns the position in the model, from 0, at which the i-th bound parameter is first
// listed.
func (r *Registry[S]) Position(i int) int { return r.bound[i].at }

// Blame returns err with the name and position of the i-th bound parameter.
func (r *Registry[S]) Blame(i int, err error) error {
	at := r.Position(i)
	return Blame(err, r.model[at], at)
}

// Forget ends the use of the bound model and undoes Bind.
func (r *Registry[S]) Forget() {
	r.mu.Lock()
	for _, e := range r.bound {
		if e.fresh {
			e.cleanup.Stop()
			delete(r.entries, e.address)
		}
	}
	r.mu.Unlock()
	r.unbind()
}

// Release ends the use of the bound model and keeps its states and its memory.
func (r *Registry[S]) Release() {
	r.keep()
	r.unbind()
}

func (r *Registry[S]) unbind() {
	for _, e := range r.bound {
		e.state.Release()
		e.at, e.fresh = -1, false
	}
	clear(r.bound)
	clear(r.states)
	r.model, r.bound, r.states, r.extents, r.gradients = nil, r.bound[:0], r.states[:0], r.extents[:0], r.gradients[:0]
}

// LetGo undoes keep, so that the states of a model that is not in use are dropped.
func (r *Registry[S]) LetGo() { clear(r.last) }

// Add gives a parameter a state, unless it has no elements.
func (r *Registry[S]) Add(value gorgonia.Value, state S) {
	if at := address(value); at != nil {
		r.add(at, value, state)
		r.last = append(r.last, at)
	}
}

// Of returns the state of the parameter with this value.
func (r *Registry[S]) Of(value gorgonia.Value) (state S, ok bool) {
	if at := address(value); at != nil {
		if e := r.find(at); e != nil {
			return e.state, true
		}
	}
	return state, false
}

// All returns the states of all parameters whose memory lives, in the order in which they were
// first seen.
func (r *Registry[S]) All() []S {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := make([]*entry[S], 0, len(r.entries))
	for _, e := range r.entries {
		if e.alive() {
			live = append(live, e)
		}
	}
	slices.SortFunc(live, func(a, b *entry[S]) int { return cmp.Compare(a.order, b.order) })
	states := make([]S, len(live))
	for i, e := range live {
		states[i] = e.state
	}
	return states
}

// Forgotten reports whether a parameter may be unused although its memory lives: it was not in the
// last model, and it is so small that its neighbours keep its memory alive.
func (r *Registry[S]) Forgotten(state S) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		if any(e.state) == any(state) {
			return e.small && e.within < r.models
		}
	}
	return true
}
