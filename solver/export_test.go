package solver

import "gorgonia.org/gorgonia"

// State is what a solver remembers of every parameter beside what Adaptations
// tells, in the order of Adaptations: of a Funnel velocity and gradient average,
// of a FunnelAdam first and second moment, of an Augmented the way its inner
// solver went.
func State(s gorgonia.Solver) (all [][2][]float64) {
	a := adaptiveOf(s)
	if a == nil {
		return nil
	}
	for _, p := range a.parameters.All() {
		all = append(all, p.(interface{ arrays() [2][]float64 }).arrays())
	}
	return all
}

// InParallel makes a solver use several cores, however small a step is, and
// returns it.
func InParallel[S gorgonia.Solver](s S) S {
	if a := adaptiveOf(s); a != nil {
		a.parallelThreshold = 0
	}
	if a, ok := any(s).(*Augmented); ok {
		InParallel(a.inner)
	}
	return s
}

// Clips says whether a solver clips gradients.
func Clips(s gorgonia.Solver) bool {
	switch s := s.(type) {
	case *Funnel:
		return s.adaptive.hyperparameters.clip > 0 && isFinite(s.adaptive.hyperparameters.clip)
	case *FunnelAdam:
		return s.adaptive.hyperparameters.clip > 0 && isFinite(s.adaptive.hyperparameters.clip)
	case *EGU:
		return s.hyperparameters.clip > 0 && isFinite(s.hyperparameters.clip)
	}
	return false
}

func adaptiveOf(s gorgonia.Solver) *adaptive {
	switch s := s.(type) {
	case *Funnel:
		return &s.adaptive
	case *FunnelAdam:
		return &s.adaptive
	case *Augmented:
		return &s.adaptive
	}
	return nil
}

func (s *funnelState[T]) arrays() [2][]float64 { return [2][]float64{widen(s.nu), widen(s.m)} }

func (s *adamState[T]) arrays() [2][]float64 { return [2][]float64{widen(s.m), widen(s.v)} }

func (s *augmentedState[T]) arrays() [2][]float64 { return [2][]float64{widen(s.descent)} }

func widen[T float32 | float64](xs []T) []float64 {
	ys := make([]float64, len(xs))
	for i, x := range xs {
		ys[i] = float64(x)
	}
	return ys
}
