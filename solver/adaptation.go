package solver

import (
	"slices"

	"gorgonia.org/tensor"
)

// Adaptation is what a solver has learned about the step sizes of one
// parameter. It is a copy: later steps do not change it.
type Adaptation struct {
	Name  string       // of the parameter, empty if it has none
	Shape tensor.Shape // of the parameter
	Steps int          // how many steps the parameter has made
	Scale float64      // s; of Global scope, that of all parameters
	Gain  []float64    // p, one a coordinate, in row-major order; nil if the solver has none
}

// Adaptations returns what has been learned about each parameter, in the order
// in which Step first met them.
func (f *Funnel) Adaptations() []Adaptation { return f.adaptations() }

func (a *scaling[P]) adaptations() []Adaptation {
	all := make([]Adaptation, 0, len(a.parameters.order))
	for _, vg := range a.parameters.order {
		one := a.parameters.known[vg].adaptation()
		if a.scope == Global {
			one.Scale = a.scale
		}
		all = append(all, one)
	}
	return all
}

func (s *funnelState[T]) adaptation() Adaptation {
	gain := make([]float64, len(s.gain))
	for i, p := range s.gain {
		gain[i] = float64(p)
	}
	return Adaptation{Name: s.name, Shape: slices.Clone(s.shape), Steps: s.steps, Scale: s.scale, Gain: gain}
}
