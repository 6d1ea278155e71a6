package solver

import (
	"math"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// restarts says whether the warm-up may begin again.
func (h *hyperparameters) restarts() bool { return h.restart > 0 && h.scaleSignal == Relative }

const squareDecay = 0.99 // of σ²

// warmupWeight is w, which is 1 at first and falls by e^{−1/τ} at every step, until a
// surprise brings it back:
//
//	w ← max(w e^{−1/τ}, min(surprise / n − 1, 1))
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
	l.warmup = max(l.warmup, min(h.surprise(z, l)/h.restart-1, 1))
	z = min(max(z, -signalLimit), signalLimit)
	l.square *= squareDecay + float64((1-squareDecay)*float64(z*z))
	l.signal = z
	if h.prompt {
		l.ratio = now.ratio
	}
	return l.warmup
}

// surprise is how large a signal of z times the usual size is, in view of the step
// before: the smaller of two signals in a row. After a large gradient one signal is
// enough, if it is larger.
func (h *hyperparameters) surprise(z float64, before *learned) float64 {
	surprise := min(z, signalLimit, before.signal)
	if h.prompt {
		surprise = max(surprise, min(z/onceFactor, onceFactor*before.ratio))
	}
	return surprise
}

// onceFactor is how much larger a signal after a large gradient has to be than each of
// two in a row, and how much less large, relative to usual ones, the gradient.
const onceFactor = 1.5
