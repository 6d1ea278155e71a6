package solver

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
)

// Gorgonia's options switch on Gorgonia's own solvers and do nothing to any
// other. So each option is applied to a gorgonia.Momentum that starts with the
// settings we have, and what it set there is read back. Everything that
// depends on the insides of Gorgonia is in this file.

// readGorgonia makes the change that opt makes if it is one of Gorgonia's
// options; otherwise nothing changes.
func (h *hyperparameters) readGorgonia(opt gorgonia.SolverOpt) {
	m := gorgonia.NewMomentum(
		gorgonia.WithLearnRate(h.learnRate),
		gorgonia.WithMomentum(h.momentum),
		gorgonia.WithBatchSize(h.batch),
		gorgonia.WithClip(h.clip),
		gorgonia.WithL1Reg(h.l1),
		gorgonia.WithL2Reg(h.l2),
		opt,
	)
	s := reflect.ValueOf(m).Elem()
	h.learnRate = float(s, "eta")
	h.momentum = float(s, "momentum")
	h.batch = float(s, "batch")
	h.clip = float(s, "clip")
	h.l1 = float(s, "l1reg")
	h.l2 = float(s, "l2reg")
}

func float(s reflect.Value, field string) float64 {
	f := s.FieldByName(field)
	if !f.IsValid() {
		panic(fmt.Sprintf("solver: gorgonia.Momentum has no field %q in this release of Gorgonia; use v0.9.18, or report it", field))
	}
	return f.Float()
}
