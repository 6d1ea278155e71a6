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
