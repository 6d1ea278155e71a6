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
	if l.warmup *= kernel.Exp(-1 / h.warmupSteps); t == 0 {
		l.warmup = 1
	}
	if !now.ok {
		return l.warmup
	}
	if l.square == 0 {
		l.square = now.signal * now.signal
	}
	z := 0.0
	if l.square > 0 {
		z = now.signal / math.Sqrt(l.square)
	}
	l.warmup = max(l.warmup, h.again(z, l))
	z = min(max(z, -signalLimit), signalLimit)
	l.square *= squareDecay + float64((1-squareDecay)*float64(z*z))
	l.signal = z
	if h.prompt {
		l.ratio = now.ratio
	}
	return l.warmup
}

// again is the weight of a warm-up that begins now, for a signal of z times the usual
// size: as two in a row are large, or as one is after a large gradient. One alone
// has to be larger and does less, because it may be chance.
func (h *hyperparameters) again(z float64, before *learned) float64 {
	w := min(min(z, signalLimit, before.signal)/h.restart-1, 1)
	if h.prompt {
		w = max(w, min(min(z/promptFactor, promptFactor*before.ratio)/h.restart-1, promptWeight))
	}
	return w
}

const (
	promptFactor = 1.5 // how much larger one signal has to be than each of two, and how much less large, relative to usual ones, the gradient before it
	promptWeight = 0.5 // the most that w is then
)
