package solver

import "gorgonia.org/gorgonia"

var _ gorgonia.Solver = (*Funnel)(nil)

// Funnel is gradient descent with momentum whose step sizes tune themselves:
// one gain p per coordinate and one scale s for the whole step, both learned
// by exponentiated-gradient updates while the network trains.
//
//	s_{t+1} = s_t · exp(γs ν_t · g_t)
//	p_{t+1} = p_t ⊙ exp(γp m_{t−1} ⊙ g_t)
//	ν_{t+1} = μ ν_t + η (p_{t+1} ⊙ g_t)
//	m_t     = β m_{t−1} + (1−β) g_t
//	θ_{t+1} = θ_t − s_{t+1} ν_{t+1}
//
// with ν_0 = 0, m_0 = 0, p_0 = 1, s_0 = 1, so that the first step is a plain
// gradient-descent step. By default both signals are normalized: the gain's is
// sign(m_{t−1}) ⊙ sign(g_t), the scale's the cosine ν_t · g_t / (‖ν_t‖ ‖g_t‖),
// 0 where either norm is. p and s are clipped to their bounds after every
// update. g is the gradient after l1 and l2 regularisation, division by the
// batch size and clipping, in this order.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated
// Gradient Updates, 2022, arXiv 2202.00145.
//
// Make one with NewFunnel. A Funnel belongs to one goroutine at a time; two of
// them share nothing. It keeps what it has learned of every parameter it has
// seen, and the parameter with it, for as long as it lives.
type Funnel struct{ adaptive }

// NewFunnel returns a Funnel with the paper's method in the authors'
// normalized form. Options, all optional, with their defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithMomentum    μ   0.9
//	WithGainRate             γp  0.01
//	WithScaleRate            γs  0.1
//	WithGradientDecay        β   0.9
//	WithGainBounds               [0.01, 100]
//	WithScaleBounds              [0.001, 1000]
//	WithGainSignal               Normalized
//	WithScaleSignal              Normalized
//	WithScaleScope               Global
//	WithBiasCorrection           off
//	gorgonia.WithBatchSize       1
//	gorgonia.WithClip            off
//	gorgonia.WithL1Reg           off
//	gorgonia.WithL2Reg           off
//
// Gorgonia's other options mean nothing to a Funnel and are ignored. A value
// that an option cannot have is reported by Step, as a *HyperparameterError.
func NewFunnel(opts ...gorgonia.SolverOpt) *Funnel {
	return newFunnel(defaults(), opts)
}

func newFunnel(h hyperparameters, opts []gorgonia.SolverOpt) *Funnel {
	f := new(Funnel)
	f.init(h.with(opts), (*hyperparameters).checkFunnel, newFunnelParameter)
	return f
}

func (h *hyperparameters) checkFunnel() error {
	if err := h.checkObjective(); err != nil {
		return err
	}
	if err := firstBad([]setting{
		{"WithMomentum", h.momentum, belowOne},
		{"WithGradientDecay", h.gradientDecay, belowOne},
	}); err != nil {
		return err
	}
	return h.checkAdaptation()
}
