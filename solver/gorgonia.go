package solver

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
)

// Gorgonia's options switch on the types of Gorgonia's own solvers and ignore any other. So each
// option is applied to Gorgonia solvers that start with our settings, and the result is read back.
// Everything that depends on Gorgonia's internals is in this file.

// readGorgonia applies opt if it is one of Gorgonia's options; otherwise nothing changes.
func (h *hyperparameters) readGorgonia(opt gorgonia.SolverOpt) {
	m := insides(gorgonia.NewMomentum(
		gorgonia.WithLearnRate(h.learnRate),
		gorgonia.WithMomentum(h.momentum),
		gorgonia.WithBatchSize(h.batch),
		gorgonia.WithClip(h.clip),
		gorgonia.WithL1Reg(h.l1),
		gorgonia.WithL2Reg(h.l2),
		opt,
	))
	h.learnRate = float(m, "eta")
	h.momentum = float(m, "momentum")
	h.batch = float(m, "batch")
	h.clip = float(m, "clip")
	h.l1 = float(m, "l1reg")
	h.l2 = float(m, "l2reg")

	a := insides(gorgonia.NewAdamSolver(
		gorgonia.WithBeta1(h.beta1),
		gorgonia.WithBeta2(h.beta2),
		gorgonia.WithEps(h.eps),
		opt,
	))
	h.beta1 = float(a, "beta1")
	h.beta2 = float(a, "beta2")
	h.eps = float(a, "eps")
}

func insides(s gorgonia.Solver) reflect.Value { return reflect.ValueOf(s).Elem() }

func float(s reflect.Value, field string) float64 {
	f := s.FieldByName(field)
	if !f.IsValid() {
		panic(fmt.Sprintf("solver: %v has no field %q in this release of Gorgonia; use v0.9.18, or report it", s.Type(), field))
	}
	return f.Float()
}

// learnRateOf returns the learning rate of one of Gorgonia's solvers divided by its batch size,
// since that is how it applies to the gradient it is given. ok is false if s is no such solver, or
// has no learning rate.
func learnRateOf(s gorgonia.Solver) (learnRate float64, ok bool) {
	batch := 1.0
	if f := fieldOf(s, "batch"); f.IsValid() && f.Kind() == reflect.Float64 {
		batch = max(f.Float(), 1)
	}
	for _, name := range []string{"eta", "η"} { // AdamW has η
		if f := fieldOf(s, name); f.IsValid() && f.Kind() == reflect.Float64 {
			return f.Float() / batch, true
		}
	}
	return 0, false
}

// clips reports whether a solver of Gorgonia's or of this package is set to clip gradients. A limit
// of infinity clips none.
func clips(s gorgonia.Solver) bool {
	limit := 0.0
	switch s := unwrapped(s).(type) {
	case *Augmented:
		return clips(s.inner)
	case *Funnel:
		limit = s.adaptive.hyperparameters.clip
	case *FunnelAdam:
		limit = s.adaptive.hyperparameters.clip
	case *EGU:
		limit = s.clip
	default:
		if f := fieldOf(s, "clip"); f.IsValid() && f.Kind() == reflect.Float64 {
			limit = f.Float()
		}
	}
	return limit > 0 && isFinite(limit)
}

// unwrapped returns the innermost solver of a chain of Unwrap methods, as a wrapper may have that
// logs or saves each step.
func unwrapped(s gorgonia.Solver) gorgonia.Solver {
	for {
		w, ok := s.(interface{ Unwrap() gorgonia.Solver })
		if !ok {
			return s
		}
		s = w.Unwrap()
	}
}

// fieldOf returns a field of one of Gorgonia's solvers, wrapped or not; it is invalid if there is
// no such field.
func fieldOf(s gorgonia.Solver, name string) reflect.Value {
	v := reflect.ValueOf(unwrapped(s))
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Elem().Type().PkgPath() != gorgoniaPath {
		return reflect.Value{}
	}
	return v.Elem().FieldByName(name)
}

var gorgoniaPath = reflect.TypeFor[gorgonia.VanillaSolver]().PkgPath()
