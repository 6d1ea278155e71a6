package solver

import (
	"runtime"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
)

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
type Funnel struct {
	scaling[funnelParameter]

	// of the step under way
	team            team
	blocks          []block
	elements        int
	measure, update func(i int) // of blocks[i]
}

// block is a piece of a parameter that one core works on.
type block struct {
	of    funnelParameter
	index int
}

// alone is up to how many elements one core is as fast as several, measured:
// it takes that long to wake another.
var alone = 1 << 19

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
	f := &Funnel{scaling: newScaling[funnelParameter](h.with(opts))}
	f.measure = func(i int) { f.blocks[i].of.measureBlock(f.blocks[i].index) }
	f.update = func(i int) { // backwards: what was measured last is still in the cache
		b := f.blocks[len(f.blocks)-1-i]
		b.of.updateBlock(b.index)
	}
	return f
}

func (f *Funnel) configuration() *hyperparameters { return &f.hyperparameters }

// Apply changes hyperparameters between steps and keeps what has been learned.
// If one of them cannot be, it changes none and says which, as a
// *HyperparameterError. Gorgonia's options work through Apply alone: called on
// a Funnel, as gorgonia.WithLearnRate(0.1)(f), they do nothing.
func (f *Funnel) Apply(opts ...gorgonia.SolverOpt) error {
	h := f.hyperparameters.with(opts)
	if err := h.checkFunnel(); err != nil {
		return err
	}
	if err := f.checkScope(h.scope); err != nil {
		return err
	}
	f.hyperparameters = h
	return nil
}

func (h *hyperparameters) checkFunnel() error {
	if err := h.checkObjective(); err != nil {
		return err
	}
	return h.checkAdaptation()
}

// Step adapts gains and scale, changes the value of every parameter of the
// model, and zeroes their gradients. The model may be in any order, and a part
// of what was given before; what has been learned follows the parameter.
//
// A step happens whole or not at all: on an error, values, gradients and what
// has been learned are as they were. The error is a *HyperparameterError or a
// *ParameterError.
func (f *Funnel) Step(model []gorgonia.ValueGrad) error {
	if err := f.checkFunnel(); err != nil {
		return err
	}
	if err := f.checkScope(f.scope); err != nil {
		return err
	}
	if err := f.parameters.bind(model, newFunnelParameter); err != nil {
		return err
	}
	scale, err := f.plan()
	if err != nil {
		return err
	}
	f.keep(scale)
	f.share(f.update)
	for _, p := range f.parameters.bound {
		p.finish()
	}
	return nil
}

// share does work for all blocks, on as many cores as that pays for.
func (f *Funnel) share(work func(int)) {
	workers := runtime.GOMAXPROCS(0)
	if f.elements <= alone {
		workers = 1
	}
	f.team.do(len(f.blocks), workers, work)
}

// plan reads all parameters and finds the scale of the step, or why it cannot
// be made.
func (f *Funnel) plan() (scale float64, err error) {
	bound := f.parameters.bound
	f.blocks, f.elements = f.blocks[:0], 0
	for _, p := range bound {
		n := p.prepare(&f.hyperparameters)
		f.elements += n
		for k := range (n + kernel.Block - 1) / kernel.Block {
			f.blocks = append(f.blocks, block{p, k})
		}
	}
	f.share(f.measure)
	for i, p := range bound {
		if err := p.sound(); err != nil {
			return 0, f.parameters.refuse(i, err)
		}
	}
	return f.nextScales()
}
