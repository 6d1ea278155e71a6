package solver

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
)

// Gorgonia's options switch on Gorgonia's own solvers and do nothing to any
// other. So each option is applied to solvers of Gorgonia's that start with the
// settings we have, and what it set there is read back. Everything that depends
// on the insides of Gorgonia is in this file.

// readGorgonia makes the change that opt makes if it is one of Gorgonia's
// options; otherwise nothing changes.
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

// learnRateOf returns the learning rate that one of Gorgonia's solvers has in a field,
// for the gradient as it is given: divided by the batch size. Of others it is not known.
func learnRateOf(s gorgonia.Solver) (learnRate float64, ok bool) {
	batch := 1.0
	if f := fieldOf(s, "batch"); f.IsValid() && f.Kind() == reflect.Float64 {
		batch = max(f.Float(), 1)
	}
	for _, name := range []string{"eta", "η"} { // the latter of AdamW
		if f := fieldOf(s, name); f.IsValid() && f.Kind() == reflect.Float64 {
			return f.Float() / batch, true
		}
	}
	return 0, false
}

// clips says whether a solver is known to clip gradients: one of Gorgonia's or of this
// package's that has been told to. At infinity none is clipped.
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

// unwrapped is the solver inside of those that have it from Unwrap, as one does
// that adds a log or a file to another's steps.
func unwrapped(s gorgonia.Solver) gorgonia.Solver {
	for {
		w, ok := s.(interface{ Unwrap() gorgonia.Solver })
		if !ok {
			return s
		}
		s = w.Unwrap()
	}
}

// fieldOf is a field of one of Gorgonia's solvers, wrapped or not, and not valid if s is none or has none of that name.
func fieldOf(s gorgonia.Solver, name string) reflect.Value {
	v := reflect.ValueOf(unwrapped(s))
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Elem().Type().PkgPath() != gorgoniaPath {
		return reflect.Value{}
	}
	return v.Elem().FieldByName(name)
}

var gorgoniaPath = reflect.TypeFor[gorgonia.VanillaSolver]().PkgPath()
