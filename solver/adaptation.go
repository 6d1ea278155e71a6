package solver

import "gorgonia.org/tensor"

// Adaptation is what a solver has learned about the step sizes of one
// parameter. It is a copy: later steps do not change it.
type Adaptation struct {
	Name  string       // of the parameter, empty if it has none
	Shape tensor.Shape // of the parameter
	Steps int          // how many steps the parameter has made
	Scale float64      // s, which multiplies η or an Augmented's inner change; with Global scope the shared one
	Gain  []float64    // p, one per coordinate, in row-major order; nil if the solver has none
}
