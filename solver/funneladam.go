package solver

import "gorgonia.org/gorgonia"

var _ gorgonia.Solver = (*FunnelAdam)(nil)

// FunnelAdam is Adam whose step sizes tune themselves: one gain p per
// coordinate and one scale s for the whole step (or per parameter, see
// WithScaleScope), both learned by exponentiated-gradient updates while the
// network trains.
//
//	p_t = (p_{t−1} + λ (1 − p_{t−1})) ⊙ exp(γp sign(m_{t−1}) ⊙ sign(g_t))
//	s_t = s_{t−1} · exp((γs + γw e^{−(t−1)/τ}) cos(d_{t−1}, g_t))
//	m_t = β1 m_{t−1} + (1−β1) p_t ⊙ g_t
//	v_t = β2 v_{t−1} + (1−β2) g_t²
//	d_t = (m_t / (1−β1^t)) / (√(v_t / (1−β2^t)) + ε)
//	θ_t = θ_{t−1} − η s_t d_t
//
// with m_0 = 0, v_0 = 0, d_0 = 0, p_0 = 1 and s_0 = ρ ‖θ_0‖ / (η ‖d_1‖), which
// makes the first step ρ times as long as the parameters are. t is the
// parameter's own step, counted from 1; in s_t, where the scope is Global, it is
// the solver's. The cosine is 0 where either vector is. Of raw signals the gain's
// is m_{t−1} ⊙ g_t, the scale's d_{t−1} · g_t. p and s are clipped to their bounds
// after every update. g is the gradient after l1 and l2 regularisation, division
// by the batch size and clipping, in this order. With γp = γs = 0 it is
// gorgonia.AdamSolver.
//
// What Funnel says of the learn rate, and of what is not in the paper, holds
// here, too, but that a raw scale signal does not depend on the learn rate.
//
// It keeps m, v and p, which is 12 bytes for a float32; d_{t−1} is computed
// again. In float32 a gradient beyond about 10^20 overflows v, and is refused
// as ErrNonFiniteStep: clip it.
//
// Source: as Funnel's; and Kingma, Ba, Adam: A Method for Stochastic
// Optimization, 2015, arXiv 1412.6980.
//
// Make one with NewFunnelAdam. What Funnel says of goroutines and of what it
// keeps holds here, too.
type FunnelAdam struct{ adaptive }

// NewFunnelAdam returns a FunnelAdam. Options, all optional, with their
// defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithBeta1       β1  0.9
//	gorgonia.WithBeta2       β2  0.999
//	gorgonia.WithEps         ε   1e-8
//	WithGainRate             γp  0.01
//	WithGainDecay            λ   0.01
//	WithScaleRate            γs  0.1
//	WithScaleWarmup          γw  1, τ 30
//	WithInitialStep          ρ   0.03
//	WithGainBounds               [0.01, 100]
//	WithScaleBounds              [1e-9, 1e9]
//	WithGainSignal               Normalized
//	WithScaleSignal              Normalized
//	WithScaleScope               Global
//	WithBiasCorrection           off
//	gorgonia.WithBatchSize       1
//	gorgonia.WithClip            off
//	gorgonia.WithL1Reg           off
//	gorgonia.WithL2Reg           off
//
// β1 and β2 are at least 0 and below 1, ε is finite and above 0. Other options,
// WithMomentum and WithGradientDecay among them, mean nothing to a FunnelAdam
// and are ignored. A value that an option cannot have is reported by Step, as a
// *HyperparameterError.
func NewFunnelAdam(opts ...gorgonia.SolverOpt) *FunnelAdam {
	h := defaults()
	h.initialStep = 0.03
	f := new(FunnelAdam)
	f.init(h.with(opts), (*hyperparameters).checkFunnelAdam, newAdamParameter)
	return f
}

func (h *hyperparameters) checkFunnelAdam() error {
	if err := h.checkObjective(); err != nil {
		return err
	}
	if err := firstBad([]setting{
		{"WithBeta1", h.beta1, belowOne},
		{"WithBeta2", h.beta2, belowOne},
		{"WithEps", h.eps, aboveZero},
	}); err != nil {
		return err
	}
	return h.checkAdaptation()
}
