package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// scaling is what solvers that learn a scale have in common.
type scaling[P scaled] struct {
	hyperparameters
	parameters registry[P]
	scale      float64 // s of Global scope
	steps      int     // made, of models that were not empty
	scopeMade  Scope   // of the first step

	// of the step under way
	total              kernel.Total
	values, firstSteps []float64 // ‖θ_0‖² and ‖u‖² of each parameter that is new
}

// scaled is a parameter whose step is multiplied by a scale.
type scaled interface {
	parameter
	measured
	start() (value, step float64, elements int) // ‖θ_0‖² and ‖u‖², of the step under way
	stepsMade() int
	lastScale() float64
	setScale(float64) error
	adaptation() Adaptation
	keepable
}

// measured is a parameter whose sums are known.
type measured interface {
	sums() kernel.Sums
	part() kernel.Part
}

func newScaling[P scaled](h hyperparameters) scaling[P] {
	return scaling[P]{hyperparameters: h, scale: 1}
}

func (a *scaling[P]) configuration() *hyperparameters { return &a.hyperparameters }

// checkScope refuses another scope than that of the steps made so far.
func (a *scaling[P]) checkScope(s Scope) error {
	if len(a.parameters.known) > 0 && s != a.scopeMade {
		return &HyperparameterError{"WithScaleScope", s, "what it was at the first step, " + a.scopeMade.String()}
	}
	return nil
}

// nextScales sets the scale of the step for every bound parameter. It returns
// that of Global scope, which keep is to be given if the step is made.
func (a *scaling[P]) nextScales() (scale float64, err error) {
	bound, first := a.parameters.bound, a.initialScale()
	if scale = a.scale; a.scope == Global {
		scale = a.nextScale(bound, a.steps, scale, first)
	}
	for i, p := range bound {
		own := scale
		if a.scope == PerParameter {
			own = a.nextScale(bound[i:i+1], p.stepsMade(), p.lastScale(), first)
		}
		if err := p.setScale(own); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

// nextScale is s_{t+1} of parameters that share one scale. s_t is last or, where
// t is 0, first.
func (a *scaling[P]) nextScale(of []P, t int, last, first float64) float64 {
	s := last
	if a.scaleRate > 0 {
		if t == 0 {
			s = first
		}
		s *= kernel.Exp(a.scaleRateAt(t) * signal(&a.hyperparameters, of, &a.total))
	}
	return min(max(s, a.scaleMin), a.scaleMax)
}

// scaleRateAt is γs + γw exp(−t/τ), which is finite.
func (h *hyperparameters) scaleRateAt(t int) float64 {
	return min(h.scaleRate+float64(h.warmupRate*kernel.Exp(-float64(t)/h.warmupSteps)), math.MaxFloat64)
}

// ofZero is what every value counts as for s_0 where all of them are 0.
const ofZero = 0.01

// initialScale is s_0 = ρ ‖θ_0‖ / ‖u‖, of those bound parameters that make their
// first step.
func (a *scaling[P]) initialScale() float64 {
	if a.initialStep == 0 || a.scaleRate == 0 {
		return 1
	}
	a.values, a.firstSteps = a.values[:0], a.firstSteps[:0]
	total := 0
	for _, p := range a.parameters.bound {
		if p.stepsMade() == 0 {
			value, step, elements := p.start()
			a.values, a.firstSteps = append(a.values, value), append(a.firstSteps, step)
			total += elements
		}
	}
	value, step := kernel.AddAscending(a.values), kernel.AddAscending(a.firstSteps)
	if value == 0 {
		value = ofZero * ofZero * float64(total)
	}
	if !kernel.InRange(value) || !kernel.InRange(step) {
		return 1
	}
	return a.initialStep * math.Sqrt(value) / math.Sqrt(step)
}

func (a *scaling[P]) keep(scale float64) {
	a.scale, a.scopeMade = scale, a.scope
	if len(a.parameters.bound) > 0 {
		a.steps++
	}
}

// Adaptations returns what has been learned about each parameter, in the order
// in which Step first met them.
func (a *scaling[P]) Adaptations() []Adaptation {
	as := make([]Adaptation, 0, len(a.parameters.order))
	for _, vg := range a.parameters.order {
		adaptation := a.parameters.known[vg].adaptation()
		if a.scope == Global {
			adaptation.Scale = a.scale
		}
		as = append(as, adaptation)
	}
	return as
}

// signal is what the scale of these parameters adapts to.
func signal[P measured](h *hyperparameters, of []P, t *kernel.Total) float64 {
	for _, p := range of {
		t.Add(p.sums(), p.part())
	}
	sums, exponent := t.Sums()
	if h.scaleSignal == Raw {
		return math.Ldexp(sums.Dot, exponent)
	}
	return cosine(sums)
}

// cosine is that of the angle between the direction and g, 0 where either is.
func cosine(s kernel.Sums) float64 {
	if s.SquaredDirection == 0 || s.SquaredGradient == 0 {
		return 0
	}
	c := s.Dot / (math.Sqrt(s.SquaredDirection) * math.Sqrt(s.SquaredGradient))
	return min(max(c, -1), 1)
}
