package solver

import "gorgonia.org/gorgonia"

// NewEGGain returns gradient descent with one learned gain per coordinate:
//
//	p_{t+1} = p_t ⊙ exp(γp g_{t−1} ⊙ g_t)
//	θ_{t+1} = θ_t − η p_{t+1} ⊙ g_t
//
// so that coordinates whose gradient keeps its sign speed up, and those whose gradient flips slow
// down. It is a Funnel with μ = 0, f = 0, β = 0, γs = 0, γp = 0.01, λ = 0 and the raw gain signal,
// whose gains learn from every step; other defaults and all options are NewFunnel's. Its scale is
// 1, so that η is the step size.
//
// The raw signal has the size of a squared gradient. Choose γp (WithGainRate) accordingly, or use
// WithGainSignal(Normalized).
//
// Source: as Funnel's.
func NewEGGain(opts ...gorgonia.SolverOpt) *Funnel { return newFunnel(egGain, opts) }
