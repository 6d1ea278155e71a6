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

	terms [3][]float64 // of the sums over all parameters: ν·g, ‖ν‖², ‖g‖²
}

// scaled is a parameter whose step is multiplied by a scale. Its sums are those
// of the way it is going, ν, and of g.
type scaled interface {
	parameter
	sums() kernel.Sums
	exponents() (velocity, gradient int)
	scaledSums(velocity, gradient int) kernel.Sums
	lastScale() float64
	setScale(float64) error
	adaptation() Adaptation
}

func newScaling[P scaled](h hyperparameters) scaling[P] {
	return scaling[P]{hyperparameters: h, scale: 1}
}

// checkScope refuses another scope than that of the steps made so far.
func (a *scaling[P]) checkScope(s Scope) error {
	if len(a.parameters.known) > 0 && s != a.scopeMade {
		return &HyperparameterError{"WithScaleScope", s, "what it was at the first step, " + a.scopeMade.String()}
	}
	return nil
}

// nextScales gives every bound parameter the scale of the step, and returns
// that of Global scope, to be kept if the step is made.
func (a *scaling[P]) nextScales() (scale float64, err error) {
	bound := a.parameters.bound
	scale = a.scale
	if a.scope == Global {
		scale = a.nextScale(a.scale, a.signal(bound))
	}
	for i, p := range bound {
		own := scale
		if a.scope == PerParameter {
			own = a.nextScale(p.lastScale(), a.signal(bound[i:i+1]))
		}
		if err := p.setScale(own); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

// keep makes the scale that nextScales returned the last one.
func (a *scaling[P]) keep(scale float64) { a.scale, a.scopeMade = scale, a.scope }

// nextScale is s_{t+1}.
func (h *hyperparameters) nextScale(s, signal float64) float64 {
	if h.scaleRate > 0 {
		s *= kernel.Exp(h.scaleRate * signal)
	}
	return min(max(s, h.scaleMin), h.scaleMax)
}

// signal is what the scale of these parameters adapts to.
func (a *scaling[P]) signal(of []P) float64 {
	if a.scaleRate == 0 {
		return 0
	}
	sums, exponent := a.sums(of)
	if a.scaleSignal == Raw {
		return math.Ldexp(sums.Dot, exponent)
	}
	if sums.Velocity == 0 || sums.Gradient == 0 {
		return 0
	}
	cosine := sums.Dot / (math.Sqrt(sums.Velocity) * math.Sqrt(sums.Gradient))
	return min(max(cosine, -1), 1)
}

// sums adds up the sums of several parameters. Where squares leave the range
// of float64 the vectors are scaled first; the inner product is then to be
// multiplied by 2^exponent.
func (a *scaling[P]) sums(of []P) (_ kernel.Sums, exponent int) {
	total := a.add(of, P.sums)
	if inRange(total.Velocity) && inRange(total.Gradient) {
		return total, 0
	}
	velocity, gradient := kernel.ExponentOfZero, kernel.ExponentOfZero
	for _, p := range of {
		v, g := p.exponents()
		velocity, gradient = max(velocity, v), max(gradient, g)
	}
	total = a.add(of, func(p P) kernel.Sums { return p.scaledSums(velocity, gradient) })
	return total, velocity + gradient
}

// inRange says whether a sum of squares is neither rounded by underflow nor
// beyond overflow.
func inRange(square float64) bool { return square > 0x1p-900 && square < 0x1p1000 }

// add adds from the smallest term to the largest, so that the order of the
// parameters in the model does not show in the result.
func (a *scaling[P]) add(of []P, sums func(P) kernel.Sums) kernel.Sums {
	for k := range a.terms {
		a.terms[k] = a.terms[k][:0]
	}
	for _, p := range of {
		s := sums(p)
		a.terms[0] = append(a.terms[0], s.Dot)
		a.terms[1] = append(a.terms[1], s.Velocity)
		a.terms[2] = append(a.terms[2], s.Gradient)
	}
	var total [3]float64
	for k := range a.terms {
		slices.Sort(a.terms[k])
		for _, x := range a.terms[k] {
			total[k] += x
		}
	}
	return kernel.Sums{Dot: total[0], Velocity: total[1], Gradient: total[2]}
}
