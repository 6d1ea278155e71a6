package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
)

// progress is the state of one scale: a parameter's or, with Global scope, the solver's.
type progress struct {
	steps int  // steps made
	idle  int  // steps that moved nothing
	still bool // the last step moved nothing
	learned

	// scratch, valid during Step
	now   reading
	next  learned // learned after the step
	kept  float64 // 1 − w, by which the step average is also multiplied
	decay float64 // β of the step average
}

// learned is a scale and the state of its adaptation.
type learned struct {
	scale float64 // s of the last step
	checkpoint.Learned
}

// newProgress returns the progress of a scale before its first step.
func newProgress() progress { return progress{learned: learned{scale: 1}} }

// moves is the number of steps that moved something.
func (p *progress) moves() int { return p.steps - p.idle }

// finish commits a step.
func (p *progress) finish(moved bool) {
	p.steps++
	p.still = !moved
	if moved {
		p.learned = p.next
	} else {
		p.idle++
		p.scale = p.next.scale
	}
}

// clip clips the scale to its bounds.
func (p *progress) clip(h *hyperparameters) { p.scale = min(max(p.scale, h.scaleMin), h.scaleMax) }

func (p *progress) save() checkpoint.Parameter {
	return checkpoint.Parameter{Steps: p.steps, Scale: p.scale, Adapting: p.adapting()}
}

func (p *progress) adapting() checkpoint.Adapting {
	return checkpoint.Adapting{Idle: p.idle, Still: p.still, Learned: p.Learned}
}

func (p *progress) restore(steps int, scale float64, r checkpoint.Adapting) {
	*p = progress{steps: steps, idle: r.Idle, still: r.Still, learned: learned{scale, r.Learned}}
}

// possible reports whether a checkpoint's scales and step counts are valid.
func possible(r *checkpoint.Solver, scaleMin float64) bool {
	for _, p := range r.Parameters {
		if p.Steps < 1 || p.Steps > r.Steps || !(0 <= p.Likeness && p.Likeness <= 1) || !canLearn(p.Steps, p.Scale, scaleMin, &p.Adapting) {
			return false
		}
	}
	return canLearn(r.Steps, r.Scale, scaleMin, &r.Adapting)
}

// canLearn reports whether a scale and the state of its adaptation are valid after so many steps.
func canLearn(steps int, scale, scaleMin float64, a *checkpoint.Adapting) bool {
	for _, x := range []float64{a.GradientNorm, a.GradientPeak, a.GradientLargest, a.GradientLow, a.ValueLength,
		a.ScaleSum, a.Steady, a.WarmupSum, a.WarmupSteps, a.SignalSquare, a.AverageSteps} {
		if !(0 <= x && isFinite(x)) {
			return false
		}
	}
	within := func(least, x, most float64) bool { return least <= x && x <= most }
	return within(leastFactor(scaleMin), scale, math.MaxFloat64) && 0 <= a.Idle && a.Idle <= steps && int64(steps) <= checkpoint.MaxSteps &&
		within(logOf(0), a.ScaleLog, logOf(math.MaxFloat64)) && within(-1, a.SignalMean, 1) && within(-1, a.AverageSignal, 1) && within(0, a.Warmup, 1) &&
		within(-signalLimit, a.Signal, signalLimit) && within(0, a.GradientRatio, signalLimit)
}
