package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// nextScales sets the scale of the step for every bound parameter, and returns
// that of Global scope.
func (a *adaptive) nextScales() (scale float64, err error) {
	bound, first := a.parameters.Bound(), a.initialScale()
	if scale = a.scale; a.scope == Global {
		scale = a.nextScale(bound, &a.progress, first)
	}
	for i, p := range bound {
		own := scale
		if a.scope == PerParameter {
			own = a.nextScale(bound[i:i+1], p.progressed(), first)
		}
		if err := p.setScale(own); err != nil {
			return 0, a.parameters.Blame(i, err)
		}
	}
	return scale, nil
}

// nextScale is s_{t+1} of parameters that share one scale:
//
//	s_{t+1} = s_t · exp((γs + γw e^{−t/τ}) signal)
//
// where t counts the steps that moved something, and s_0 is first. A step that
// moved nothing teaches nothing: after it the signal counts as 0, and with a
// learning rate of 0 the scale stays.
func (a *adaptive) nextScale(of []state, p *progress, first float64) float64 {
	s := p.scale
	if a.scaleRate > 0 && !a.paused() {
		t := p.moves()
		if t == 0 {
			s = first
		}
		if !p.still {
			s *= kernel.Exp(a.scaleRateAt(t) * a.signal(of))
		}
	}
	return min(max(s, a.scaleMin), a.scaleMax)
}

// paused says whether the learning rate is 0. An Augmented has none.
func (a *adaptive) paused() bool { return a.learnRate == 0 && a.kind != augment }

// scaleRateAt is γs + γw exp(−t/τ), which is finite.
func (h *hyperparameters) scaleRateAt(t int) float64 {
	return min(h.scaleRate+float64(h.warmupRate*kernel.Exp(-float64(t)/h.warmupSteps)), math.MaxFloat64)
}

// lengthOfZero is what every value counts as for s_0 where all of them are 0.
const lengthOfZero = 0.01

// initialScale is s_0 = ρ ‖θ_0‖ / ‖u‖ of those bound parameters that have not
// moved yet.
func (a *adaptive) initialScale() float64 {
	if a.initialStep == 0 || a.scaleRate == 0 {
		return 1
	}
	values, steps := a.values[:0], a.firstSteps[:0]
	total := 0
	for _, p := range a.parameters.Bound() {
		if starts(p) {
			value, step, elements := p.first()
			values, steps = append(values, value), append(steps, step)
			total += elements
		}
	}
	a.values, a.firstSteps = values, steps
	value, step := kernel.AddAscending(values), kernel.AddAscending(steps)
	if value == 0 {
		value = lengthOfZero * lengthOfZero * float64(total)
	}
	if !kernel.InRange(value) || !kernel.InRange(step) {
		return 1
	}
	return a.initialStep * math.Sqrt(value) / math.Sqrt(step)
}

// starts says whether a parameter makes its first step. One that has not moved
// yet goes on not to while its gradient is 0.
func starts(p state) bool {
	at := p.progressed()
	sums, _ := p.measured()
	return at.steps == 0 || at.moves() == 0 && sums.MaxGradient > 0
}

// signal is what the scale of these parameters adapts to.
func (a *adaptive) signal(of []state) float64 {
	for _, p := range of {
		a.total.Add(p.measured())
	}
	sums, exponent := a.total.Sums()
	if a.scaleSignal == Raw {
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
