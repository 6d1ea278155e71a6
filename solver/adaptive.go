package solver

import (
	"runtime"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"github.com/seed1e560811/funnel/solver/internal/team"
	"gorgonia.org/gorgonia"
)

// Adaptive is a solver that learns step sizes: a *Funnel, a *FunnelAdam, or an
// *Augmented.
type Adaptive interface {
	gorgonia.Solver

	// Apply changes hyperparameters between steps.
	Apply(opts ...gorgonia.SolverOpt) error

	// Adaptations returns what has been learned about each parameter.
	Adaptations() []Adaptation
}

// adaptive is what solvers that learn a scale have in common: the hyperparameters, the states of
// the parameters, the Global scale, and the order of operations in a step.
type adaptive struct {
	kind kind
	hyperparameters
	checked bool       // the hyperparameters have passed check since they last changed
	refusal error      // the error of an option given to the constructor
	clipped [4]float64 // the bounds that all gains and scales were last clipped to

	create     func(gorgonia.Value) state
	parameters *param.Registry[state]
	progress                // of the scale of Global scope
	scopeMade  Scope        // the scope at the last step; it cannot change after that
	between    func() error // called between the two passes, if not nil

	// stepLength estimates, before the second pass, ‖u‖ of parameters that share one scale: u is
	// the step with a scale of 1 in a warm-up of weight w.
	stepLength func(a *adaptive, of []state, now reading, w float64) float64

	// scratch, valid during Step
	blocks             []block
	elements           int
	team               team.Team
	passesOf           *adaptive   // whose blocks measure and update use; differs from the receiver in a copy of the struct
	measure, update    func(i int) // handle blocks[i]
	parallelThreshold  int
	total              kernel.Total
	values, firstSteps []float64 // ‖θ_0‖² and ‖u‖² of first steps; values also holds ‖θ‖² and ū · g
	changes            []float64 // an Augmented's ‖Δ‖² of each parameter
	meanSquare         float64   // R², over all values of the model
	grown              float64   // the largest ḡ_low/ḡ of all scales
	weighted, weights  []float64 // for pool: of each parameter that has a signal
}

// state is an adaptive solver's state of one parameter, of either dtype. The methods are in the
// order in which a step calls them.
type state interface {
	param.State

	// The first pass only reads. The parameter is cut into blocks, which may be measured in
	// parallel.
	prepare(h *hyperparameters) (blocks int)
	measure(block int)
	checkMeasured() error // refuses what is not finite

	// The scale is computed from the results of the first pass.
	measured() (kernel.Sums, kernel.Part)
	measuredAverage() (kernel.Sums, kernel.Part) // the same along the step average, if there is one
	alongAverage() float64                       // ū · g, computed by measuredAverage
	elements() int
	first() (squaredValue, squaredStep float64) // ‖θ_0‖² and ‖u‖², where u is the step with a scale of 1
	progressed() *progress
	setScale(h *hyperparameters, s float64) error // also applies kept; refuses a step that would not be finite

	// The second pass writes.
	update(block int)
	finish() (moved bool)

	adaptation() Adaptation
	clip(h *hyperparameters) // clips gains and scale to their bounds
	saved
}

// block is a part of a parameter, which one core works on.
type block struct {
	of    state
	index int
}

// parallelThreshold is the number of elements up to which one core is as fast as several
// (measured), because waking another takes time.
const parallelThreshold = 1 << 19

func (a *adaptive) init(k kind, opts []gorgonia.SolverOpt, create func(gorgonia.Value) state) {
	a.kind, a.create = k, create
	a.hyperparameters, a.refusal = defaults(k).with(opts)
	a.parameters = param.NewRegistry[state]()
	a.progress = newProgress()
	a.parallelThreshold = parallelThreshold
}

// step makes one step, whole or not at all: everything that can fail does so
// before anything is written.
func (a *adaptive) step(model []gorgonia.ValueGrad) error {
	if err := a.ready(); err != nil {
		return err
	}
	if err := a.parameters.Bind(model, a.create); err != nil {
		return err
	}
	done := false
	defer func() { // also if an inner solver panics or ends the goroutine
		clear(a.blocks)
		if done {
			a.parameters.Release()
		} else {
			a.parameters.Forget()
		}
	}()

	a.prepare()
	a.inParallel(a.measure)
	if err := a.checkMeasured(); err != nil {
		return err
	}
	if a.between != nil {
		if err := a.between(); err != nil {
			return err
		}
	}
	if err := a.nextScales(); err != nil {
		return err
	}
	a.inParallel(a.update)
	a.finish()
	done = true
	return nil
}

// ready checks the hyperparameters if they have changed, and clips gains and scales to changed
// bounds.
func (a *adaptive) ready() error {
	if a.refusal != nil {
		return a.refusal
	}
	if a.checked {
		return nil
	}
	if err := a.checkAll(&a.hyperparameters); err != nil {
		return err
	}
	a.checked = true
	if b := a.bounds(); a.clipped != b {
		a.clipped = b
		a.progress.clip(&a.hyperparameters)
		for _, p := range a.parameters.All() {
			p.clip(&a.hyperparameters)
		}
	}
	return nil
}

// checkAll refuses an invalid hyperparameter, and a change of scope after the first step.
func (a *adaptive) checkAll(h *hyperparameters) error {
	if err := h.check(a.kind); err != nil {
		return err
	}
	if a.steps > 0 && h.scope != a.scopeMade {
		return &HyperparameterError{"WithScaleScope", h.scope, "what it was at the first step, " + a.scopeMade.String()}
	}
	return nil
}

// makePasses creates the closures of the two passes and the team once, so that steps do not
// allocate.
func (a *adaptive) makePasses() {
	a.passesOf, a.team = a, team.Team{}
	a.measure = func(i int) { a.blocks[i].of.measure(a.blocks[i].index) }
	a.update = func(i int) { // backwards, because the last measured blocks are still in the cache
		b := a.blocks[len(a.blocks)-1-i]
		b.of.update(b.index)
	}
}

// prepare reads the hyperparameters and cuts the parameters into blocks.
func (a *adaptive) prepare() {
	if a.passesOf != a {
		a.makePasses()
	}
	a.blocks, a.elements = a.blocks[:0], 0
	for _, p := range a.parameters.Bound() {
		blocks := p.prepare(&a.hyperparameters)
		a.elements += p.elements()
		for i := range blocks {
			a.blocks = append(a.blocks, block{p, i})
		}
	}
}

// inParallel does the work for all blocks, on one core if there are few elements.
func (a *adaptive) inParallel(work func(i int)) {
	workers := runtime.GOMAXPROCS(0)
	if a.elements <= a.parallelThreshold {
		workers = 1
	}
	a.team.Do(len(a.blocks), workers, work)
}

func (a *adaptive) checkMeasured() error {
	for i, p := range a.parameters.Bound() {
		if err := p.checkMeasured(); err != nil {
			return a.parameters.Blame(i, err)
		}
	}
	return nil
}

// finish commits the step.
func (a *adaptive) finish() {
	moved := false
	for _, p := range a.parameters.Bound() {
		own := p.finish()
		p.progressed().finish(own)
		moved = moved || own
	}
	a.scopeMade = a.scope
	if len(a.parameters.Bound()) > 0 {
		a.progress.finish(moved)
	}
}

// change applies an option to an existing solver; the next step checks it.
func (a *adaptive) change(set func(*hyperparameters)) {
	set(&a.hyperparameters)
	a.checked = false
}

// apply changes hyperparameters, all of them or none.
func (a *adaptive) apply(opts []gorgonia.SolverOpt) error {
	h, err := a.hyperparameters.with(opts)
	if err == nil {
		err = a.checkAll(&h)
	}
	if err != nil {
		return err
	}
	a.hyperparameters, a.checked, a.refusal = h, false, nil
	return nil
}

// adaptations returns copies of what has been learned about each parameter whose memory lives.
func (a *adaptive) adaptations() []Adaptation {
	states := a.parameters.All()
	as := make([]Adaptation, len(states))
	for i, p := range states {
		if as[i] = p.adaptation(); a.scope == Global {
			as[i].Scale = a.scale
		}
	}
	return as
}

// blocksOf is the number of blocks of n elements.
func blocksOf(n int) int { return (n + kernel.Block - 1) / kernel.Block }
