package solver

import "gorgonia.org/gorgonia"

// State is what a solver keeps of every parameter beside what Adaptations
// tells, in the order of Adaptations: of a Funnel velocity and gradient average,
// of a FunnelAdam first and second moment, of an Augmented the way its inner
// solver went.
func State(s gorgonia.Solver) [][2][]float64 {
	if s, ok := s.(interface{ states() [][2][]float64 }); ok {
		return s.states()
	}
	return nil
}

func (a *scaling[P]) states() (all [][2][]float64) {
	for _, vg := range a.parameters.order {
		all = append(all, any(a.parameters.known[vg]).(interface{ state() [2][]float64 }).state())
	}
	return all
}

func (s *funnelState[T]) state() [2][]float64 {
	return [2][]float64{widen(s.velocity), widen(s.average)}
}

func (s *adamState[T]) state() [2][]float64 { return [2][]float64{widen(s.first), widen(s.second)} }

func (s *augmentedState[T]) state() [2][]float64 { return [2][]float64{widen(s.descent)} }

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
