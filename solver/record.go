package solver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// keeper is a solver that a checkpoint can keep. The model is known by value to
// save, and by name to restore.
type keeper interface {
	gorgonia.Solver
	kind() string
	knows() []gorgonia.ValueGrad // parameters of which it keeps anything
	save(model map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error)
	// restore changes nothing. It returns the lists to be read and what to do
	// when they have been. That may still fail, if it changes nothing then.
	restore(r *solverRecord, model map[string]gorgonia.ValueGrad) (_ []kept, install func() error, _ error)
}

var _, _, _, _ keeper = (*Funnel)(nil), (*FunnelAdam)(nil), (*EGU)(nil), (*Augmented)(nil)

func (f *Funnel) kind() string     { return "Funnel" }
func (f *FunnelAdam) kind() string { return "FunnelAdam" }
func (e *EGU) kind() string        { return "EGU" }
func (a *Augmented) kind() string  { return "Augmented" }

// solverRecord is all of a solver but its lists.
type solverRecord struct {
	Kind            string                     `json:"kind"`
	Hyperparameters map[string]json.RawMessage `json:"hyperparameters,omitempty"` // of ours
	Steps           int                        `json:"steps"`                     // 0 of an EGU
	Scale           float64                    `json:"scale,omitempty"`           // s of Global scope
	Parameters      []record                   `json:"parameters,omitempty"`
	Inner           *solverRecord              `json:"inner,omitempty"` // of an Augmented
}

// record is all of a parameter's state but its lists.
type record struct {
	Name      string    `json:"name"`
	Steps     int       `json:"steps"`
	Scale     float64   `json:"scale"`               // s of its last step
	Direction []float64 `json:"direction,omitempty"` // of a FunnelAdam: what makes d of m and v
}

// keepable is the state of a parameter that a checkpoint can keep.
type keepable interface {
	fits(gorgonia.Value) error
	record() record
	fields(*hyperparameters) []field
	restore(record) error
	restored() // when the fields have been read
}

// field is a list of a state.
type field struct {
	role  string
	data  array
	least float64
}

// leastFactor is how small a gain or a scale can be that is kept from min on.
func leastFactor(min float64) float64 {
	if min == 0 {
		return 0
	}
	return positive
}

func keeperOf(s gorgonia.Solver) (keeper, error) {
	if !access.IsNil(s) {
		switch s := s.(type) {
		case keeper:
			return s, nil
		case marshaler:
			return opaque{s}, nil
		}
	}
	return nil, fmt.Errorf("what a solver of type %T keeps cannot be read without MarshalBinary and UnmarshalBinary; give nil to save or load the values alone", s)
}

// saveSolver is k.save, with the kind.
func saveSolver(s gorgonia.Solver, model map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error) {
	k, err := keeperOf(s)
	if err != nil {
		return nil, nil, err
	}
	r, lists, err := k.save(model)
	if err == nil {
		r.Kind = k.kind()
	}
	return r, lists, err
}

// restoreSolver is k.restore, if the record is of its kind.
func restoreSolver(s gorgonia.Solver, r *solverRecord, model map[string]gorgonia.ValueGrad) ([]kept, func() error, error) {
	k, err := keeperOf(s)
	if err != nil {
		return nil, nil, err
	}
	if r.Kind != k.kind() {
		return nil, nil, fmt.Errorf("%w: it is of a solver of kind %.20q, and this is one of kind %q", ErrDifferent, r.Kind, k.kind())
	}
	return k.restore(r, model)
}

// maxSteps is more than anybody makes.
const maxSteps = 1 << 53

// parseRecord reads what json.Marshal made of a solverRecord.
func parseRecord(text string) (*solverRecord, error) {
	if text == "" {
		return nil, fmt.Errorf("%w: it has values alone; load it with a nil solver", ErrDifferent)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	r := new(solverRecord)
	err := d.Decode(r)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return r, nil
		}
		err = errors.New("more than one value")
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, solverKey, err)
}

func (a *adaptive) save(model map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error) {
	if err := a.check(&a.hyperparameters); err != nil {
		return nil, nil, err
	}
	return a.scaling.save(model)
}

func (a *adaptive) restore(r *solverRecord, model map[string]gorgonia.ValueGrad) ([]kept, func() error, error) {
	if r.Inner != nil {
		return nil, nil, fmt.Errorf("%w: an inner solver, and none around it", ErrCorrupt)
	}
	next, lists, err := a.scaling.restore(r, model, a.check, a.create)
	return lists, func() error { return a.install(next) }, err
}

func (a *Augmented) save(model map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error) {
	if err := a.check(&a.hyperparameters); err != nil {
		return nil, nil, err
	}
	r, lists, err := a.augmentedScaling.save(model)
	if err != nil {
		return nil, nil, err
	}
	standIns := map[gorgonia.ValueGrad]*value{}
	for vg, p := range a.parameters.known {
		if n := p.standIn(); n != nil {
			standIns[n] = model[vg]
		}
	}
	inner, innerLists, err := saveSolver(a.inner, standIns)
	r.Inner = inner
	return r, append(lists, inside(innerLists)...), err
}

func (a *Augmented) restore(r *solverRecord, model map[string]gorgonia.ValueGrad) ([]kept, func() error, error) {
	next, lists, err := a.augmentedScaling.restore(r, model, (*hyperparameters).checkScale, newAugmentedParameter)
	if err != nil {
		return nil, nil, err
	}
	if r.Inner == nil {
		return nil, nil, fmt.Errorf("%w: no inner solver", ErrCorrupt)
	}
	standIns := map[string]gorgonia.ValueGrad{}
	for i, p := range r.Parameters {
		if n := next.parameters.known[next.parameters.order[i]].standIn(); n != nil {
			standIns[p.Name] = n
		}
	}
	innerLists, installInner, err := restoreSolver(a.inner, r.Inner, standIns)
	return append(lists, inside(innerLists)...), func() error {
		if err := installInner(); err != nil {
			return err
		}
		a.refusal = nil // of options that are forgotten
		return a.install(next)
	}, err
}

// inside is the lists of a solver that is inside another.
func inside(lists []kept) []kept {
	for i := range lists {
		lists[i].role = "inner." + lists[i].role
	}
	return lists
}

// An EGU remembers nothing of its steps.

func (e *EGU) knows() []gorgonia.ValueGrad { return nil }

func (e *EGU) save(map[gorgonia.ValueGrad]*value) (*solverRecord, []kept, error) {
	if err := e.checkObjective(); err != nil {
		return nil, nil, err
	}
	h, err := e.hyperparameters.save()
	return &solverRecord{Hyperparameters: h}, nil, err
}

func (e *EGU) restore(r *solverRecord, _ map[string]gorgonia.ValueGrad) ([]kept, func() error, error) {
	h, err := restoreHyperparameters(r.Hyperparameters, (*hyperparameters).checkObjective)
	return nil, func() error {
		*e = EGU{hyperparameters: h}
		return nil
	}, err
}

func (a *scaling[P]) knows() []gorgonia.ValueGrad { return a.parameters.order }

// save leaves out what is not in the model. That is, in an Augmented, a stand-in
// that a refused step has left behind: nobody can step it any more.
func (a *scaling[P]) save(model map[gorgonia.ValueGrad]*value) (_ *solverRecord, lists []kept, err error) {
	if err := a.checkScope(a.scope); err != nil {
		return nil, nil, err
	}
	r := &solverRecord{Scale: a.scale, Steps: a.steps}
	if r.Hyperparameters, err = a.hyperparameters.save(); err != nil {
		return nil, nil, err
	}
	for _, vg := range a.parameters.order {
		v, p := model[vg], a.parameters.known[vg]
		if v == nil {
			continue
		}
		if err := p.fits(vg.Value()); err != nil {
			return nil, nil, blame(err, v.of, v.number)
		}
		one := p.record()
		one.Name = v.parameter
		r.Parameters = append(r.Parameters, one)
		lists = append(lists, listsOf(p, &a.hyperparameters, v.parameter, v.shape)...)
	}
	return r, lists, nil
}

func listsOf(p keepable, h *hyperparameters, name string, shape tensor.Shape) (lists []kept) {
	for _, f := range p.fields(h) {
		lists = append(lists, kept{role: f.role, parameter: name, shape: shape, data: f.data, least: f.least})
	}
	return lists
}

// restore makes another scaling out of a record.
func (a *scaling[P]) restore(r *solverRecord, model map[string]gorgonia.ValueGrad, check func(*hyperparameters) error, create func(gorgonia.ValueGrad, tensor.Dtype) P) (next *scaling[P], lists []kept, err error) {
	h, err := restoreHyperparameters(r.Hyperparameters, check)
	if err != nil {
		return nil, nil, err
	}
	if !r.sound(&h) {
		return nil, nil, fmt.Errorf("%w: scales or steps that cannot be", ErrCorrupt)
	}
	next = &scaling[P]{hyperparameters: h, scale: r.Scale, steps: r.Steps, scopeMade: h.scope}
	next.parameters.init()
	for _, one := range r.Parameters {
		vg, ok := model[one.Name]
		if !ok {
			return nil, nil, fmt.Errorf("%w: its solver knows %q, and nothing here has that name", ErrDifferent, one.Name)
		}
		p := create(vg, vg.Value().Dtype())
		if err := p.restore(one); err != nil {
			return nil, nil, fmt.Errorf("%w: %q: %w", ErrCorrupt, one.Name, err)
		}
		next.parameters.add(vg, p)
		lists = append(lists, listsOf(p, &h, one.Name, vg.Value().Shape().Clone())...)
	}
	if len(next.parameters.known) < len(r.Parameters) {
		return nil, nil, fmt.Errorf("%w: its solver knows a parameter twice", ErrCorrupt)
	}
	return next, lists, nil
}

func (r *solverRecord) sound(h *hyperparameters) bool {
	scale := func(s float64) bool { return s >= leastFactor(h.scaleMin) && s <= math.MaxFloat64 }
	for _, p := range r.Parameters {
		if p.Steps < 1 || p.Steps > r.Steps || !scale(p.Scale) {
			return false
		}
	}
	return scale(r.Scale) && r.Steps >= 0 && int64(r.Steps) <= maxSteps
}

// install makes a what next is, which has been read. It has no errors.
func (a *scaling[P]) install(next *scaling[P]) error {
	for _, p := range next.parameters.known {
		p.restored()
	}
	*a = *next
	return nil
}

// named is where the hyperparameters belong, by their names in a record. Signals
// and scopes are there as the numbers of their constants.
func (h *hyperparameters) named() map[string]any {
	return map[string]any{
		"learn_rate":      (*exact)(&h.learnRate),
		"batch_size":      (*exact)(&h.batch),
		"clip":            (*exact)(&h.clip),
		"l1":              (*exact)(&h.l1),
		"l2":              (*exact)(&h.l2),
		"momentum":        (*exact)(&h.momentum),
		"beta1":           (*exact)(&h.beta1),
		"beta2":           (*exact)(&h.beta2),
		"eps":             (*exact)(&h.eps),
		"gain_rate":       (*exact)(&h.gainRate),
		"gain_decay":      (*exact)(&h.gainDecay),
		"gradient_decay":  (*exact)(&h.gradientDecay),
		"gain_min":        (*exact)(&h.gainMin),
		"gain_max":        (*exact)(&h.gainMax),
		"scale_rate":      (*exact)(&h.scaleRate),
		"warmup_rate":     (*exact)(&h.warmupRate),
		"warmup_steps":    (*exact)(&h.warmupSteps),
		"initial_step":    (*exact)(&h.initialStep),
		"scale_min":       (*exact)(&h.scaleMin),
		"scale_max":       (*exact)(&h.scaleMax),
		"gain_signal":     &h.gainSignal,
		"scale_signal":    &h.scaleSignal,
		"scale_scope":     &h.scope,
		"bias_correction": &h.biasCorrection,
	}
}

func (h *hyperparameters) save() (map[string]json.RawMessage, error) {
	texts := map[string]json.RawMessage{}
	for name, x := range h.named() {
		text, err := json.Marshal(x)
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	return texts, nil
}

func restoreHyperparameters(texts map[string]json.RawMessage, check func(*hyperparameters) error) (h hyperparameters, err error) {
	named := h.named()
	for name, x := range named {
		text := texts[name]
		if len(text) == 0 || bytes.Equal(text, []byte("null")) {
			return h, fmt.Errorf("%w: its solver has no %s", ErrCorrupt, name)
		}
		if err := json.Unmarshal(text, x); err != nil {
			return h, fmt.Errorf("%w: %s: %w", ErrCorrupt, name, err)
		}
	}
	if len(texts) > len(named) {
		return h, fmt.Errorf("%w: its solver has hyperparameters that are not known here", ErrCorrupt)
	}
	if err := check(&h); err != nil {
		return h, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return h, nil
}

// exact is a float64 in JSON: a number or, if JSON has none for it, a string. It
// is so of an option that has no meaning for the solver and can be anything.
type exact float64

func (x *exact) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(*x), 'g', -1, 64)
	if !isFinite(float64(*x)) {
		return strconv.AppendQuote(nil, string(text)), nil
	}
	return text, nil
}

func (x *exact) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*x = exact(f)
	return err
}
