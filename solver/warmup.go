package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// restarts reports whether the warm-up may begin again.
func (h *hyperparameters) restarts() bool { return h.restart > 0 && h.scaleSignal == Relative }

// warmed reduces the decay of older gradients in a warm-up of weight w: μ_t = μ (1 − f w). Those
// gradients come from far away and say little about here.
func (h *hyperparameters) warmed(decay, w float64) float64 {
	return float64(decay * (1 - float64(h.momentumWarmup*w)))
}

const squareDecay = 0.99 // of σ²

// warmupWeight updates and returns w, which is 1 at first and decays by e^{−1/τ} a step until
// unusually large signals raise it again.
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

// again returns the weight of a warm-up that would begin now, for a signal z times as large as
// usual. Two large signals in a row begin one, or a single signal after a large gradient, which
// must be larger and weighs less, because it may be chance.
func (h *hyperparameters) again(z float64, before *learned) float64 {
	w := min(min(z, signalLimit, before.Signal)/h.restart-1, 1)
	if h.prompt {
		w = max(w, min(min(z/promptFactor, promptFactor*before.GradientRatio)/h.restart-1, promptWeight))
	}
	return w
}

const (
	promptFactor = 1.5 // a single signal must exceed 1.5 n σ, and the gradient before it n ḡ / 1.5
	promptWeight = 0.5 // the largest w after a single signal
)
