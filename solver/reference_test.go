package solver_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// This file is the documented equations of the solvers once more, in plain
// float64, with the defaults that the constructors promise. It uses nothing of
// the package but what users see.

// rules are the hyperparameters of a run. The zero value of l1, l2 and clip is
// none.
type rules struct {
	learnRate, l1, l2, batch, clip                 float64
	momentum, gradientDecay, beta1, beta2, epsilon float64
	gainRate, gainDecay, gainMin, gainMax          float64
	scaleRate, warmupRate, warmupSteps             float64
	initialStep, scaleMin, scaleMax                float64
	maxStep, scaleFloor, meanShare                 float64
	noiseCorrection, noiseLimit, restart, pooling  float64
	scalePooling                                   float64 // FunnelAdam
	noiseGate                                      float64
	noiseSteps                                     float64 // Augment
	stepAverage, longerAverage, averageWeight      float64
	lift, momentumWarmup, growth                   float64
	leastGradient, spread, freeGrowth              float64
	scaleSignal                                    solver.Signal
	rawGain, perParameter, corrected, prompt       bool
	raisedFloor, geometric                         bool
	smooth                                         bool    // an Augmented
	settled                                        bool    // Funnel and FunnelAdam
	foreseen                                       bool    // Funnel and FunnelAdam
	meanFall                                       float64 // the same
}

func funnelRules() rules {
	return rules{
		learnRate: 0.001, batch: 1, momentum: 0.9, gradientDecay: 0.9,
		gainRate: 0.025, gainDecay: 0.01, gainMin: 0.01, gainMax: 100,
		scaleRate: 0.02, warmupRate: 0.5, warmupSteps: 30, initialStep: 0.01, scaleMin: 1e-30, scaleMax: 1e30,
		maxStep: 0.05, meanShare: 0.5, scaleFloor: 0.25, noiseCorrection: 1, noiseGate: 0.04, noiseLimit: 0.3, restart: 3, pooling: 1, stepAverage: 0.99, longerAverage: 10, averageWeight: 3, scaleSignal: solver.Relative,
		perParameter: true, prompt: true, lift: 1, momentumWarmup: 0.25, growth: 1.5, leastGradient: 1e-5, spread: 30, freeGrowth: 0.3, settled: true, foreseen: true, meanFall: 0.01, geometric: true,
	}
}

func egGainRules() rules {
	r := funnelRules()
	r.momentum, r.gradientDecay, r.scaleRate = 0, 0, 0
	r.momentumWarmup, r.settled = 0, false
	r.gainRate, r.gainDecay, r.rawGain = 0.01, 0, true
	return r
}

func funnelAdamRules() rules {
	return rules{
		learnRate: 0.001, batch: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
		gainRate: 0.02, gainDecay: 0.015, gainMin: 0.01, gainMax: 100,
		scaleRate: 0.05, warmupRate: 0.4, warmupSteps: 20, initialStep: 0.03, scaleMin: 1e-30, scaleMax: 1e30,
		maxStep: 0.035, meanShare: 0.5, scaleFloor: 0.25, noiseCorrection: 0.6, noiseGate: 0.04, noiseLimit: 0.3, restart: 3, pooling: 1, stepAverage: 0.99, longerAverage: 10, averageWeight: 3, scaleSignal: solver.Relative,
		perParameter: true, prompt: true, lift: 2, momentumWarmup: 0.25, settled: true, foreseen: true, meanFall: 1, leastGradient: 1e-5, spread: 30, freeGrowth: 0.3, raisedFloor: true, geometric: true,
	}
}

func augmentRules() rules {
	return rules{
		learnRate: 0.1, batch: 1, // of the inner solver
		scaleRate: 0.03, warmupRate: 0.4, warmupSteps: 30, initialStep: 0.02, scaleMin: 1e-30, scaleMax: 1e30,
		maxStep: 0.1, scaleFloor: 0.2, noiseCorrection: 0.3, noiseSteps: 1000, noiseLimit: 0.3, restart: 3, pooling: 100, stepAverage: 0.99, averageWeight: 2.2, scaleSignal: solver.Relative,
		perParameter: true, smooth: true, spread: 30,
	}
}

// referenceParameter is a parameter and all that is known of it.
type referenceParameter struct {
	theta, nu, m, v, p []float64
	settled            []float64 // what p is where the step does not change the value
	d                  []float64 // direction of the step before
	mean, alone, along []float64 // the average of the steps before, as a direction, and what the scale is adapted along
	smooth, slow       []float64 // of an Augmented, what stands for its last step, and what is averaged
	likeness           float64   // and how alike steps are
	start              float64   // of a FunnelAdam, the weight of m_0 in m
	t                  int       // steps made
	scale              *referenceScale
	largest            float64 // |θ| so far
}

// referenceScale is a scale and all that is known of it.
type referenceScale struct {
	s                  float64
	squaredNorm        float64 // ḡ²
	peak               float64 // G
	sum, steady        float64 // A, T
	log                float64 // ln s̄
	warmSum, warmSteps float64 // B, W
	warmup             float64 // w
	square, z          float64 // σ², z
	ratio              float64 // r
	counted            float64 // r of this step
	rise               float64 // and what it is where nothing limits it; 0 where ḡ is not known
	largest            float64 // the largest ḡ² since step τ
	spent              bool    // whether ḡ is next to nothing beside it
	low, length        float64 // the smallest ḡ of late, the mean of ‖θ‖
	before             float64 // w of the step before
	mean, alone        float64 // of c after warm-ups, ā
	count              float64 // L
	moves              int     // steps that moved something
	still              bool    // whether the last step moved nothing
	w                  float64 // of the step
}

func newReferenceParameter(theta []float64) *referenceParameter {
	n := len(theta)
	x := &referenceParameter{start: 1, theta: theta, nu: make([]float64, n), m: make([]float64, n), v: make([]float64, n), d: make([]float64, n), p: make([]float64, n), settled: make([]float64, n), scale: &referenceScale{s: 1},
		mean: make([]float64, n), alone: make([]float64, n), along: make([]float64, n), smooth: make([]float64, n), slow: make([]float64, n)}
	for i := range x.p {
		x.p[i] = 1
	}
	return x
}

// reference is a solver. Its update makes what the scale multiplies, of θ ← θ −
// s u, and the vector whose cosine with the next g the scale adapts to. plain is
// the u that the longest step is of, known before gains and moments are. averaged is
// what the step average is of, and each element's denominator, if it has one.
type reference struct {
	rules
	update   func(r *rules, x *referenceParameter, g []float64, w float64) (u, direction []float64)
	plain    func(r *rules, x *referenceParameter, g []float64, w float64) []float64
	averaged func(r *rules, x *referenceParameter) (base []float64, over func(i int) float64)
	scale    *referenceScale // of all parameters
	square   float64         // the mean of the squares of all values of the step
	grown    float64         // the largest share of ḡ that the smallest ḡ of late is

	outliers, outgrown, capped, slowed, floored, raised, begun, prompted, lifted, drawn, steadied, foresaw, shortened, spent, evened, lengthened, opposed, eased, checked int // how often a gradient counts as 5 ḡ, the scale falls as it grows, the longest step limits the scale, and grows less than the parameters, the floor does, and is raised, the warm-up begins again, after two signals or one, and with a larger scale, signals are pooled and of the step average, the longest step knows of a large gradient, the mean of the scale counts as no longer, the gradient is next to nothing, and the mean of all values and a first step are less because one parameter is far smaller, the step average is over more steps than at first, gradients have long been against it, and less than k of the noise is taken off
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func signOf(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Copysign(1, x)
}

func clipped(x, low, high float64) float64 { return math.Min(math.Max(x, low), high) }

// objective is g.
func (r *rules) objective(theta, gradient []float64) []float64 {
	g := make([]float64, len(theta))
	for i := range g {
		g[i] = gradient[i] + r.l1*signOf(theta[i]) + r.l2*theta[i]
		if r.batch > 1 {
			g[i] /= r.batch
		}
		if r.clip > 0 {
			g[i] = clipped(g[i], -r.clip, r.clip)
		}
	}
	return g
}

// gains makes the gains of a step, given m_{t−1} and the weight of m_0 in it.
func (r *rules) gains(x *referenceParameter, g []float64, start float64) {
	for i := range g {
		signal := signOf(x.m[i]) * signOf(g[i])
		if r.rawGain {
			signal = x.m[i] * g[i]
			if r.corrected {
				signal /= 1 - start
			}
		}
		p := x.p[i] + r.gainDecay*(1-x.p[i])
		x.p[i] = clipped(p*math.Exp(r.gainRate*signal), r.gainMin, r.gainMax)
		x.settled[i] = clipped(p, r.gainMin, r.gainMax)
	}
}

// warmed is μ or β1 in a warm-up of weight w.
func (r *rules) warmed(decay, w float64) float64 { return decay * (1 - r.momentumWarmup*w) }

func funnelUpdate(r *rules, x *referenceParameter, g []float64, w float64) (u, direction []float64) {
	r.gains(x, g, math.Pow(r.gradientDecay, math.Max(float64(x.t), 1)))
	for i := range g {
		x.nu[i] = r.warmed(r.momentum, w)*x.nu[i] + r.learnRate*x.p[i]*g[i]
		x.m[i] = r.gradientDecay*x.m[i] + (1-r.gradientDecay)*g[i]
	}
	return x.nu, x.nu
}

func funnelAdamUpdate(r *rules, x *referenceParameter, g []float64, w float64) (u, direction []float64) {
	beta1, before := r.warmed(r.beta1, w), x.start
	if x.t == 0 {
		before = r.beta1
	}
	r.gains(x, g, before)
	x.start *= beta1
	t := float64(x.t + 1)
	u, direction = make([]float64, len(g)), make([]float64, len(g))
	for i := range g {
		x.m[i] = beta1*x.m[i] + (1-beta1)*x.p[i]*g[i]
		x.v[i] = r.beta2*x.v[i] + (1-r.beta2)*g[i]*g[i]
		direction[i] = x.m[i] / (1 - x.start) / (math.Sqrt(x.v[i]/(1-math.Pow(r.beta2, t))) + r.epsilon)
		u[i] = r.learnRate * direction[i]
	}
	return u, direction
}

// descentUpdate is gradient descent, augmented.
func descentUpdate(r *rules, x *referenceParameter, g []float64, _ float64) (u, direction []float64) {
	u = make([]float64, len(g))
	for i := range g {
		u[i] = r.learnRate * g[i]
	}
	x.likeness = 0
	if lengths := dot(u, u) * dot(x.smooth, x.smooth); lengths > 0 {
		x.likeness = math.Pow(dot(u, x.smooth), 4) / (lengths * lengths)
	}
	for i := range g {
		x.smooth[i] = 0.7*x.smooth[i] + 0.3*u[i]
	}
	if r.averages() {
		return u, x.smooth
	}
	return u, u
}

// averages says whether there is a step average.
func (r *rules) averages() bool {
	return r.stepAverage > 0 && r.scaleRate > 0 && r.scaleSignal == solver.Relative
}

func whole(int) float64 { return 1 }

func averagedVelocity(_ *rules, x *referenceParameter) ([]float64, func(int) float64) {
	return x.nu, whole
}

func averagedDescent(_ *rules, x *referenceParameter) ([]float64, func(int) float64) {
	return x.smooth, whole
}

func averagedMoment(r *rules, x *referenceParameter) ([]float64, func(int) float64) {
	t := float64(x.t + 1)
	return x.m, func(i int) float64 {
		return (1 - x.start) * (math.Sqrt(x.v[i]/(1-math.Pow(r.beta2, t))) + r.epsilon)
	}
}

// average brings the step average of x up to date, which its scale says how to.
func (r *reference) average(x *referenceParameter, at *referenceScale) {
	base, over := r.averaged(&r.rules, x)
	decay := r.stepAverage * (1 - at.w)
	if at.count > 1/(1-r.stepAverage) {
		decay = (1 - 1/at.count) * (1 - at.w)
		r.lengthened++
	}
	for i, b := range base {
		if r.smooth {
			x.slow[i] = 0.95*x.slow[i] + 0.05*b
			x.mean[i] = decay*x.mean[i] + r.averageWeight*(1-r.stepAverage)*x.slow[i]
			x.alone[i] = x.mean[i]
			x.along[i] = x.mean[i] + 0.3*x.likeness*b
			continue
		}
		x.mean[i] = decay*x.mean[i] + r.averageWeight*(1-r.stepAverage)*b
		x.alone[i] = x.mean[i] / over(i)
		x.along[i] = (x.mean[i] + 0.3*b) / over(i)
	}
}

// plainVelocity is ν_{t+1} with gains of 1 in this step.
func plainVelocity(r *rules, x *referenceParameter, g []float64, w float64) []float64 {
	u := make([]float64, len(g))
	for i := range g {
		u[i] = r.warmed(r.momentum, w)*x.nu[i] + r.learnRate*g[i]
	}
	return u
}

// lastDirection is η d_{t−1}.
func lastDirection(r *rules, x *referenceParameter, _ []float64, _ float64) []float64 {
	u := make([]float64, len(x.d))
	for i, d := range x.d {
		u[i] = r.learnRate * d
	}
	return u
}

// plainDescent is Δ, but for its sign.
func plainDescent(r *rules, _ *referenceParameter, g []float64, _ float64) []float64 {
	u := make([]float64, len(g))
	for i := range g {
		u[i] = r.learnRate * g[i]
	}
	return u
}

func (r *reference) step(xs []*referenceParameter, gradients [][]float64) {
	groups := [][]*referenceParameter{xs}
	if r.perParameter {
		groups = nil
		for _, x := range xs {
			groups = append(groups, []*referenceParameter{x})
		}
	}
	g := map[*referenceParameter][]float64{}
	for i, x := range xs {
		g[x] = r.objective(x.theta, gradients[i])
	}
	next := make([]referenceScale, len(groups))
	// The signals are of the directions that the steps before went.
	signals, steady, has := make([]float64, len(groups)), make([]float64, len(groups)), make([]bool, len(groups))
	scales := make([]float64, len(groups))
	for i, group := range groups {
		next[i] = *r.scaleOf(group)
		if scales[i] = next[i].s; r.scaleRate > 0 {
			signals[i], steady[i], has[i] = r.signal(group, g, &next[i])
		}
	}
	r.pooled(groups, signals, has, 1)
	r.pooled(groups, steady, has, 1)
	if !r.paused() {
		r.pooled(groups, scales, has, r.scalePooling)
	}
	for i := range groups {
		if next[i].s = 1; r.scaleRate > 0 {
			next[i].s = r.factor(signals[i], steady[i], has[i], &next[i])
		}
		if r.longerAverage > 0 && r.averages() && !r.paused() {
			next[i].count = math.Min((1-next[i].w)*next[i].count+1, r.longerAverage/(1-r.stepAverage))
		}
	}
	starting := map[*referenceParameter]bool{}
	for i, x := range xs {
		starting[x] = x.t == 0 || x.scale.moves == 0 && dot(gradients[i], gradients[i]) > 0
	}
	values, squares, smallest := 0.0, 0.0, math.Inf(1)
	for _, x := range xs {
		values, squares = values+float64(len(x.theta)), squares+dot(x.theta, x.theta)
		smallest = math.Min(smallest, dot(x.theta, x.theta)/float64(len(x.theta)))
	}
	r.square = squares / values
	if limit := math.Pow(r.spread, 2) * math.Max(smallest, 0.03*0.03); r.spread > 0 && limit < r.square {
		r.square = limit
		r.evened++
	}
	r.grown = r.growthOfAll(next)
	u, plain := map[*referenceParameter][]float64{}, map[*referenceParameter][]float64{}
	for i, group := range groups {
		for _, x := range group {
			plain[x] = r.plain(&r.rules, x, g[x], next[i].w)
			u[x], x.d = r.update(&r.rules, x, g[x], next[i].w)
			r.average(x, &next[i])
		}
	}
	first := r.firstScale(xs, starting, u)
	for i, group := range groups {
		r.move(group, scales[i], first, &next[i], u, plain)
	}
}

// growthOfAll is the largest share of ḡ that the smallest ḡ of late is, which it brings up to date.
func (r *reference) growthOfAll(next []referenceScale) float64 {
	grown := 0.0
	for i := range next {
		at := &next[i]
		if norm := math.Sqrt(at.squaredNorm); at.rise > 0 {
			if at.low == 0 {
				at.low = norm
			}
			rate := math.Max(0.001, math.Pow(at.before, 4))
			at.low = math.Min(norm, at.low+rate*(norm-at.low))
			grown = math.Max(grown, at.low/norm)
		}
	}
	if grown == 0 {
		return 1
	}
	return grown
}

func (r *reference) scaleOf(group []*referenceParameter) *referenceScale {
	if r.perParameter {
		return group[0].scale
	}
	return r.scale
}

// paused says whether the learning rate of a solver that has one is 0.
func (r *reference) paused() bool { return r.learnRate == 0 && r.gainMax > 0 }

// signal is c of a group, if it has one, and c along the step average. It brings ḡ up
// to date.
func (r *reference) signal(group []*referenceParameter, g map[*referenceParameter][]float64, at *referenceScale) (c, steady float64, ok bool) {
	var dg, dd, gg, ag, aa, alone float64
	for _, x := range group {
		dg, dd, gg = dg+dot(x.d, g[x]), dd+dot(x.d, x.d), gg+dot(g[x], g[x])
		ag, aa, alone = ag+dot(x.along, g[x]), aa+dot(x.along, x.along), alone+dot(x.alone, g[x])
	}
	at.rise, at.spent, at.before = 0, false, at.warmup
	cosine := 0.0
	if dd > 0 && gg > 0 {
		cosine = dg / math.Sqrt(dd*gg)
	}
	switch r.scaleSignal {
	case solver.Raw:
		return dg, dg, !at.still
	case solver.Normalized:
		return cosine, cosine, !at.still
	}
	if gg == 0 {
		return 0, 0, false
	}
	if at.squaredNorm == 0 {
		at.squaredNorm = gg
	}
	counted := math.Min(math.Sqrt(gg), 5*math.Sqrt(at.squaredNorm))
	if counted < math.Sqrt(gg) {
		r.outliers++
	}
	c = cosine * counted / math.Sqrt(at.squaredNorm)
	if steady = c; r.averages() && aa > 0 && dd > 0 && !at.still {
		at.alone += 0.01 * (math.Min(math.Max(alone/math.Sqrt(aa*gg), -1), 1) - at.alone)
		if at.alone < -0.1 {
			ag = alone
			r.opposed++
		}
		steady = math.Min(math.Max(ag/math.Sqrt(aa*gg), -1), 1) * counted / math.Sqrt(at.squaredNorm)
		r.steadied++
	}
	at.counted, at.rise = counted/math.Sqrt(at.squaredNorm), math.Sqrt(gg/at.squaredNorm)
	at.squaredNorm = 0.9*at.squaredNorm + 0.1*counted*counted
	if float64(at.moves) >= r.warmupSteps {
		at.largest = math.Max(at.largest, at.squaredNorm)
	}
	at.spent = at.squaredNorm < r.leastGradient*r.leastGradient*at.largest
	return c, steady, dd > 0 && !at.still
}

// pooled draws the signals or scales of groups that have a signal towards their mean.
func (r *reference) pooled(groups [][]*referenceParameter, of []float64, has []bool, rate float64) {
	if r.pooling == 0 || rate == 0 || !r.perParameter || r.scaleSignal != solver.Relative {
		return
	}
	var sum, weights float64
	for i, group := range groups {
		if has[i] {
			weight := math.Min(float64(len(group[0].theta)), r.pooling)
			sum, weights = sum+weight*of[i], weights+weight
		}
	}
	for i, group := range groups {
		if n := float64(len(group[0].theta)); has[i] {
			of[i] += rate * ((n*of[i]+r.pooling*sum/weights)/(n+r.pooling) - of[i])
			r.drawn++
		}
	}
}

// factor is what s is multiplied by because of the signals.
func (r *reference) factor(c, steady float64, has bool, at *referenceScale) float64 {
	w := math.Exp(-float64(at.moves) / r.warmupSteps)
	if r.restarts() {
		if at.warmup *= math.Exp(-1 / r.warmupSteps); at.moves == 0 {
			at.warmup = 1
		}
		w = at.warmup
	}
	if at.w = w; r.paused() {
		at.w = 0 // the step teaches nothing
	}
	if !has {
		return 1
	}
	if r.scaleSignal != solver.Relative {
		return math.Exp((r.scaleRate + r.warmupRate*w) * c)
	}
	if r.restarts() {
		w = r.surprise(c, at)
	}
	if at.w = w; r.paused() {
		at.w = 0
	}
	if c = w*c + (1-w)*steady; r.smooth && r.averages() {
		c = steady
	}
	if at.spent {
		c = math.Min(c, 0)
		r.spent++
	}
	if r.raisedFloor {
		at.mean += 0.002 * (1 - w) * (clipped(c, -1, 1) - at.mean)
	}
	noise := math.Min(math.Abs(c), r.noiseLimit)
	k := r.noiseCorrection
	if r.noiseSteps > 0 {
		k *= float64(at.moves) / (float64(at.moves) + r.noiseSteps)
		r.eased++
	}
	if r.noiseGate > 0 && r.averages() && at.alone > 0 {
		k *= math.Max(1-at.alone/r.noiseGate, 0)
		r.eased++
	}
	return math.Exp((r.scaleRate+r.warmupRate*w)*c - r.scaleRate*k*(1-w)*noise*noise)
}

// restarts says whether the warm-up can begin again.
func (r *rules) restarts() bool { return r.restart > 0 && r.scaleSignal == solver.Relative }

// surprise is w, given the signal of the step. It brings σ² up to date.
func (r *reference) surprise(c float64, at *referenceScale) (w float64) {
	if at.square == 0 {
		at.square = c * c
	}
	z := 0.0
	if at.square > 0 {
		z = c / math.Sqrt(at.square)
	}
	if once := math.Min(math.Min(z/1.5, 1.5*at.ratio)/r.restart-1, 0.5); r.prompt && once > at.warmup {
		at.warmup = once
		r.prompted++
	}
	z = clipped(z, -5, 5)
	if again := math.Min(math.Min(at.z, z)/r.restart-1, 1); again > at.warmup {
		at.warmup = again
		r.begun++
	}
	at.ratio = at.counted
	at.square = 0.99*at.square + 0.01*z*z*at.square
	at.z = z
	return at.warmup
}

// move finds the scale of a group, given what it was, drawn towards others, and what the signal
// makes of it, and makes the step. What a step that moved nothing would have taught is forgotten.
func (r *reference) move(group []*referenceParameter, s, first float64, next *referenceScale, u, plain map[*referenceParameter][]float64) {
	now := r.scaleOf(group)
	if r.scaleRate > 0 && !r.paused() {
		if now.moves == 0 {
			s = math.Min(first, r.longestFirst(group, u))
			if s < first {
				r.checked++
			}
		}
		s *= r.yielded(next)
		s = r.limited(group, s*next.s, next, plain)
	}
	s = clipped(s, r.scaleMin, r.scaleMax)
	next.s = s
	any := false
	for _, x := range group {
		moved := dot(u[x], u[x]) > 0 && !r.paused()
		any = any || moved
		for k, before := range x.theta {
			x.theta[k] -= s * u[x][k]
			if r.settled && !r.rawGain && x.theta[k] == before {
				x.p[k] = x.settled[k]
			}
			x.largest = math.Max(x.largest, math.Abs(x.theta[k]))
		}
		x.t++
		if x.scale != now && moved {
			x.scale.moves++
		}
		x.scale.s = s
	}
	if any {
		*now = *next
		now.moves++
	}
	now.s, now.still = s, !any
}

// yielded is what s is multiplied by because the gradient is larger than ever.
func (r *reference) yielded(next *referenceScale) float64 {
	norm := math.Sqrt(next.squaredNorm)
	if r.growth == 0 || r.scaleSignal != solver.Relative || norm == 0 {
		return 1
	}
	if next.peak == 0 {
		next.peak = norm
	}
	share := math.Min(r.growth*next.peak/norm, 1)
	if share < 1 {
		next.sum, next.warmSum, next.peak = next.sum*share, next.warmSum*share, norm/r.growth
		next.log += math.Log(share)
		r.outgrown++
	}
	if norm > next.peak {
		next.peak += (0.01 + 0.99*math.Exp(-float64(next.moves)/r.warmupSteps)) * (norm - next.peak)
	}
	return share
}

// limited is s, limited from above by the longest step and from below by the floor.
func (r *reference) limited(group []*referenceParameter, s float64, next *referenceScale, plain map[*referenceParameter][]float64) float64 {
	var value, step, elements float64
	for _, x := range group {
		value, step, elements = value+dot(x.theta, x.theta), step+dot(plain[x], plain[x]), elements+float64(len(x.theta))
	}
	half := r.meanShare * math.Sqrt(r.square) * elements / math.Sqrt(elements+10)
	value = math.Max(value, math.Max(0.03*0.03*elements, half*half))
	if ahead := math.Pow((1-r.beta1)*next.rise, 2) * step; r.foreseen && r.beta2 > 0 && ahead > step {
		step = math.Max(step, math.Min(ahead, math.Pow(r.learnRate*(1-r.beta1), 2)*elements/(1-r.beta2)))
		r.foresaw++
	}
	longest := math.Inf(1)
	if r.maxStep > 0 && step > 0 {
		longest = r.maxStep * math.Sqrt(value/step)
	}
	if r.smooth {
		longest = r.shortest(group, plain)
	}
	if r.freeGrowth > 0 && r.maxStep > 0 && r.scaleSignal == solver.Relative {
		if next.length == 0 {
			next.length = math.Sqrt(value)
		}
		next.length = 0.999*next.length + 0.001*math.Sqrt(value)
		share := math.Max(next.length, r.freeGrowth*math.Sqrt(elements)) / math.Sqrt(value)
		if share = math.Max(share, r.grown); share < 1 {
			longest *= share
			r.slowed++
		}
	}
	if s > longest {
		s = longest
		r.capped++
	}
	counts, steps, before := 1.0, float64(next.moves+1), float64(next.moves)
	if r.restarts() {
		before = next.steady
		counts = 1 - next.warmup
		next.steady += counts
		next.warmSteps += next.warmup
		next.warmSum += next.warmup * s
		steps = next.steady
	}
	if r.foreseen && next.sum > before*longest {
		next.sum = math.Max(before*longest, (1-r.meanFall)*next.sum)
		r.shortened++
	}
	if limit := math.Log(longest); r.foreseen && next.log > limit {
		next.log = math.Max(limit, next.log+math.Log(1-r.meanFall))
	}
	next.sum += counts * s
	if steps > 0 {
		next.log += counts / steps * (math.Log(s) - next.log)
	}
	kappa := r.scaleFloor
	if r.raisedFloor && next.mean < -0.1 && kappa <= 0.5 {
		kappa = math.Min(0.5, kappa*math.Min(2, -10*next.mean))
		r.raised++
	}
	mean := next.sum / steps
	if r.geometric {
		mean = math.Exp(next.log)
	}
	if floor := kappa * mean; r.scaleFloor > 0 && steps > 0 && s < floor {
		s = math.Min(floor, longest)
		r.floored++
	}
	begins := r.prompt && r.restarts() && r.scaleFloor > 0 && next.warmup > r.scaleOf(group).warmup && next.steady > 0
	if resumed := math.Min(r.lift*next.warmup, 1) * math.Sqrt(next.sum*next.warmSum/next.steady/next.warmSteps) * next.steady / (next.steady + 100); begins && s < resumed {
		s = math.Min(resumed, longest)
		r.lifted++
	}
	return s
}

// shortest is the least of the parameters' longest scales.
func (r *reference) shortest(group []*referenceParameter, plain map[*referenceParameter][]float64) float64 {
	longest := math.Inf(1)
	for _, x := range group {
		if step := dot(plain[x], plain[x]); r.maxStep > 0 && step > 0 {
			value := math.Max(dot(x.theta, x.theta), 0.03*0.03*float64(len(x.theta)))
			longest = math.Min(longest, r.maxStep*math.Sqrt(value/step))
		}
	}
	return longest
}

// firstScale is s_0: ρ ‖θ_0‖ / ‖u‖ of the parameters that make their first step.
func (r *reference) firstScale(xs []*referenceParameter, starting map[*referenceParameter]bool, u map[*referenceParameter][]float64) float64 {
	var value, step float64
	elements := 0
	for _, x := range xs {
		if starting[x] {
			value, step, elements = value+dot(x.theta, x.theta), step+dot(u[x], u[x]), elements+len(x.theta)
		}
	}
	if value == 0 {
		value = 0.01 * 0.01 * float64(elements)
	}
	length := r.firstLength()
	if length == 0 || step == 0 {
		return 1
	}
	return length * math.Sqrt(value/step)
}

func (r *rules) firstLength() float64 {
	if r.maxStep > 0 {
		return math.Min(r.initialStep, r.maxStep)
	}
	return r.initialStep
}

// longestFirst is the s_0 of a parameter that makes its first step as long as it may be.
func (r *reference) longestFirst(group []*referenceParameter, u map[*referenceParameter][]float64) float64 {
	x := group[0]
	step := dot(u[x], u[x])
	if !r.perParameter || r.spread == 0 || r.initialStep == 0 || step == 0 {
		return math.Inf(1)
	}
	value := math.Max(dot(x.theta, x.theta), 0.03*0.03*float64(len(x.theta)))
	return r.spread * r.firstLength() * math.Sqrt(value/step)
}

// variant is options and what they mean.
type variant struct {
	name   string
	opts   []gorgonia.SolverOpt
	change func(*rules)
}

func options(opts ...gorgonia.SolverOpt) []gorgonia.SolverOpt { return opts }

// Options of the scale, which all solvers have.
var scaleVariants = []variant{
	{"defaults", nil, func(*rules) {}},
	{"scale rate", options(solver.WithScaleRate(0.2)), func(r *rules) { r.scaleRate = 0.2 }},
	{"scale rate 0", options(solver.WithScaleRate(0)), func(r *rules) { r.scaleRate = 0 }},
	{"scale warm-up", options(solver.WithScaleRate(0.05), solver.WithScaleWarmup(0.5, 7)), func(r *rules) { r.scaleRate, r.warmupRate, r.warmupSteps = 0.05, 0.5, 7 }},
	{"no warm-up", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0, 30)), func(r *rules) { r.scaleRate, r.warmupRate, r.warmupSteps = 0.1, 0, 30 }},
	{"initial step", options(solver.WithScaleRate(0.1), solver.WithInitialStep(0.1)), func(r *rules) { r.scaleRate, r.initialStep = 0.1, 0.1 }},
	{"no initial step", options(solver.WithScaleRate(0.1), solver.WithInitialStep(0)), func(r *rules) { r.scaleRate, r.initialStep = 0.1, 0 }},
	{"scale bounds", options(solver.WithScaleRate(0.3), solver.WithScaleBounds(0.05, 0.1)), func(r *rules) { r.scaleRate, r.scaleMin, r.scaleMax = 0.3, 0.05, 0.1 }},
	{"raw scale signal", options(solver.WithScaleRate(0.01), solver.WithScaleWarmup(0.02, 10), solver.WithScaleSignal(solver.Raw)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.scaleSignal = 0.01, 0.02, 10, solver.Raw
	}},
	{"raw scale signal, nothing else", options(solver.WithScaleRate(0.01), solver.WithScaleWarmup(0.02, 10), solver.WithScaleSignal(solver.Raw),
		solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(0)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.scaleSignal = 0.01, 0.02, 10, solver.Raw
		r.maxStep, r.scaleFloor, r.noiseCorrection = 0, 0, 0
	}},
	{"normalized scale signal", options(solver.WithScaleRate(0.1), solver.WithScaleSignal(solver.Normalized)), func(r *rules) {
		r.scaleRate, r.scaleSignal = 0.1, solver.Normalized
	}},
	{"normalized scale signal, nothing else", options(solver.WithScaleRate(0.1), solver.WithScaleSignal(solver.Normalized),
		solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(0)), func(r *rules) {
		r.scaleRate, r.scaleSignal = 0.1, solver.Normalized
		r.maxStep, r.scaleFloor, r.noiseCorrection = 0, 0, 0
	}},
	{"relative scale signal, nothing else", options(solver.WithScaleRate(0.1), solver.WithMaxStep(0), solver.WithScaleFloor(0), solver.WithNoiseCorrection(0)), func(r *rules) {
		r.scaleRate, r.maxStep, r.scaleFloor, r.noiseCorrection = 0.1, 0, 0, 0
	}},
	{"gradient growth", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithGradientGrowth(1.2)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.growth = 0.1, 0.3, 4, 1.2
	}},
	{"longest step", options(solver.WithScaleRate(0.2), solver.WithMaxStep(0.01)), func(r *rules) { r.scaleRate, r.maxStep = 0.2, 0.01 }},
	{"longest step of one scale", options(solver.WithScaleRate(0.2), solver.WithMaxStep(0.01), solver.WithScaleScope(solver.Global)), func(r *rules) {
		r.scaleRate, r.maxStep, r.perParameter = 0.2, 0.01, false
	}},
	{"scale floor", options(solver.WithScaleRate(0.3), solver.WithScaleFloor(0.98), solver.WithMaxStep(0)), func(r *rules) { r.scaleRate, r.scaleFloor, r.maxStep = 0.3, 0.98, 0 }},
	{"scale floor for each parameter", options(solver.WithScaleRate(0.3), solver.WithScaleFloor(0.98), solver.WithMaxStep(0), solver.WithScaleScope(solver.PerParameter)), func(r *rules) {
		r.scaleRate, r.scaleFloor, r.maxStep, r.perParameter = 0.3, 0.98, 0, true
	}},
	{"noise correction", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithNoiseCorrection(2)), func(r *rules) {
		r.warmupRate = 0.3
		r.scaleRate, r.warmupSteps, r.noiseCorrection = 0.1, 4, 2
	}},
	{"noise correction without a limit", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithNoiseCorrection(0.3), solver.WithNoiseLimit(5)), func(r *rules) {
		r.warmupRate = 0.3
		r.scaleRate, r.warmupSteps, r.noiseCorrection, r.noiseLimit = 0.1, 4, 0.3, 5
	}},
	{"restart", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithScaleRestart(0.5), solver.WithScaleFloor(0.9)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.restart, r.scaleFloor = 0.1, 0.3, 4, 0.5, 0.9
	}},
	{"no restart", options(solver.WithScaleWarmup(0.3, 4), solver.WithScaleRestart(0), solver.WithScaleFloor(0.9)), func(r *rules) {
		r.warmupRate, r.warmupSteps, r.restart, r.scaleFloor = 0.3, 4, 0, 0.9
	}},
	{"one scale", options(solver.WithScaleRate(0.1), solver.WithScaleScope(solver.Global)), func(r *rules) { r.scaleRate, r.perParameter = 0.1, false }},
	{"signals pooled", options(solver.WithScaleRate(0.1), solver.WithScaleScope(solver.PerParameter), solver.WithSignalPooling(4)), func(r *rules) {
		r.scaleRate, r.perParameter, r.pooling = 0.1, true, 4
	}},
	{"signals apart", options(solver.WithScaleRate(0.1), solver.WithScaleScope(solver.PerParameter), solver.WithSignalPooling(0)), func(r *rules) {
		r.scaleRate, r.perParameter, r.pooling = 0.1, true, 0
	}},
	{"step average", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithStepAverage(0.7)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.stepAverage = 0.1, 0.3, 4, 0.7
	}},
	{"step average that grows longer", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithStepAverage(0.5)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.stepAverage = 0.1, 0.3, 4, 0.5
	}},
	{"step average of one scale", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithScaleScope(solver.Global)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.perParameter = 0.1, 0.3, 4, false
	}},
	{"no step average", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithStepAverage(0)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.stepAverage = 0.1, 0.3, 4, 0
	}},
	{"a scale for each parameter", options(solver.WithScaleRate(0.1), solver.WithScaleScope(solver.PerParameter)), func(r *rules) { r.scaleRate, r.perParameter = 0.1, true }},
}

// Options of gains and gradients.
var gainVariants = []variant{
	{"restart after one signal", options(solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithScaleRestart(0.6), solver.WithScaleFloor(0.1)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.restart, r.scaleFloor = 0.1, 0.3, 4, 0.6, 0.1
	}}, // which an Augmented does not
	{"restart with a larger scale", options(solver.WithScaleRate(0.3), solver.WithScaleWarmup(0.3, 4), solver.WithScaleRestart(0.6), solver.WithScaleFloor(0.01), solver.WithNoiseCorrection(50)), func(r *rules) {
		r.scaleRate, r.warmupRate, r.warmupSteps, r.restart, r.scaleFloor, r.noiseCorrection = 0.3, 0.3, 4, 0.6, 0.01, 50
	}}, // than the noise correction made it
	{"learning rate", options(gorgonia.WithLearnRate(0.05), solver.WithInitialStep(0)), func(r *rules) { r.learnRate, r.initialStep = 0.05, 0 }},
	{"gain rate and decay", options(solver.WithGainSignal(solver.Normalized), solver.WithGainRate(0.1), solver.WithGainDecay(0.2)), func(r *rules) { r.rawGain, r.gainRate, r.gainDecay = false, 0.1, 0.2 }},
	{"no gain decay", options(solver.WithGainSignal(solver.Normalized), solver.WithGainDecay(0)), func(r *rules) { r.rawGain, r.gainDecay = false, 0 }},
	{"gain bounds", options(solver.WithGainSignal(solver.Normalized), solver.WithGainRate(0.2), solver.WithGainBounds(0.8, 1.1)), func(r *rules) {
		r.rawGain, r.gainRate, r.gainMin, r.gainMax = false, 0.2, 0.8, 1.1
	}},
	{"raw gain signal", options(solver.WithGainSignal(solver.Raw), solver.WithGainRate(0.3), solver.WithGainDecay(0.02)), func(r *rules) { r.rawGain, r.gainRate, r.gainDecay = true, 0.3, 0.02 }},
	{"bias correction", options(solver.WithGainSignal(solver.Raw), solver.WithGainRate(0.1), solver.WithBiasCorrection()), func(r *rules) { r.rawGain, r.gainRate, r.corrected = true, 0.1, true }},
	{"decays", options(gorgonia.WithMomentum(0.5), solver.WithGradientDecay(0.7), gorgonia.WithBeta1(0.5), gorgonia.WithBeta2(0.9), gorgonia.WithEps(1e-3)), func(r *rules) {
		r.momentum, r.gradientDecay, r.beta1, r.beta2, r.epsilon = 0.5, 0.7, 0.5, 0.9, 1e-3
	}},
	{"the gradient's options", options(gorgonia.WithL1Reg(0.02), gorgonia.WithL2Reg(0.05), gorgonia.WithBatchSize(3), gorgonia.WithClip(0.3)), func(r *rules) {
		r.l1, r.l2, r.batch, r.clip = 0.02, 0.05, 3, 0.3
	}},
	{"clip alone", options(gorgonia.WithClip(0.4)), func(r *rules) { r.clip = 0.4 }},
	{"the paper's step", options(solver.WithPaperStep(), solver.WithScaleRate(0.1)), func(r *rules) {
		r.initialStep, r.warmupRate, r.gainDecay, r.perParameter = 0, 0, 0, false
		r.maxStep, r.scaleFloor, r.noiseCorrection, r.scaleSignal = 0, 0, 0, solver.Normalized
		r.pooling, r.stepAverage, r.growth, r.scaleRate, r.gainRate = 0, 0, 0, 0.1, 0.01
		r.momentumWarmup, r.settled = 0, false
	}},
	{"no momentum warm-up", options(solver.WithMomentumWarmup(0)), func(r *rules) { r.momentumWarmup = 0 }},
	{"momentum warm-up", options(gorgonia.WithMomentum(0.7), solver.WithScaleRate(0.1), solver.WithScaleWarmup(0.3, 4), solver.WithMomentumWarmup(0.8)), func(r *rules) {
		r.momentum, r.scaleRate, r.warmupRate, r.warmupSteps, r.momentumWarmup = 0.7, 0.1, 0.3, 4, 0.8
	}},
}

func TestStepsAreTheDocumentedEquations(t *testing.T) {
	long(t)
	every := slices.Concat(scaleVariants, gainVariants)
	adam := append(slices.Clone(every), variant{"a gradient that is suddenly larger", nil, func(*rules) {}})
	type update = func(*rules, *referenceParameter, []float64, float64) (u, direction []float64)
	for _, s := range []struct {
		name     string
		rules    func() rules
		update   update
		plain    func(*rules, *referenceParameter, []float64, float64) []float64
		averaged func(*rules, *referenceParameter) ([]float64, func(int) float64)
		variants []variant
		make     func(...gorgonia.SolverOpt) applicable
	}{
		{"Funnel", funnelRules, funnelUpdate, plainVelocity, averagedVelocity, every, newFunnel},
		{"EGGain", egGainRules, funnelUpdate, plainVelocity, averagedVelocity, every, func(o ...gorgonia.SolverOpt) applicable { return solver.NewEGGain(o...) }},
		{"FunnelAdam", funnelAdamRules, funnelAdamUpdate, lastDirection, averagedMoment, adam, newFunnelAdam},
		{"Augment", augmentRules, descentUpdate, plainDescent, averagedDescent, scaleVariants, func(o ...gorgonia.SolverOpt) applicable {
			return newAugmented(append(o, gorgonia.WithLearnRate(0.1))...)
		}},
	} {
		for _, v := range s.variants {
			for _, p := range []struct {
				dtype     tensor.Dtype
				tolerance float64
			}{{tensor.Float64, 1e-10}, {tensor.Float32, 1e-4}} {
				t.Run(fmt.Sprintf("%s/%s/%v", s.name, v.name, p.dtype), func(t *testing.T) {
					r := &reference{rules: s.rules(), update: s.update, plain: s.plain, averaged: s.averaged, scale: &referenceScale{s: 1}}
					v.change(&r.rules)
					compareToReference(t, s.make(v.opts...), r, p.dtype, p.tolerance, 1)
					acts := map[string]int{
						"relative scale signal, nothing else": r.outliers,
						"gradient growth":                     r.outgrown,
						"longest step":                        r.capped,
						"longest step of one scale":           r.capped,
						"scale floor":                         r.floored,
						"scale floor for each parameter":      r.floored,
						"restart":                             r.begun,
						"restart after one signal":            r.prompted,
						"restart with a larger scale":         r.lifted,
						"signals pooled":                      r.drawn,
						"step average":                        r.steadied,
						"step average that grows longer":      r.lengthened,
						"noise correction":                    r.eased,
						"a gradient that is suddenly larger":  min(r.foresaw, r.shortened),
					}
					if n, ok := acts[v.name]; ok && n == 0 && (v.name != "step average that grows longer" || r.longerAverage > 0) {
						t.Error("what it is about never happens")
					}
				})
			}
		}
	}
}

// known is a parameter of a solver whose elements are of either type.
type known struct{ value, gradient *tensor.Dense }

func (k *known) Value() gorgonia.Value         { return k.value }
func (k *known) Grad() (gorgonia.Value, error) { return k.gradient, nil }

func newKnown(dtype tensor.Dtype, theta []float64) *known {
	k := &known{tensor.New(tensor.Of(dtype), tensor.WithShape(len(theta))), tensor.New(tensor.Of(dtype), tensor.WithShape(len(theta)))}
	write(k.value, theta)
	return k
}

// write rounds x to v's type, in v and in x.
func write(v *tensor.Dense, x []float64) {
	for i := range x {
		switch data := v.Data().(type) {
		case []float32:
			data[i] = float32(x[i])
			x[i] = float64(data[i])
		case []float64:
			data[i] = x[i]
		}
	}
}

func read(v *tensor.Dense) []float64 {
	x := make([]float64, v.DataSize())
	for i := range x {
		switch data := v.Data().(type) {
		case []float32:
			x[i] = float64(data[i])
		case []float64:
			x[i] = data[i]
		}
	}
	return x
}

// compareToReference makes 60 steps on gradients that pull to a target, with
// noise. The second of the four parameters starts at 0, the others join later, the
// last with a gradient of 0. The first is of this size, the others of 1. A gradient is far larger than those before it, some
// are 0, and the learning rate is 0 for a while.
func compareToReference(t *testing.T, s applicable, r *reference, dtype tensor.Dtype, tolerance, size float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	uniform := func(n int) []float64 { // from −1 to 1
		x := make([]float64, n)
		for i := range x {
			x[i] = 2*rng.Float64() - 1
		}
		return x
	}
	var xs []*referenceParameter
	var ks []gorgonia.ValueGrad
	targets := [][]float64{uniform(20), uniform(7), uniform(4), uniform(1)}
	join := func(theta []float64) {
		ks = append(ks, newKnown(dtype, theta))
		xs = append(xs, newReferenceParameter(theta))
	}
	large := uniform(20)
	for k := range large {
		large[k] *= size
		targets[0][k] *= size
	}
	join(large)
	join(make([]float64, 7))
	learnRate := r.learnRate
	for step := 1; step <= 60; step++ {
		if step == 15 {
			join(uniform(4))
			join(uniform(1))
		}
		switch step {
		case 40:
			r.learnRate = 0
			must(s.Apply(gorgonia.WithLearnRate(0)))
		case 43:
			r.learnRate = learnRate
			must(s.Apply(gorgonia.WithLearnRate(learnRate)))
		}
		var gradients [][]float64
		for i, x := range xs {
			size := 1.0
			switch {
			case step == 25:
				size = 12
			case step == 30 || step == 31 || step == 15 && i == 3:
				size = 0
			}
			g := uniform(len(x.theta))
			for k := range g {
				g[k] = size * (x.theta[k] - targets[i][k] + 0.8*g[k])
			}
			write(ks[i].(*known).gradient, g)
			gradients = append(gradients, g)
		}
		r.step(xs, gradients)
		if err := s.Step(ks); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		adaptations := s.(interface{ Adaptations() []solver.Adaptation }).Adaptations()
		for i, x := range xs {
			at := fmt.Sprintf("step %d, parameter %d", step, i)
			near(t, at+": value", read(ks[i].(*known).value), x.theta, tolerance*x.largest)
			near(t, at+": scale", []float64{adaptations[i].Scale}, []float64{x.scale.s}, tolerance*x.scale.s)
			if has := len(adaptations[i].Gain) > 0; has != (r.gainMax > 0) {
				t.Fatalf("%s: there are %d gains", at, len(adaptations[i].Gain))
			}
			for k, p := range adaptations[i].Gain {
				near(t, fmt.Sprintf("%s: gain %d", at, k), []float64{p}, x.p[k:k+1], tolerance*x.p[k])
			}
		}
	}
}

func TestOnValuesOfVeryUnlikeSizeStepsAreTheDocumentedEquations(t *testing.T) {
	for name, s := range map[string]applicable{"Funnel": newFunnel(), "FunnelAdam": newFunnelAdam(), "Augment": newAugmented(gorgonia.WithLearnRate(0.1))} {
		r := &reference{rules: funnelRules(), update: funnelUpdate, plain: plainVelocity, averaged: averagedVelocity, scale: &referenceScale{s: 1}}
		switch name {
		case "FunnelAdam":
			r.rules, r.update, r.plain, r.averaged = funnelAdamRules(), funnelAdamUpdate, lastDirection, averagedMoment
		case "Augment":
			r.rules, r.update, r.plain, r.averaged = augmentRules(), descentUpdate, plainDescent, averagedDescent
		}
		compareToReference(t, s, r, tensor.Float64, 1e-10, 3000)
		if r.evened == 0 || name == "FunnelAdam" && r.checked == 0 {
			t.Errorf("%s: what it is about happens %d and %d times", name, r.evened, r.checked)
		}
	}
}

// Gradients fall until they are next to nothing.
func TestOnGradientsNextToNothingStepsAreTheDocumentedEquations(t *testing.T) {
	falling := func(i, j int, noise, _ float64) float64 {
		return math.Pow(0.95, float64(i)) * (float64(j%3-1) + 2*noise)
	}
	stepsAreTheEquations(t, 400, falling, func(r *reference) int { return r.spent }, "Funnel", "Funnel, one scale", "FunnelAdam")
}

// Gradients agree and grow, and values grow with them.
func TestOnGradientsThatGrowWithTheValuesStepsAreTheDocumentedEquations(t *testing.T) {
	growing := func(_, _ int, noise, theta float64) float64 { return 0.2*noise - theta }
	stepsAreTheEquations(t, 400, growing, func(r *reference) int { return r.slowed }, "Funnel", "Funnel, one scale", "FunnelAdam")
}

// Gradients go against those before them, however short the steps are.
func TestOnGradientsThatTakeTurnsStepsAreTheDocumentedEquations(t *testing.T) {
	turning := func(i, j int, noise, theta float64) float64 {
		return float64(i%2*2-1)*float64(j%3+1) + 0.1*noise + 0.01*theta
	}
	stepsAreTheEquations(t, 1500, turning, func(r *reference) int { return r.raised }, "FunnelAdam")
}

// Gradients turn round, and steps with them.
func TestOnGradientsThatGoRoundInCirclesStepsAreTheDocumentedEquations(t *testing.T) {
	circling := func(i, j int, noise, _ float64) float64 {
		return math.Sin(0.3*float64(i)+math.Pi/2*float64(j%4)) + 0.1*noise
	}
	stepsAreTheEquations(t, 400, circling, func(r *reference) int { return r.opposed }, "Funnel", "Funnel, one scale", "FunnelAdam", "Augment", "Augment, one scale")
}

// stepsAreTheEquations compares steps on two parameters with those of the equations, which
// must have done what the gradients are for in a hundred of them. The gradient is that of
// step i for element j.
func stepsAreTheEquations(t *testing.T, steps int, gradient func(i, j int, noise, theta float64) float64, done func(*reference) int, names ...string) {
	for _, name := range names {
		var s applicable = newFunnel()
		r := &reference{rules: funnelRules(), update: funnelUpdate, plain: plainVelocity, averaged: averagedVelocity, scale: &referenceScale{s: 1}}
		switch name {
		case "Funnel, one scale":
			s, r.perParameter = newFunnel(solver.WithScaleScope(solver.Global)), false
		case "FunnelAdam":
			s = newFunnelAdam()
			r.rules, r.update, r.plain, r.averaged = funnelAdamRules(), funnelAdamUpdate, lastDirection, averagedMoment
		case "Augment", "Augment, one scale":
			r.rules, r.update, r.plain, r.averaged = augmentRules(), descentUpdate, plainDescent, averagedDescent
			opts := options(gorgonia.WithLearnRate(0.1))
			if r.perParameter = name == "Augment"; !r.perParameter {
				opts = append(opts, solver.WithScaleScope(solver.Global))
			}
			s = newAugmented(opts...)
		}
		rng := rand.New(rand.NewPCG(8, 8))
		var xs []*referenceParameter
		var ks []gorgonia.ValueGrad
		for _, n := range []int{20, 3} {
			xs = append(xs, newReferenceParameter(random(rng, n)))
			ks = append(ks, newKnown(tensor.Float64, xs[len(xs)-1].theta))
		}
		for i := range steps {
			gs := make([][]float64, len(xs))
			for k, x := range xs {
				gs[k] = random(rng, len(x.theta))
				for j, noise := range gs[k] {
					gs[k][j] = gradient(i, j, noise, x.theta[j])
				}
				write(ks[k].(*known).gradient, gs[k])
			}
			r.step(xs, gs)
			must(s.Step(ks))
			for k, x := range xs {
				near(t, fmt.Sprintf("%s, step %d, parameter %d: value", name, i+1, k), read(ks[k].(*known).value), x.theta, 1e-9*x.largest)
			}
		}
		if n := done(r); n < 100 {
			t.Errorf("%s: what the gradients are for happens in %d steps, so that nothing is shown", name, n)
		}
	}
}

func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Fatalf("%s[%d] is %v, want %v", what, i, got[i], want[i])
		}
	}
}
