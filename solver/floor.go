package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// stepsOfMean is how many steps it takes until the mean of the scale says something.
const stepsOfMean = 100

// limitFall keeps the scale above a fraction of its own mean so far. Where warm-ups
// may begin again, they do not count in the mean, and the scale begins them above it. But for an
// Augmented's, the mean falls to what the longest step allows: a scale that was found while
// gradients were next to 0 suits no larger ones, and would keep every step the longest.
func (a *adaptive) limitFall(w, longest float64, p *progress) {
	if a.scaleFloor == 0 {
		return
	}
	next := &p.next
	steps, counts := next.Steady, 1-w // T so far, and what this step adds
	switch {
	case !a.restarts():
		steps, counts = float64(p.moves()), 1
	case steps == 0 && next.ScaleSum > 0: // restarts were off until now
		steps = float64(p.moves())
	}
	if a.geometric && next.ScaleSum == 0 { // the first scale under a floor, which may have been switched on late
		next.ScaleLog = logOf(next.scale)
	}
	next.ScaleSum = add(a.noLonger(next.ScaleSum, steps, longest), float64(counts*next.scale))
	if a.geometric {
		next.ScaleLog = a.noLongerLog(next.ScaleLog, longest)
	}
	if a.once && a.restarts() {
		next.WarmupSum = add(next.WarmupSum, float64(w*next.scale))
		next.WarmupSteps += w
	}
	if steps += counts; steps > 0 {
		next.scale = max(next.scale, a.lowest(next, steps, counts))
	}
	if !a.restarts() {
		next.Steady = 0
		return
	}
	next.Steady = steps
	switch {
	case a.once:
		if w > p.Warmup {
			next.scale = max(next.scale, min(a.lift*w, 1)*next.resumed())
		}
	case a.prompt:
		next.scale = max(next.scale, min(a.lift*w, 1)*next.ScaleSum/(next.Steady+stepsOfMean))
	}
}

// lowest is κ s̄, s̄ being the geometric mean of the scales of T steps, of which the last
// counts 1−w:
//
//	ln s̄ ← ln s̄ + (1−w)/T (ln s − ln s̄)
//
// A scale may have to fall by orders of magnitude before it is right. In the arithmetic
// mean, which an Augmented has, those of the beginning would outweigh all others for long.
func (a *adaptive) lowest(next *learned, steps, counts float64) float64 {
	if !a.geometric {
		return a.floor(next) * next.ScaleSum / steps
	}
	next.ScaleLog += float64(counts / steps * (logOf(next.scale) - next.ScaleLog))
	return a.floor(next) * kernel.Exp(next.ScaleLog)
}

// logOf is ln s, of the nearest normal number where s is none.
func logOf(s float64) float64 { return kernel.Log(min(max(s, 0x1p-1022), math.MaxFloat64)) }

// The constants of a floor that is raised.
const (
	signalRate  = 0.002 // of c̄
	leastSignal = 0.1   // the −c̄ from which on it is; at twice as much it is doubled
	mostRaised  = 0.5   // and where it ends
)

// followSignal finds c̄ ← c̄ + 0.002 (1−w) (c − c̄), where c counts from −1 to 1.
func (a *adaptive) followSignal(w, c float64, next *learned) {
	if a.raisedFloor && a.scaleSignal == Relative {
		next.SignalMean += float64(signalRate * (1 - w) * (min(max(c, -1), 1) - next.SignalMean))
	}
}

// floor is κ, or, of a FunnelAdam,
//
//	κ min(2, −10 c̄), but at most ½
//
// where c̄ is below −0.1: the gradients of few batches again and again go against each other,
// however short the steps are, and a scale that went on falling would end the training.
func (a *adaptive) floor(next *learned) float64 {
	if next.SignalMean > -leastSignal || a.scaleFloor > mostRaised {
		return a.scaleFloor
	}
	return min(mostRaised, float64(a.scaleFloor*min(2, -next.SignalMean/leastSignal)))
}

// add is a sum of scales, which stays a number.
func add(sum, scale float64) float64 { return min(sum+scale, math.MaxFloat64) }

// noLonger is the sum of this many scales, on its way down to as many times the longest where it
// is more: a Funnel's by 1% at a step, as one large gradient makes its direction long, and the
// longest step's scale small, for some steps only. A FunnelAdam's direction hardly grows.
func (a *adaptive) noLonger(sum, scales, longest float64) float64 {
	if !a.foreseen || math.IsInf(longest, 1) {
		return sum
	}
	return min(sum, max(float64(scales*longest), float64((1-a.meanFall)*sum)))
}

// noLongerLog is noLonger of the mean of logarithms.
func (a *adaptive) noLongerLog(mean, longest float64) float64 {
	if !a.foreseen || math.IsInf(longest, 1) {
		return mean
	}
	return min(mean, max(logOf(longest), mean+logOf(1-a.meanFall)))
}

// resumed is √(A/T · B/W) T / (T + 100), where a scale goes on from as its warm-up
// begins again: the geometric mean of its means outside of warm-ups and in them.
func (l *learned) resumed() float64 {
	if l.Steady == 0 || l.WarmupSteps == 0 {
		return 0
	}
	return math.Sqrt(l.ScaleSum/l.Steady) * math.Sqrt(l.WarmupSum/l.WarmupSteps) * (l.Steady / (l.Steady + stepsOfMean))
}
