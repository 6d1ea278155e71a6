package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// restarts says whether the warm-up may begin again.
func (h *hyperparameters) restarts() bool { return h.restart > 0 && h.scaleSignal == Relative }

// warmed is a decay of older gradients in a warm-up of weight w: μ_t = μ (1 − f w).
// Gradients from far away say little of what is near.
func (h *hyperparameters) warmed(decay, w float64) float64 {
	return float64(decay * (1 - float64(h.momentumWarmup*w)))
}

const squareDecay = 0.99 // of σ²

// warmupWeight is w, which is 1 at first and falls by e^{−1/τ} at every step, until
// surprising signals bring it back.
func (h *hyperparameters) warmupWeight(t int, now *reading, l *learned) float64 {
	if !h.restarts() {
		return kernel.Exp(-float64(t) / h.warmupSteps)
	}
	if l.Warmup *= kernel.Exp(-1 / h.warmupSteps); t == 0 {
		l.Warmup = 1
	}
	if !now.ok {
		return l.Warmup
	}
	if l.SignalSquare == 0 {
		l.SignalSquare = now.signal * now.signal
	}
	z := 0.0
	if l.SignalSquare > 0 {
		z = now.signal / math.Sqrt(l.SignalSquare)
	}
	l.Warmup = max(l.Warmup, h.again(z, l))
	z = min(max(z, -signalLimit), signalLimit)
	l.SignalSquare *= squareDecay + float64((1-squareDecay)*float64(z*z))
	l.Signal = z
	if h.prompt {
		l.GradientRatio = now.ratio
	}
	return l.Warmup
}

// again is the weight of a warm-up that begins now, for a signal of z times the usual
// size: as two in a row are large, or as one is after a large gradient. One alone
// has to be larger and does less, because it may be chance.
func (h *hyperparameters) again(z float64, before *learned) float64 {
	w := min(min(z, signalLimit, before.Signal)/h.restart-1, 1)
	if h.prompt {
		w = max(w, min(min(z/promptFactor, promptFactor*before.GradientRatio)/h.restart-1, promptWeight))
	}
	return w
}

const (
	promptFactor = 1.5 // how much larger one signal has to be than each of two, and how much less large, relative to usual ones, the gradient before it
	promptWeight = 0.5 // the most that w is then
)
