package solver

import (
	"math"
	"runtime"
	"slices"

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
	hyperparameters
	parameters registry[funnelParameter]
	scale      float64 // s of Global scope
	scopeMade  Scope   // of the first step

	// of the step under way
	team            team
	blocks          []block
	elements        int
	measure, update func(i int)  // of blocks[i]
	terms           [3][]float64 // of the sums over all parameters: ν·g, ‖ν‖², ‖g‖²
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
	f := &Funnel{hyperparameters: h.with(opts), scale: 1}
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

// checkScope refuses another scope than that of the steps made so far.
func (f *Funnel) checkScope(s Scope) error {
	if len(f.parameters.known) > 0 && s != f.scopeMade {
		return &HyperparameterError{"WithScaleScope", s, "what it was at the first step, " + f.scopeMade.String()}
	}
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
	f.scale, f.scopeMade = scale, f.scope
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
	scale = f.scale
	if f.scope == Global {
		scale = f.nextScale(f.scale, f.signal(bound))
	}
	for i, p := range bound {
		own := scale
		if f.scope == PerParameter {
			own = f.nextScale(p.lastScale(), f.signal(bound[i:i+1]))
		}
		if err := p.setScale(own); err != nil {
			return 0, f.parameters.refuse(i, err)
		}
	}
	return scale, nil
}

// nextScale is s_{t+1}.
func (h *hyperparameters) nextScale(s, signal float64) float64 {
	if h.scaleRate > 0 {
		s *= kernel.Exp(h.scaleRate * signal)
	}
	return min(max(s, h.scaleMin), h.scaleMax)
}

// signal is what the scale of these parameters adapts to.
func (f *Funnel) signal(of []funnelParameter) float64 {
	if f.scaleRate == 0 {
		return 0
	}
	sums, exponent := f.sums(of)
	if f.scaleSignal == Raw {
		return math.Ldexp(sums.Dot, exponent)
	}
	if sums.Velocity == 0 || sums.Gradient == 0 {
		return 0
	}
	cosine := sums.Dot / (math.Sqrt(sums.Velocity) * math.Sqrt(sums.Gradient))
	return min(max(cosine, -1), 1)
}

// sums adds up the sums of several parameters. Where squares leave the range
// of float64 the vectors are scaled first; the inner product is then to be
// multiplied by 2^exponent.
func (f *Funnel) sums(of []funnelParameter) (_ kernel.Sums, exponent int) {
	total := f.add(of, funnelParameter.sums)
	if inRange(total.Velocity) && inRange(total.Gradient) {
		return total, 0
	}
	velocity, gradient := kernel.ExponentOfZero, kernel.ExponentOfZero
	for _, p := range of {
		v, g := p.exponents()
		velocity, gradient = max(velocity, v), max(gradient, g)
	}
	total = f.add(of, func(p funnelParameter) kernel.Sums { return p.scaledSums(velocity, gradient) })
	return total, velocity + gradient
}

// inRange says whether a sum of squares is neither rounded by underflow nor
// beyond overflow.
func inRange(square float64) bool { return square > 0x1p-900 && square < 0x1p1000 }

// add adds from the smallest term to the largest, so that the order of the
// parameters in the model does not show in the result.
func (f *Funnel) add(of []funnelParameter, sums func(funnelParameter) kernel.Sums) kernel.Sums {
	for k := range f.terms {
		f.terms[k] = f.terms[k][:0]
	}
	for _, p := range of {
		s := sums(p)
		f.terms[0] = append(f.terms[0], s.Dot)
		f.terms[1] = append(f.terms[1], s.Velocity)
		f.terms[2] = append(f.terms[2], s.Gradient)
	}
	var total [3]float64
	for k := range f.terms {
		slices.Sort(f.terms[k])
		for _, x := range f.terms[k] {
			total[k] += x
		}
	}
	return kernel.Sums{Dot: total[0], Velocity: total[1], Gradient: total[2]}
}
