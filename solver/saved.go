package solver

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// savable is a solver of this package. saver returns an error if no constructor made it.
type savable interface {
	saver() (saver, error)
}

var _, _, _, _ savable = (*Funnel)(nil), (*FunnelAdam)(nil), (*EGU)(nil), (*Augmented)(nil)

// saver saves and restores a solver. model has the names of the parameters in the checkpoint.
type saver interface {
	savedKind() string
	save(model []*namedValue) (*checkpoint.Solver, []*checkpoint.Tensor, error)
	// restore changes nothing. It returns the tensors to be read, and install, which restores the
	// solver once they have been read. If install fails, it changes nothing either.
	restore(r *checkpoint.Solver, model []*namedValue) (_ []*checkpoint.Tensor, install func() error, _ error)
}

func saverOf(s gorgonia.Solver) (saver, error) {
	switch s := s.(type) {
	case savable:
		return s.saver()
	case marshaler:
		if !param.IsNil(s) {
			return foreign{s}, nil
		}
	}
	return nil, fmt.Errorf("the state of a solver of type %T cannot be read without MarshalBinary and UnmarshalBinary; give nil to save or load the values alone", s)
}

// newFile makes a checkpoint of a model and, unless s is nil, of a solver.
func newFile(model []gorgonia.ValueGrad, s gorgonia.Solver) (*checkpoint.File, error) {
	values, err := valuesOf(model)
	if err != nil {
		return nil, err
	}
	var tensors []*checkpoint.Tensor
	for _, v := range values {
		if err := v.checkFinite(); err != nil {
			return nil, err
		}
		tensors = append(tensors, v.tensor)
	}
	var record *checkpoint.Solver
	if s != nil {
		var state []*checkpoint.Tensor
		if record, state, err = saveSolver(s, values); err != nil {
			return nil, prefixed(err)
		}
		for _, t := range state {
			if err := t.Check(); err != nil {
				return nil, prefixed(err)
			}
		}
		tensors = append(tensors, state...)
	}
	f, err := checkpoint.New(record, tensors)
	return f, prefixed(err)
}

// prefixed returns err with the prefix of this package's errors.
func prefixed(err error) error {
	switch err.(type) {
	case nil, *ParameterError, *HyperparameterError:
		return err
	}
	if errors.Is(err, ErrNotMade) {
		return err
	}
	return fmt.Errorf("solver: %w", err)
}

// saveSolver returns what a checkpoint has of any solver.
func saveSolver(s gorgonia.Solver, model []*namedValue) (*checkpoint.Solver, []*checkpoint.Tensor, error) {
	k, err := saverOf(s)
	if err != nil {
		return nil, nil, err
	}
	r, tensors, err := k.save(model)
	if err == nil {
		r.Kind = k.savedKind()
	}
	return r, tensors, err
}

// restorePlan decides which tensors of the file are read, and where to.
func restorePlan(values []*namedValue, saved *checkpoint.Solver, s gorgonia.Solver) (plan checkpoint.Plan, install func() error, err error) {
	install = func() error { return nil }
	switch {
	case s == nil:
		plan.SkipSolver = true
	case saved == nil:
		return plan, nil, fmt.Errorf("%w: it has values alone; load it with a nil solver", ErrDifferent)
	default:
		if plan.Solver, install, err = restoreSolver(s, saved, values); err != nil {
			return plan, nil, err
		}
	}
	for _, v := range values {
		v.stage()
		plan.Values = append(plan.Values, v.tensor)
	}
	return plan, install, nil
}

// restoreSolver prepares to restore a solver of any kind.
func restoreSolver(s gorgonia.Solver, r *checkpoint.Solver, model []*namedValue) ([]*checkpoint.Tensor, func() error, error) {
	k, err := saverOf(s)
	if err != nil {
		return nil, nil, err
	}
	if r.Kind != k.savedKind() {
		return nil, nil, fmt.Errorf("%w: it is of a solver of kind %.20q, and this is one of kind %q", ErrDifferent, r.Kind, k.savedKind())
	}
	return k.restore(r, model)
}

// saved is how a checkpoint sees a parameter's state.
type saved interface {
	Describe() (name string, shape tensor.Shape)
	Rename(string)
	tensors(*hyperparameters) []*checkpoint.Tensor // with Role, Data and Least set
	save() checkpoint.Parameter                    // without the name
	restore(checkpoint.Parameter) error
	restored() // called when the tensors have been read
}

// leastFactor is the smallest gain or scale that a valid checkpoint can hold, given its lower
// bound.
func leastFactor(min float64) float64 {
	if min == 0 {
		return 0
	}
	return checkpoint.Positive
}

func (a *adaptive) savedKind() string {
	switch a.kind {
	case egGain:
		return string(funnel)
	case augment:
		return "Augmented"
	}
	return string(a.kind)
}

func (a *adaptive) save(model []*namedValue) (_ *checkpoint.Solver, tensors []*checkpoint.Tensor, err error) {
	if err := a.ready(); err != nil {
		return nil, nil, err
	}
	r := &checkpoint.Solver{Scale: a.scale, Steps: a.steps, Adapting: a.adapting()}
	if r.Hyperparameters, err = a.hyperparameters.save(); err != nil {
		return nil, nil, err
	}
	named := map[state]*namedValue{}
	for _, v := range model {
		if p, ok := a.parameters.Of(v.value); ok {
			named[p] = v
		}
	}
	states, err := a.allOf(named)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range states {
		v := named[p]
		if _, shape := p.Describe(); !param.SameShape(shape, v.value.Shape()) {
			return nil, nil, v.blame(fmt.Errorf("%w: the value's shape was %v and is %v now", ErrMismatch, shape, v.value.Shape()))
		}
		one := p.save()
		one.Name = v.name
		r.Parameters = append(r.Parameters, one)
		tensors = append(tensors, tensorsOf(p, &a.hyperparameters, v)...)
	}
	return r, tensors, nil
}

// allOf returns the states of all living parameters, and an error if one is not among those named.
// First it makes sure that the memory of a missing one is in use, not merely kept by the solver or
// waiting to be collected: in up to three rounds, since a finalizer or a pool may hold it for one
// more. A scalar's memory may be kept alive by a neighbour, so one that was not in the last model
// may be missing.
func (a *adaptive) allOf(named map[state]*namedValue) ([]state, error) {
	for range 3 {
		states := a.parameters.All()
		if !slices.ContainsFunc(states, func(p state) bool { return named[p] == nil }) {
			return states, nil
		}
		a.parameters.LetGo()
		runtime.GC()
	}
	states := slices.DeleteFunc(a.parameters.All(), func(p state) bool { return named[p] == nil && a.parameters.Forgotten(p) })
	for _, p := range states {
		if named[p] == nil {
			name, shape := p.Describe()
			return nil, fmt.Errorf("the solver knows a parameter %q of shape %v that is not in the model; give all that it has stepped and that is still in use", name, shape)
		}
	}
	return states, nil
}

func tensorsOf(p state, h *hyperparameters, v *namedValue) []*checkpoint.Tensor {
	tensors := p.tensors(h)
	for _, t := range tensors {
		if t.Parameter = v.name; t.Shape == nil {
			t.Shape = v.value.Shape().Clone()
		}
	}
	return tensors
}

// restore is saver's, for an adaptive solver without an inner one.
func (a *adaptive) restore(r *checkpoint.Solver, model []*namedValue) ([]*checkpoint.Tensor, func() error, error) {
	if r.Inner != nil {
		return nil, nil, fmt.Errorf("%w: an inner solver, and none around it", ErrCorrupt)
	}
	next, tensors, err := a.restored(r, model)
	return tensors, func() error {
		a.become(next)
		return nil
	}, err
}

// restoredAdaptive is an adaptive solver as read from a checkpoint.
type restoredAdaptive struct {
	hyperparameters
	progress
	states []state
	of     []*namedValue // the parameter of each state
}

// restored creates the states that the tensors are then read into.
func (a *adaptive) restored(r *checkpoint.Solver, model []*namedValue) (next *restoredAdaptive, tensors []*checkpoint.Tensor, err error) {
	next = new(restoredAdaptive)
	next.progress.restore(r.Steps, r.Scale, r.Adapting)
	if next.hyperparameters, err = restoreHyperparameters(r.Hyperparameters, a.kind); err != nil {
		return nil, nil, err
	}
	if !possible(r, next.scaleMin) {
		return nil, nil, fmt.Errorf("%w: scales or steps that cannot be", ErrCorrupt)
	}
	seen := map[string]bool{}
	for _, one := range r.Parameters {
		i := slices.IndexFunc(model, func(v *namedValue) bool { return v.name == one.Name })
		switch {
		case i < 0:
			return nil, nil, fmt.Errorf("%w: its solver knows %q, and nothing here has that name", ErrDifferent, one.Name)
		case seen[one.Name]:
			return nil, nil, fmt.Errorf("%w: its solver knows %q twice", ErrCorrupt, one.Name)
		}
		seen[one.Name] = true
		p := a.create(model[i].value)
		if err := p.restore(one); err != nil {
			return nil, nil, fmt.Errorf("%w: %q: %w", ErrCorrupt, one.Name, err)
		}
		next.states, next.of = append(next.states, p), append(next.of, model[i])
		tensors = append(tensors, tensorsOf(p, &next.hyperparameters, model[i])...)
	}
	return next, tensors, nil
}

// become replaces a by what was restored, after the tensors have been read.
func (a *adaptive) become(next *restoredAdaptive) {
	a.hyperparameters, a.checked, a.refusal = next.hyperparameters, true, nil
	a.clipped = a.bounds() // a saved gain or scale is not clipped again
	a.progress, a.scopeMade = next.progress, next.scope
	a.parameters = param.NewRegistry[state]()
	for i, p := range next.states {
		p.restored()
		p.Rename(next.of[i].name)
		a.parameters.Add(next.of[i].value, p)
	}
}
