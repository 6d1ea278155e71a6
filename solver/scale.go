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
	scopeMade  Scope   // of the first step

	terms terms // of the step under way
}

// scaled is a parameter whose step is multiplied by a scale.
type scaled interface {
	parameter
	measured
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
	scale = a.scale
	if a.scope == Global {
		scale = a.nextScale(a.scale, signal(&a.hyperparameters, bound, &a.terms))
	}
	for i, p := range bound {
		own := scale
		if a.scope == PerParameter {
			own = a.nextScale(p.lastScale(), signal(&a.hyperparameters, bound[i:i+1], &a.terms))
		}
		if err := p.setScale(own); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

func (a *scaling[P]) keep(scale float64) { a.scale, a.scopeMade = scale, a.scope }

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

// nextScale is s_{t+1}, of s_t and what the scale adapts to.
func (h *hyperparameters) nextScale(s, signal float64) float64 {
	if h.scaleRate > 0 {
		s *= kernel.Exp(h.scaleRate * signal)
	}
	return min(max(s, h.scaleMin), h.scaleMax)
}

// signal is what the scale of these parameters adapts to.
func signal[P measured](h *hyperparameters, of []P, t *terms) float64 {
	if h.scaleRate == 0 {
		return 0
	}
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
