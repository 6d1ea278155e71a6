package solver

import "gorgonia.org/gorgonia"

var _ gorgonia.Solver = (*Funnel)(nil)

// Funnel is gradient descent with momentum whose step sizes tune themselves:
// one gain p per coordinate and one scale s per parameter (or for the whole
// step, see WithScaleScope), both learned by exponentiated-gradient updates
// while the network trains.
//
//	s_{t+1} = s_t · exp((γs + γw e^{−t/τ}) ν_t · g_t)
//	p_{t+1} = (p_t + λ (1 − p_t)) ⊙ exp(γp m_{t−1} ⊙ g_t)
//	ν_{t+1} = μ ν_t + η (p_{t+1} ⊙ g_t)
//	m_t     = β m_{t−1} + (1−β) g_t
//	θ_{t+1} = θ_t − s_{t+1} ν_{t+1}
//
// with ν_0 = 0, m_0 = 0, p_0 = 1, and s_0 = ρ ‖θ_0‖ / ‖ν_1‖, which makes the
// first step ρ times as long as the parameters are. By default both signals are
// normalized: the gain's is sign(m_{t−1}) ⊙ sign(g_t), the scale's the cosine
// ν_t · g_t / (‖ν_t‖ ‖g_t‖), 0 where either norm is. p and s are clipped to
// their bounds after every update. g is the gradient after l1 and l2
// regularisation, division by the batch size and clipping, in this order.
//
// # The learn rate
//
// Half the learn rate starts with twice the scale, and nothing else depends on
// it: η is only the unit that s is counted in, and every learn rate gives the
// same training, up to rounding. A new one set by Apply does change the steps:
// twice as much makes them twice as long, and the scale goes on from there. With
// WithInitialStep(0) η is what it is in the paper. It also matters to a raw scale
// signal, which has its size; to values that are all 0 at first, whose s_0 is 1;
// and to a scale at its bounds.
//
// # Beyond the paper
//
// Three things are not in the paper's step, so that no learn rate need be
// chosen: the start (WithInitialStep, ρ), a scale that is found faster at first
// (WithScaleWarmup, γw and τ), and gains that go back to 1 (WithGainDecay, λ).
// WithPaperStep takes them away.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated
// Gradient Updates, 2022, arXiv 2202.00145.
//
// Make one with NewFunnel. A Funnel belongs to one goroutine at a time; two of
// them share nothing. It keeps what it has learned of every parameter it has
// seen, and the parameter with it, for as long as it lives.
type Funnel struct{ adaptive }

// NewFunnel returns a Funnel. Options, all optional, with their defaults:
//
//	gorgonia.WithLearnRate   η   0.001
//	gorgonia.WithMomentum    μ   0.9
//	WithGradientDecay        β   0.9
//	WithGainRate             γp  0.02
//	WithGainDecay            λ   0.01
//	WithScaleRate            γs  0.02
//	WithScaleWarmup          γw  0.3, τ 30
//	WithInitialStep          ρ   0.003
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
	return newFunnel(funnelDefaults(), opts)
}

func funnelDefaults() hyperparameters {
	h := defaults()
	h.gainRate, h.scaleRate, h.warmupRate, h.initialStep, h.scope = 0.02, 0.02, 0.3, 0.003, PerParameter
	return h
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
