package solver

import (
	"fmt"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operand is a parameter in a step: its value and its gradient as lists.
type operand[T kernel.Float] struct {
	name            string
	shape           tensor.Shape
	value, gradient access.List[T]
}

func newOperand[T kernel.Float](vg gorgonia.ValueGrad, elements func(gorgonia.Value) ([]T, bool)) operand[T] {
	return operand[T]{
		name:     access.Name(vg),
		shape:    vg.Value().Shape().Clone(),
		value:    access.NewList(elements),
		gradient: access.NewList(elements),
	}
}

// bind finds the memory of value and gradient. The value's shape must be what
// it was at first, the gradient's the value's.
func (o *operand[T]) bind(value, gradient gorgonia.Value) error {
	if err := o.value.Bind(value); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	if err := o.gradient.Bind(gradient); err != nil {
		return fmt.Errorf("gradient: %w", err)
	}
	if err := o.fits(value); err != nil {
		return err
	}
	if !o.value.SameShape(&o.gradient) {
		return fmt.Errorf("%w: the value's shape is %v, the gradient's %v", ErrMismatch, value.Shape(), gradient.Shape())
	}
	return nil
}

// fits says whether the state of the parameter is still one of this value.
func (o *operand[T]) fits(value gorgonia.Value) error {
	if !o.value.Holds(value) {
		return fmt.Errorf("%w: the value's dtype was another and is %v now", ErrMismatch, value.Dtype())
	}
	if !sameElements(o.shape, value.Shape()) {
		return fmt.Errorf("%w: the value's shape was %v and is %v now", ErrMismatch, o.shape, value.Shape())
	}
	return nil
}

// sameElements compares shapes, but for dimensions of size 1.
func sameElements(a, b tensor.Shape) bool {
	for {
		for len(a) > 0 && a[0] == 1 {
			a = a[1:]
		}
		for len(b) > 0 && b[0] == 1 {
			b = b[1:]
		}
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if a[0] != b[0] {
			return false
		}
		a, b = a[1:], b[1:]
	}
}

func (o *operand[T]) extents() (value, gradient extent) {
	return extentOf(&o.value), extentOf(&o.gradient)
}

// store puts the lists that a kernel wrote where they belong.
func (o *operand[T]) store() {
	o.value.Store()
	o.gradient.Store()
}

// at is err with the place of the i-th element.
func (o *operand[T]) at(i int, err error) error {
	return &ParameterError{Index: access.Coordinates(i, o.shape), Err: err}
}

// checkGradient says where the gradient is not finite.
func (o *operand[T]) checkGradient(gradient []T) error {
	if i := kernel.FirstNonFinite(gradient); i >= 0 {
		return o.at(i, fmt.Errorf("%w: %v", ErrNonFiniteGradient, gradient[i]))
	}
	return nil
}

// checkValue says where the value is not finite.
func (o *operand[T]) checkValue(value []T) error {
	if i := kernel.FirstNonFinite(value); i >= 0 {
		return o.at(i, fmt.Errorf("%w: %v", ErrNonFiniteValue, value[i]))
	}
	return nil
}

// checkFinite says where the gradient or else the value is not finite. Their
// sums tell whether one is.
func (o *operand[T]) checkFinite(values, gradients []T, s kernel.Sums) error {
	if !isFinite(s.MaxGradient) {
		return o.checkGradient(gradients)
	}
	if !isFinite(s.MaxValue) {
		return o.checkValue(values)
	}
	return nil
}

// parameter is what a solver keeps of one parameter.
type parameter interface {
	bind(value, gradient gorgonia.Value) error
	extents() (value, gradient extent)
}

// registry knows the parameters of a solver by identity.
type registry[P parameter] struct {
	known map[gorgonia.ValueGrad]P
	order []gorgonia.ValueGrad // of first sight

	// of the step under way
	model     []gorgonia.ValueGrad
	bound     []P
	fresh     int                        // how many of order are new
	positions map[gorgonia.ValueGrad]int // in model
	extents   []extent
}

func (r *registry[P]) init() {
	r.known = map[gorgonia.ValueGrad]P{}
	r.positions = map[gorgonia.ValueGrad]int{}
}

func (r *registry[P]) add(vg gorgonia.ValueGrad, p P) {
	r.known[vg] = p
	r.order = append(r.order, vg)
}

// bind finds the state and the memory of every parameter of a model, or
// changes nothing. A parameter not seen before is made.
func (r *registry[P]) bind(model []gorgonia.ValueGrad, create func(gorgonia.ValueGrad, tensor.Dtype) P) error {
	if r.known == nil {
		r.init()
	}
	clear(r.positions)
	r.model, r.bound, r.fresh, r.extents = model, r.bound[:0], 0, r.extents[:0]
	for i, vg := range model {
		if err := r.bindOne(i, vg, create); err != nil {
			return r.refuse(i, err)
		}
	}
	if i, err := overlap(r.extents); err != nil {
		return r.refuse(i, err)
	}
	return nil
}

func (r *registry[P]) bindOne(i int, vg gorgonia.ValueGrad, create func(gorgonia.ValueGrad, tensor.Dtype) P) error {
	value, gradient, err := access.Extract(vg)
	if err != nil {
		return err
	}
	if j, ok := r.positions[vg]; ok {
		return fmt.Errorf("%w: as number %d, too", ErrRepeated, j+1)
	}
	r.positions[vg] = i
	p, ok := r.known[vg]
	if !ok {
		if err := access.CheckSupported(value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
		p = create(vg, value.Dtype())
		r.add(vg, p)
		r.fresh++
	}
	if err := p.bind(value, gradient); err != nil {
		return err
	}
	r.bound = append(r.bound, p)
	v, g := p.extents()
	v.position, g.position, g.gradient = i, i, true
	r.extents = append(r.extents, v, g)
	return nil
}

// refuse forgets what a step that fails has made new, and returns err with the
// name and position of the parameter at fault.
func (r *registry[P]) refuse(i int, err error) error {
	r.forget()
	return blame(err, r.model[i], i)
}

// blame is err with the name and position of a parameter.
func blame(err error, vg gorgonia.ValueGrad, position int) error {
	e, ok := err.(*ParameterError)
	if !ok {
		e = &ParameterError{Err: err}
	}
	e.Position = position
	if !access.IsNil(vg) {
		e.Name = access.Name(vg)
	}
	return e
}

// forget makes the parameters that are new to the step under way unknown again.
func (r *registry[P]) forget() {
	first := len(r.order) - r.fresh
	for _, vg := range r.order[first:] {
		delete(r.known, vg)
	}
	r.order, r.fresh = r.order[:first], 0
}
