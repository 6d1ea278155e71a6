package solver

import (
	"math"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
)

// gained is the state that a Funnel and a FunnelAdam have in common: the gains and the scale's
// progress.
type gained[T kernel.Float] struct {
	param.Binding[T]
	progress
	averaged[T]
	p       []T  // gains
	flushes bool // subnormal state is set to 0; false in files from before flushing existed

	// scratch, valid during Step
	theta, gradient []T
	objective       kernel.Objective[T]
	blockSums       []kernel.Sums
	total           kernel.Sums
	paused          bool // the learning rate is 0
	lasts           bool // older gradients still contribute to the step
}

// newGained returns the state of a parameter that has made no step, and two lists of zeros, as long
// as the parameter, for the rest of its solver's state.
func newGained[T kernel.Float](value gorgonia.Value) (_ gained[T], a, b []T) {
	n := value.Shape().TotalSize()
	arrays := make([]T, 3*n)
	s := gained[T]{
		Binding:   param.NewBinding[T](value),
		progress:  newProgress(),
		p:         arrays[2*n:],
		flushes:   true,
		blockSums: make([]kernel.Sums, blocksOf(n)),
	}
	for i := range s.p {
		s.p[i] = 1
	}
	return s, arrays[:n:n], arrays[n : 2*n : 2*n]
}

// read lists the parameter's value and gradient. decay is the weight of older gradients in the
// step.
func (s *gained[T]) read(h *hyperparameters, decay float64) (blocks int) {
	s.theta, s.gradient = s.Value.List(), s.Gradient.List()
	s.objective = objective[T](h)
	s.paused, s.lasts = h.learnRate == 0, decay > 0
	s.prepareAverage(h, len(s.theta), len(s.blockSums))
	return len(s.blockSums)
}

// within returns where a block is in the lists.
func (s *gained[T]) within(block int) (from, to int) {
	return block * kernel.Block, min((block+1)*kernel.Block, len(s.theta))
}

// checkMeasured adds up the sums of the blocks and refuses NaN, Inf and overflow.
func (s *gained[T]) checkMeasured() error {
	s.total = kernel.Sums{}
	for _, b := range s.blockSums {
		s.total.Add(b)
	}
	if err := checkFinite(&s.Binding, s.theta, s.gradient, &s.objective, s.total); err != nil {
		return err
	}
	if s.largestGradient() < largest[T]()/8 {
		return nil
	}
	if i := kernel.OverflowObjective(s.theta, s.gradient, &s.objective); i >= 0 {
		return s.At(i, ErrNonFiniteStep)
	}
	return nil
}

// checkFinite returns an error if the gradient or the value is not finite, which the maxima in s
// show.
func checkFinite[T kernel.Float](b *param.Binding[T], theta, gradient []T, o *kernel.Objective[T], s kernel.Sums) error {
	if !isFinite(s.MaxGradient) {
		if err := b.CheckGradient(gradient, o.Clips()); err != nil {
			return err
		}
	}
	if !isFinite(s.MaxValue) {
		return b.CheckValue(theta)
	}
	return nil
}

// largestGradient returns an upper bound of |g|, up to rounding.
func (s *gained[T]) largestGradient() float64 {
	return s.objective.Bound(s.total.MaxGradient, s.total.MaxValue)
}

func (s *gained[T]) elements() int { return len(s.theta) }

// squaredFirst returns ‖θ‖² and ‖u‖², given the elements of a first step u.
func (s *gained[T]) squaredFirst(u func(i int) T) (value, step float64) {
	n := len(s.theta)
	return kernel.SquaredNorm(n, func(i int) T { return s.theta[i] }), kernel.SquaredNorm(n, u)
}

// flushDue reports whether this step ends with a flush of the block.
func (s *gained[T]) flushDue(block int) bool { return s.flushes && kernel.FlushDue(s.steps, block) }

func (s *gained[T]) progressed() *progress { return &s.progress }

// finish commits the step. It moved something unless the gradient and what is left of older ones
// were 0, or the learning rate or the scale was.
func (s *gained[T]) finish() (moved bool) {
	s.Store()
	s.finishAverage()
	return !s.paused && s.next.scale > 0 && (s.total.SquaredGradient > 0 || s.total.MaxGradient > 0 || s.lasts && s.total.SquaredDirection > 0)
}

// Release drops the references to the parameter's memory.
func (s *gained[T]) Release() {
	s.theta, s.gradient = nil, nil
	s.Binding.Release()
}

func (s *gained[T]) adaptation() Adaptation {
	gain := make([]float64, len(s.p))
	for i, p := range s.p {
		gain[i] = float64(p)
	}
	return Adaptation{Name: s.Name, Shape: slices.Clone(s.Shape), Steps: s.steps, Scale: s.scale, Gain: gain}
}

func (s *gained[T]) clip(h *hyperparameters) {
	s.progress.clip(h)
	for i, p := range s.p {
		s.p[i] = min(max(p, T(h.gainMin)), T(h.gainMax))
	}
}

func (s *gained[T]) tensors(h *hyperparameters) []*checkpoint.Tensor {
	gain := &checkpoint.Tensor{Role: "gain", Data: checkpoint.Floats[T](s.p), Least: leastFactor(float64(T(h.gainMin)))}
	return append(s.averageTensors(), gain)
}

func (s *gained[T]) save() checkpoint.Parameter {
	r := s.progress.save()
	r.Flushes, r.Averages = s.flushes, s.mean != nil
	return r
}

func (s *gained[T]) restore(r checkpoint.Parameter) {
	s.progress.restore(r.Steps, r.Scale, r.Adapting)
	s.flushes = r.Flushes
	s.restoreAverage(r, len(s.p))
}

func objective[T kernel.Float](h *hyperparameters) kernel.Objective[T] {
	clip := math.Inf(1)
	if h.clip > 0 {
		clip = max(h.clip, math.SmallestNonzeroFloat32) // above 0 in T, too
	}
	return kernel.Objective[T]{L1: T(h.l1), L2: T(h.l2), PerBatch: T(1 / max(h.batch, 1)), Clip: T(clip)}
}

// gain returns the gain coefficients for a step. start is the weight of the initial 0 in the
// gradient average, for the bias correction.
func gain[T kernel.Float](h *hyperparameters, start float64) kernel.Gain[T] {
	rate := h.gainRate
	if h.biasCorrection && h.gainSignal == Raw {
		rate /= 1 - start
	}
	k := kernel.Gain[T]{
		Rate:  T(min(rate, largest[T]())),
		Up:    T(min(kernel.Exp(h.gainRate), largest[T]())),
		Down:  T(kernel.Exp(-h.gainRate)),
		Min:   T(h.gainMin),
		Max:   T(h.gainMax),
		Decay: T(h.gainDecay),
		Raw:   h.gainSignal == Raw && T(rate) > 0,
	}
	if h.settled && h.gainMin <= 1 && 1 <= h.gainMax { // else a gain that decays to 1 would cross a bound
		k.Settled = 1
	}
	return k
}

// largest is the largest number of T.
func largest[T kernel.Float]() float64 {
	if _, single := any(T(0)).(float32); single {
		return math.MaxFloat32
	}
	return math.MaxFloat64
}

// smallest is the smallest number of T above 0.
func smallest[T kernel.Float]() T {
	if _, single := any(T(0)).(float32); single {
		return T(math.SmallestNonzeroFloat32)
	}
	x := math.SmallestNonzeroFloat64
	return T(x)
}

func isFinite(x float64) bool { return x >= -math.MaxFloat64 && x <= math.MaxFloat64 }
