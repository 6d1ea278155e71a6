package solver

import (
	"runtime"

	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// adaptive is a solver with learned gains and a learned scale: all of it but
// the arithmetic of a parameter's step, which is an adaptiveParameter's.
type adaptive struct {
	scaling[adaptiveParameter]
	check  func(*hyperparameters) error
	create func(gorgonia.ValueGrad, tensor.Dtype) adaptiveParameter

	// of the step under way
	team            team
	blocks          []block
	elements        int
	measure, update func(i int) // of blocks[i]
}

// adaptiveParameter is the state of one parameter, of either dtype. A step
// calls prepare, measureBlock for each block, sound, the sums, setScale,
// updateBlock for each block, and finish.
type adaptiveParameter interface {
	scaled
	prepare(*hyperparameters) (elements int)
	measureBlock(i int)
	sound() error
	updateBlock(i int)
	finish()
}

// block is a piece of a parameter that one core works on.
type block struct {
	of    adaptiveParameter
	index int
}

// alone is up to how many elements one core is as fast as several, measured:
// it takes that long to wake another.
var alone = 1 << 19

func (a *adaptive) init(h hyperparameters, check func(*hyperparameters) error, create func(gorgonia.ValueGrad, tensor.Dtype) adaptiveParameter) {
	a.scaling, a.check, a.create = newScaling[adaptiveParameter](h), check, create
	a.measure = func(i int) { a.blocks[i].of.measureBlock(a.blocks[i].index) }
	a.update = func(i int) { // backwards: what was measured last is still in the cache
		b := a.blocks[len(a.blocks)-1-i]
		b.of.updateBlock(b.index)
	}
}

// Apply changes hyperparameters between steps and keeps what has been learned.
// If one of them cannot be, it changes none and says which, as a
// *HyperparameterError. Gorgonia's options work through Apply alone: called on
// the solver, as gorgonia.WithLearnRate(0.1)(s), they do nothing.
func (a *adaptive) Apply(opts ...gorgonia.SolverOpt) error {
	h := a.hyperparameters.with(opts)
	if err := a.check(&h); err != nil {
		return err
	}
	if err := a.checkScope(h.scope); err != nil {
		return err
	}
	a.hyperparameters = h
	return nil
}

// Step adapts gains and scale, changes the value of every parameter of the
// model, and zeroes their gradients. The model may be in any order, and a part
// of what was given before; what has been learned follows the parameter.
//
// A step happens whole or not at all: on an error, values, gradients and what
// has been learned are as they were. The error is a *HyperparameterError or a
// *ParameterError.
func (a *adaptive) Step(model []gorgonia.ValueGrad) error {
	if err := a.check(&a.hyperparameters); err != nil {
		return err
	}
	if err := a.checkScope(a.scope); err != nil {
		return err
	}
	if err := a.parameters.bind(model, a.create); err != nil {
		return err
	}
	scale, err := a.plan()
	if err != nil {
		return err
	}
	a.keep(scale)
	a.share(a.update)
	for _, p := range a.parameters.bound {
		p.finish()
	}
	return nil
}

// share does work for all blocks, on as many cores as that pays for.
func (a *adaptive) share(work func(int)) {
	workers := runtime.GOMAXPROCS(0)
	if a.elements <= alone {
		workers = 1
	}
	a.team.do(len(a.blocks), workers, work)
}

// plan reads all parameters and finds the scale of the step, or why it cannot
// be made.
func (a *adaptive) plan() (scale float64, err error) {
	bound := a.parameters.bound
	a.blocks, a.elements = a.blocks[:0], 0
	for _, p := range bound {
		n := p.prepare(&a.hyperparameters)
		a.elements += n
		for k := range (n + kernel.Block - 1) / kernel.Block {
			a.blocks = append(a.blocks, block{p, k})
		}
	}
	a.share(a.measure)
	for i, p := range bound {
		if err := p.sound(); err != nil {
			return 0, a.parameters.refuse(i, err)
		}
	}
	return a.nextScales()
}
