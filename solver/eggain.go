package solver

import "gorgonia.org/gorgonia"

// NewEGGain returns gradient descent with one learned gain per coordinate:
//
//	p_{t+1} = p_t ⊙ exp(γp g_{t−1} ⊙ g_t)
//	θ_{t+1} = θ_t − η p_{t+1} ⊙ g_t
//
// so that coordinates whose gradient keeps its sign speed up, and those whose
// gradient flips slow down. It is a Funnel with μ = 0, β = 0, γs = 0 and the
// raw gain signal; everything else, options included, is as NewFunnel has it.
//
// The raw signal has the size of a squared gradient. Choose γp (WithGainRate)
// by it, or take WithGainSignal(Normalized).
//
// Source: as Funnel's.
func NewEGGain(opts ...gorgonia.SolverOpt) *Funnel {
	h := defaults()
	h.momentum, h.gradientDecay, h.scaleRate = 0, 0, 0
	h.gainDecay = 0
	h.gainSignal = Raw
	return newFunnel(h, opts)
}
