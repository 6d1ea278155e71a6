package solver

// StateOf is what a Funnel keeps of a parameter beside what Adaptations tells.
type StateOf struct{ Velocity, Average []float64 }

// State is that of every parameter, in the order of Adaptations.
func State(f *Funnel) []StateOf {
	var all []StateOf
	for _, vg := range f.parameters.order {
		switch s := f.parameters.known[vg].(type) {
		case *funnelState[float32]:
			all = append(all, StateOf{widen(s.velocity), widen(s.average)})
		case *funnelState[float64]:
			all = append(all, StateOf{widen(s.velocity), widen(s.average)})
		}
	}
	return all
}

// Descents are the last steps of an Augmented's inner solver, all parameters'
// one after another.
func Descents(a *Augmented) (all []float64) {
	for _, vg := range a.parameters.order {
		switch s := a.parameters.known[vg].(type) {
		case *augmentedState[float32]:
			all = append(all, widen(s.descent)...)
		case *augmentedState[float64]:
			all = append(all, s.descent...)
		}
	}
	return all
}

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
