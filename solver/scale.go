package solver

import (
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// scaling is what solvers that learn a scale have in common.
type scaling[P scaled] struct {
	hyperparameters
	parameters registry[P]
	scale      float64 // s of Global scope
	steps      int     // that have been made, of a model that was not empty
	scopeMade  Scope   // of the first step

	terms terms // of the step under way
}

// scaled is a parameter whose step is multiplied by a scale.
type scaled interface {
	parameter
	measured
	lengths() kernel.Lengths
	made() (steps int)
	lastScale() float64
	setScale(float64) error
	adaptation() Adaptation
}

// measured is a parameter whose sums are known.
type measured interface {
	sums() kernel.Sums
	exponents() (direction, gradient int)
	scaledSums(direction, gradient int) kernel.Sums
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
	bound := a.parameters.bound
	start := a.initialScale()
	if scale = a.scale; a.scope == Global {
		scale = a.nextScale(bound, scale, a.steps, start)
	}
	for i, p := range bound {
		own := scale
		if a.scope == PerParameter {
			own = a.nextScale(bound[i:i+1], p.lastScale(), p.made(), start)
		}
		if err := p.setScale(own); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

// nextScale is s_{t+1} of parameters that have s_t in common. If they have made
// no step, s_t is start.
func (a *scaling[P]) nextScale(of []P, s float64, t int, start float64) float64 {
	if a.scaleRate > 0 {
		if t == 0 {
			s = start
		}
		s *= kernel.Exp(a.rate(t) * signal(&a.hyperparameters, of, &a.terms))
	}
	return min(max(s, a.scaleMin), a.scaleMax)
}

// rate is γs + γw exp(−t/τ), after t steps.
func (h *hyperparameters) rate(t int) float64 {
	return h.scaleRate + float64(h.warmupRate*kernel.Exp(-float64(t)/h.warmupSteps))
}

// initialScale is s_0 of those bound parameters that make their first step.
func (a *scaling[P]) initialScale() float64 {
	if a.initialStep == 0 {
		return 1
	}
	a.terms.clear()
	for _, p := range a.parameters.bound {
		if p.made() == 0 {
			l := p.lengths()
			a.terms.append(kernel.Sums{Direction: l.Step, Gradient: l.Value})
		}
	}
	sums := a.terms.add()
	if !inRange(sums.Direction) || !inRange(sums.Gradient) {
		return 1
	}
	return a.initialStep * math.Sqrt(sums.Gradient) / math.Sqrt(sums.Direction)
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
func signal[P measured](h *hyperparameters, of []P, t *terms) float64 {
	sums, exponent := total(of, t)
	if h.scaleSignal == Raw {
		return math.Ldexp(sums.Dot, exponent)
	}
	return cosine(sums)
}

// cosine is that of the angle between the direction and g, 0 where either is.
func cosine(s kernel.Sums) float64 {
	if s.Direction == 0 || s.Gradient == 0 {
		return 0
	}
	c := s.Dot / (math.Sqrt(s.Direction) * math.Sqrt(s.Gradient))
	return min(max(c, -1), 1)
}

// total adds up the sums of several parameters. Where squares leave the range
// of float64 the vectors are scaled first; the inner product is then to be
// multiplied by 2^exponent.
func total[P measured](of []P, t *terms) (_ kernel.Sums, exponent int) {
	t.clear()
	for _, p := range of {
		t.append(p.sums())
	}
	sums := t.add()
	if inRange(sums.Direction) && inRange(sums.Gradient) {
		return sums, 0
	}
	direction, gradient := kernel.ExponentOfZero, kernel.ExponentOfZero
	for _, p := range of {
		d, g := p.exponents()
		direction, gradient = max(direction, d), max(gradient, g)
	}
	t.clear()
	for _, p := range of {
		t.append(p.scaledSums(direction, gradient))
	}
	return t.add(), direction + gradient
}

// inRange says whether a sum of squares is neither rounded by underflow nor
// beyond overflow.
func inRange(square float64) bool { return square > 0x1p-900 && square < 0x1p1000 }

// terms are what each parameter adds to direction·g, ‖direction‖² and ‖g‖².
type terms [3][]float64

func (t *terms) clear() {
	for k := range t {
		t[k] = t[k][:0]
	}
}

func (t *terms) append(s kernel.Sums) {
	t[0] = append(t[0], s.Dot)
	t[1] = append(t[1], s.Direction)
	t[2] = append(t[2], s.Gradient)
}

// add adds from the smallest term to the largest, so that the order of the
// parameters in the model does not show in the result.
func (t *terms) add() kernel.Sums {
	var sum [3]float64
	for k := range t {
		slices.Sort(t[k])
		for _, x := range t[k] {
			sum[k] += x
		}
	}
	return kernel.Sums{Dot: sum[0], Direction: sum[1], Gradient: sum[2]}
}
