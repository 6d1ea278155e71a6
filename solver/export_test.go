package solver

import "gorgonia.org/gorgonia"

// State is what a solver keeps of every parameter beside what Adaptations
// tells, in the order of Adaptations: of a Funnel velocity and gradient average,
// of a FunnelAdam first and second moment.
func State(s gorgonia.Solver) (all [][2][]float64) {
	a := adapting(s)
	if a == nil {
		return nil
	}
	for _, vg := range a.parameters.order {
		all = append(all, a.parameters.known[vg].(interface{ state() [2][]float64 }).state())
	}
	return all
}

// adapting is what is adaptive in s, or nil.
func adapting(s gorgonia.Solver) *adaptive {
	switch s := s.(type) {
	case *Funnel:
		return &s.adaptive
	case *FunnelAdam:
		return &s.adaptive
	}
	return nil
}

func (s *funnelState[T]) state() [2][]float64 {
	return [2][]float64{widen(s.velocity), widen(s.average)}
}

func (s *adamState[T]) state() [2][]float64 { return [2][]float64{widen(s.first), widen(s.second)} }

func widen[T float32 | float64](xs []T) []float64 {
	ys := make([]float64, len(xs))
	for i, x := range xs {
		ys[i] = float64(x)
	}
	return ys
}

// Together makes steps use several cores however small they are, until the
// function it returns is called.
func Together() (back func()) {
	before := alone
	alone = 0
	return func() { alone = before }
}
