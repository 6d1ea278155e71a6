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
// with ν_0 = 0, m_0 = 0, p_0 = 1. By default both signals are normalized: the
// gain's is sign(m_{t−1}) ⊙ sign(g_t), the scale's the cosine
// ν_t · g_t / (‖ν_t‖ ‖g_t‖), 0 where either norm is. p and s are clipped to
// their bounds after every update. g is the gradient after l1 and l2
// regularisation, division by the batch size and clipping, in this order.
//
// Three things are added to the paper's step, so that any learn rate will do;
// WithPaperStep takes them away. The scale starts at s_0 = ρ ‖θ_0‖ / ‖ν_1‖ and
// not at 1 (WithInitialStep), γs is larger at first (WithScaleWarmup), and gains
// go back to 1 a little at every step (WithGainDecay). From then on a learn rate
// set by Apply means what it says: twice as much of it is twice the step.
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
//	WithGradientDecay        β   0.9
//	WithGainRate             γp  0.02
//	WithGainDecay            λ   0.01
//	WithScaleRate            γs  0.02
//	WithScaleWarmup          γw  1, τ 30
//	WithInitialStep          ρ   0.001
//	WithGainBounds               [0.01, 100]
//	WithScaleBounds              [1e-9, 1e9]
//	WithGainSignal               Normalized
//	WithScaleSignal              Normalized
//	WithScaleScope               PerParameter
//	WithBiasCorrection           off
//	gorgonia.WithBatchSize       1
//	gorgonia.WithClip            off
//	gorgonia.WithL1Reg           off
//	gorgonia.WithL2Reg           off
//
// Gorgonia's other options mean nothing to a Funnel and are ignored. A value
// that an option cannot have is reported by Step, as a *HyperparameterError.
func NewFunnel(opts ...gorgonia.SolverOpt) *Funnel {
	h := defaults()
	h.gainRate, h.scaleRate, h.initialStep, h.scope = 0.02, 0.02, 0.001, PerParameter
	return newFunnel(h, opts)
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
