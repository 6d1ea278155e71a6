package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// stepsOfMean is the T at which a mean of scales counts half: it is multiplied by T / (T +
// stepsOfMean).
const stepsOfMean = 100

// limitFall keeps the scale above a fraction of its own mean so far. Where restarts are on, warm-ups do not count in the mean.
// Except for an Augmented's, the mean falls to what the longest step allows: a scale that suited
// tiny gradients is too large for others, and would make every step the longest.
func (a *adaptive) limitFall(w, longest float64, p *progress) {
	if a.scaleFloor == 0 {
		return
	}
	next := &p.next
	steps, counts := next.Steady, 1-w // T so far, and what this step adds
	switch {
	case !a.restarts():
		steps, counts = float64(p.moves()), 1
	case steps == 0 && next.ScaleSum > 0: // restarts were off until this step
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
	if next.Steady = 0; a.restarts() {
		next.Steady = steps
		a.liftRestart(w, p)
	}
}

// liftRestart raises the scale towards its mean so far when a warm-up begins again.
func (a *adaptive) liftRestart(w float64, p *progress) {
	next := &p.next
	switch {
	case a.once:
		if w > p.Warmup {
			next.scale = max(next.scale, min(a.lift*w, 1)*next.resumed())
		}
	case a.prompt:
		next.scale = max(next.scale, min(a.lift*w, 1)*next.ScaleSum/(next.Steady+stepsOfMean))
	}
}

// lowest is κ s̄, where s̄ is the geometric mean of the scales of T steps, the last with weight
// 1−w:
//
//	ln s̄ ← ln s̄ + (1−w)/T (ln s − ln s̄)
//
// A scale may have to fall by orders of magnitude before it is right, and the first scales would
// dominate an arithmetic mean, which an Augmented has, for long.
func (a *adaptive) lowest(next *learned, steps, counts float64) float64 {
	if !a.geometric {
		return a.floor(next) * next.ScaleSum / steps
	}
	next.ScaleLog += float64(counts / steps * (logOf(next.scale) - next.ScaleLog))
	return a.floor(next) * kernel.Exp(next.ScaleLog)
}

// logOf is ln s, with s clipped to the positive normal numbers.
func logOf(s float64) float64 { return kernel.Log(min(max(s, 0x1p-1022), math.MaxFloat64)) }

// Constants of a FunnelAdam's raised floor. leastSignal is also followAverage's threshold.
const (
	signalRate  = 0.002 // how fast c̄ follows the signal
	leastSignal = 0.1   // the −c̄ above which the floor is raised; at twice as much it is doubled
	mostRaised  = 0.5   // the largest raised fraction
)

// followSignal updates c̄ ← c̄ + 0.002 (1−w) (c − c̄), with c clipped to [−1, 1].
func (a *adaptive) followSignal(w, c float64, next *learned) {
	if a.raisedFloor && a.scaleSignal == Relative {
		next.SignalMean += float64(signalRate * (1 - w) * (min(max(c, -1), 1) - next.SignalMean))
	}
}

// floor is κ or, for a FunnelAdam where c̄ is below −0.1,
//
//	κ min(2, −10 c̄), but at most ½
//
// Gradients of few different batches keep opposing each other, however short the steps are, and a
// scale that went on falling would end the training.
func (a *adaptive) floor(next *learned) float64 {
	if next.SignalMean > -leastSignal || a.scaleFloor > mostRaised {
		return a.scaleFloor
	}
	return min(mostRaised, float64(a.scaleFloor*min(2, -next.SignalMean/leastSignal)))
}

// add returns sum + scale without overflow to Inf.
func add(sum, scale float64) float64 { return min(sum+scale, math.MaxFloat64) }

// noLonger lowers a sum of scales to as many times the longest step's scale. A Funnel's sum falls
// by 1% a step at most, because one large gradient makes its direction long, and the longest step's
// scale small, for a few steps only. A FunnelAdam's direction hardly grows, so its sum falls at
// once.
func (a *adaptive) noLonger(sum, scales, longest float64) float64 {
	if !a.foreseen || math.IsInf(longest, 1) {
		return sum
	}
	return min(sum, max(float64(scales*longest), float64((1-a.meanFall)*sum)))
}

// noLongerLog is noLonger for the mean of the logarithms.
func (a *adaptive) noLongerLog(mean, longest float64) float64 {
	if !a.foreseen || math.IsInf(longest, 1) {
		return mean
	}
	return min(mean, max(logOf(longest), mean+logOf(1-a.meanFall)))
}

// resumed is √(A/T · B/W) T / (T + 100), the scale to resume from when a warm-up begins again: the
// geometric mean of the mean scales outside of and in warm-ups, less while T is small.
func (l *learned) resumed() float64 {
	if l.Steady == 0 || l.WarmupSteps == 0 {
		return 0
	}
	return math.Sqrt(l.ScaleSum/l.Steady) * math.Sqrt(l.WarmupSum/l.WarmupSteps) * (l.Steady / (l.Steady + stepsOfMean))
}
