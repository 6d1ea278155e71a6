package solver

import (
	"cmp"
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// augmentedParameter is the state of one parameter, of either dtype.
type augmentedParameter interface {
	standIn() *gorgonia.Node
	changed() bool // inner has changed the stand-in
	squaredChange() float64
	wouldChange(learnRate float64) bool
	At(i int, err error) error
}

// With a step average, the running mean d of the changes, with this decay, replaces the last
// change.
const (
	descentDecay        = 0.7
	earlierDescentDecay = 0.8 // in files from versions before the smooth average
)

// newAugmentedState returns the state of a parameter that has made no step.
func newAugmentedState(value gorgonia.Value, inner gorgonia.Solver) state {
	if value.Dtype() == tensor.Float32 {
		return newAugmentedStateOf[float32](value, inner)
	}
	return newAugmentedStateOf[float64](value, inner)
}

func newAugmentedStateOf[T kernel.Float](value gorgonia.Value, inner gorgonia.Solver) *augmentedState[T] {
	n := value.Shape().TotalSize()
	arrays := make([]T, 3*n)
	return &augmentedState[T]{
		Binding:      param.NewBinding[T](value),
		progress:     newProgress(),
		inner:        inner,
		descent:      arrays[:n:n],
		nodeValue:    arrays[n : 2*n : 2*n],
		nodeGradient: arrays[2*n:],
		objective:    kernel.Objective[T]{PerBatch: 1},
	}
}

// augmentedState is an Augmented's state of one parameter.
type augmentedState[T kernel.Float] struct {
	param.Binding[T]
	progress
	averaged[T]
	smoothed[T]
	descent []T // −Δ of the last step; with a step average, the running mean of −Δ

	// the inner solver, its parameter and that parameter's memory
	inner                   gorgonia.Solver
	node                    *gorgonia.Node
	nodeValue, nodeGradient []T

	// scratch, valid during Step
	theta, gradient []T
	total           kernel.Sums
	moved           bool
	part, alongPart kernel.FunnelPart[T]
	objective       kernel.Objective[T] // the identity, except that infinite gradients are clipped where inner clips
}

// standIn returns inner's parameter: a node, since some solvers take nothing else. A scalar becomes
// a vector of one element, because Gorgonia's solvers panic on scalars whose gradient is a tensor,
// as graphs make them, and some keep no state for scalars.
func (s *augmentedState[T]) standIn() *gorgonia.Node {
	if s.node == nil {
		shape := s.Shape
		if len(shape) == 0 {
			shape = tensor.Shape{1}
		}
		v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(s.nodeValue))
		g := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(s.nodeGradient))
		s.node = gorgonia.NewTensor(gorgonia.NewGraph(), v.Dtype(), len(shape),
			gorgonia.WithName(cmp.Or(s.Name, "unnamed")), gorgonia.WithShape(shape...), gorgonia.WithValue(v), gorgonia.WithGrad(g))
	}
	return s.node
}

func (s *augmentedState[T]) changed() bool { return !slices.Equal(s.nodeValue, s.theta) }

func (s *augmentedState[T]) wouldChange(learnRate float64) bool {
	for i, v := range s.theta {
		if g := min(max(s.gradient[i], -1), 1); v-T(T(learnRate)*g) != v {
			return true
		}
	}
	return false
}

// prepare copies the parameter for inner. It makes one block whatever the size: other blocks would
// change the rounding of the sums.
func (s *augmentedState[T]) prepare(h *hyperparameters) (blocks int) {
	s.theta, s.gradient = s.Value.List(), s.Gradient.List()
	copy(s.nodeValue, s.theta)
	copy(s.nodeGradient, s.gradient)
	s.objective.Clip = T(math.Inf(1))
	s.prepareAverage(h, len(s.theta), 1)
	s.prepareSmooth(h, &s.averaged)
	return 1
}

func (s *augmentedState[T]) measure(int) {
	s.total = kernel.Measure(s.theta, s.gradient, s.descent, &s.objective)
	if s.averages {
		s.mix(&s.averaged, s.descent)
		mean, besides := s.direction(&s.averaged, s.descent)
		s.alongBlocks[0] = kernel.MeasureAverage(s.theta, s.gradient, mean, besides, s.sample, 0, len(s.theta), &s.objective)
	}
}

// checkMeasured refuses NaN and Inf. Where inner clips, an infinite gradient counts as the largest
// number.
func (s *augmentedState[T]) checkMeasured() error {
	if !isFinite(s.total.MaxGradient) && clips(s.inner) {
		s.objective.Clip = T(largest[T]())
		s.measure(0)
	}
	return checkFinite(&s.Binding, s.theta, s.gradient, &s.objective, s.total)
}

func (s *augmentedState[T]) measured() (kernel.Sums, kernel.Part) {
	s.part = kernel.FunnelPart[T]{Theta: s.theta, Gradient: s.gradient, Direction: s.descent, Objective: &s.objective}
	return s.total, &s.part
}

func (s *augmentedState[T]) measuredAverage() (kernel.Sums, kernel.Part) {
	s.alongPart = s.part
	s.alongPart.Mean, s.alongPart.Direction = s.direction(&s.averaged, s.descent)
	s.alongPart.Sample = s.sample
	return s.along(s.total, len(s.theta), s.lastShare()), &s.alongPart
}

// first returns ‖θ_0‖² and ‖Δ_1‖².
func (s *augmentedState[T]) first() (value, step float64) {
	return kernel.SquaredNorm(len(s.theta), func(i int) T { return s.theta[i] }), s.squaredChange()
}

func (s *augmentedState[T]) squaredChange() float64 {
	return kernel.SquaredNorm(len(s.theta), func(i int) T { return s.nodeValue[i] - s.theta[i] })
}

func (s *augmentedState[T]) elements() int { return len(s.theta) }

func (s *augmentedState[T]) progressed() *progress { return &s.progress }

// setScale refuses a step whose change is not finite, before or after scaling.
func (s *augmentedState[T]) setScale(h *hyperparameters, scale float64) error {
	s.boundAverage(h, math.Sqrt(s.total.SquaredDirection), largest[T]()/8)
	if i := kernel.OverflowAugmented(s.theta, s.nodeValue, T(scale)); i >= 0 {
		return s.At(i, ErrNonFiniteStep)
	}
	return nil
}

func (s *augmentedState[T]) update(int) {
	var average *kernel.AverageStep[T]
	if s.averages {
		average = &kernel.AverageStep[T]{Decay: earlierDescentDecay, Weight: 1 - earlierDescentDecay}
	}
	if s.smooths {
		average = &kernel.AverageStep[T]{Decay: descentDecay, Weight: 1 - descentDecay}
		s.likeness = kernel.Likeness(s.theta, s.nodeValue, s.descent, s.sample)
	}
	s.moved = s.changed()
	kernel.UpdateAugmented(s.theta, s.nodeValue, s.descent, T(s.next.scale), average)
	if s.smooths {
		s.updateSmooth(&s.averaged, s.descent, &s.progress)
	} else {
		s.updateAverage(0, len(s.theta), s.descent, &s.progress, false)
	}
	clear(s.gradient)
}

func (s *augmentedState[T]) finish() (moved bool) {
	s.Store()
	s.finishAverage()
	s.finishSmooth()
	return s.next.scale > 0 && s.moved
}

// Release drops the references to the parameter's memory.
func (s *augmentedState[T]) Release() {
	s.theta, s.gradient = nil, nil
	s.part, s.alongPart = kernel.FunnelPart[T]{}, kernel.FunnelPart[T]{}
	s.Binding.Release()
}

func (s *augmentedState[T]) adaptation() Adaptation {
	return Adaptation{Name: s.Name, Shape: slices.Clone(s.Shape), Steps: s.steps, Scale: s.scale}
}

func (s *augmentedState[T]) tensors(h *hyperparameters) []*checkpoint.Tensor {
	descent := &checkpoint.Tensor{Role: "descent", Data: checkpoint.Floats[T](s.descent), Least: checkpoint.AnyFinite}
	return append(s.averageTensors(), append(s.smoothTensors(h), descent)...)
}

func (s *augmentedState[T]) save() checkpoint.Parameter {
	r := s.progress.save()
	r.Averages, r.Likeness = s.mean != nil, s.likeness
	return r
}

func (s *augmentedState[T]) restore(r checkpoint.Parameter) error {
	s.progress.restore(r.Steps, r.Scale, r.Adapting)
	s.restoreAverage(r, len(s.descent))
	s.restoreSmooth(r, len(s.mean))
	return nil
}

func (s *augmentedState[T]) restored() {}
