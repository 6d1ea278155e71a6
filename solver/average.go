package solver

import (
	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/tensor"
)

// averages reports whether the solver has a step average.
func (h *hyperparameters) averages() bool {
	return h.stepAverage > 0 && h.scaleRate > 0 && h.scaleSignal == Relative
}

// lengthenAverage counts L, the number of steps since the last warm-up. Except for an Augmented,
// the step average covers them all: at least 1/(1−β_u), a hundred by default, and at most ten times
// as many.
//
//	L ← min((1−w) L + 1, 10 / (1−β_u)),  β = max(β_u, 1 − 1/L)
//
// The last step's weight does not depend on L, so that steps that agree add up. In a valley whose
// walls throw steps back and forth, only many steps together show the direction along it.
func (h *hyperparameters) lengthenAverage(kept float64, next *learned) {
	if h.longerAverage > 0 && h.averages() {
		next.AverageSteps = min(float64(kept*next.AverageSteps)+1, h.longerAverage/(1-h.stepAverage))
	}
}

// averageDecay returns β.
func (h *hyperparameters) averageDecay(next *learned) float64 {
	if h.longerAverage > 0 && next.AverageSteps > 0 {
		return max(h.stepAverage, 1-1/next.AverageSteps)
	}
	return h.stepAverage
}

// averaged holds a parameter's step average ū: the average of its steps u with a scale of 1 since
// the last warm-up. A FunnelAdam averages m, which is divided by √v when it is used:
//
//	ū ← β (1−w) ū + 3 (1−β_u) u
//
// where w is the weight of the warm-up and β is from lengthenAverage. The signal is measured along
// ū + 0.3 u, for an Augmented along the direction in smoothed, and along ū alone where gradients
// have long been against it (followAverage). Without the factor 3, the same direction would be ū +
// 0.1 u. Files from versions before that factor have a weight of 1 and still use 0.3.
type averaged[T kernel.Float] struct {
	mean []T // ū of the elements in the sample; nil if the solver has no step average

	// scratch, valid during Step
	averages    bool
	sample      kernel.Sample
	overflows   bool    // ū might leave the range of T, so it is reset to 0
	weight      float64 // 3 (1 − β_u)
	dot         float64 // ū · g
	alongBlocks []kernel.Sums
}

// prepareAverage prepares a step of a parameter of n elements.
func (s *averaged[T]) prepareAverage(h *hyperparameters, n, blocks int) {
	if s.averages = h.averages(); !s.averages {
		return
	}
	s.sample = kernel.SampleOf(n)
	if s.mean == nil {
		s.mean = make([]T, s.sample.Size())
	}
	if s.alongBlocks == nil {
		s.alongBlocks = make([]kernel.Sums, blocks)
	}
	s.weight = float64(h.averageWeight * (1 - h.stepAverage))
}

// boundAverage sets overflows unless ū stays below limit after steps of this length. ū can be
// longer than any step, because the weight of a step is more than 1−β.
func (s *averaged[T]) boundAverage(h *hyperparameters, length, limit float64) {
	times := float64(h.averageWeight * max(1, h.longerAverage))
	s.overflows = times > 1 && !(length < limit/times)
}

// along replaces the dot product and norm in sums by those of the direction along the average,
// extrapolated from the sample to n elements, and sets dot to ū · g. share is the weight of the
// last step in that direction.
func (s *averaged[T]) along(sums kernel.Sums, n int, share float64) kernel.Sums {
	last := float64(share * sums.Dot)
	sums.Dot, sums.SquaredDirection = 0, 0
	for _, b := range s.alongBlocks {
		sums.Dot += b.Dot
		sums.SquaredDirection += b.SquaredDirection
	}
	if sampled := float64(len(s.mean)) / float64(n); sampled > 0 {
		sums.Dot /= sampled
		sums.SquaredDirection /= sampled
	}
	s.dot = sums.Dot - last
	return sums
}

// alongAverage returns ū · g, which along has computed.
func (s *averaged[T]) alongAverage() float64 { return s.dot }

// updateAverage adds the direction d to the average of elements a to b, and flushes those if flush
// is set.
func (s *averaged[T]) updateAverage(a, b int, d []T, p *progress, flush bool) {
	if !s.averages {
		return
	}
	c := s.averageStep(p)
	kernel.UpdateAverage(s.mean, d, s.sample, a, b, &c)
	if flush {
		kernel.FlushAverage(s.mean, s.sample, a, b)
	}
}

func (s *averaged[T]) averageStep(p *progress) kernel.AverageStep[T] {
	if s.overflows {
		return kernel.AverageStep[T]{}
	}
	return kernel.AverageStep[T]{Decay: T(p.decay * p.kept), Weight: T(s.weight)}
}

// finishAverage drops the average if the solver no longer has one.
func (s *averaged[T]) finishAverage() {
	if !s.averages {
		s.mean, s.alongBlocks = nil, nil
	}
}

func (s *averaged[T]) averageTensors() []*checkpoint.Tensor {
	if s.mean == nil {
		return nil
	}
	return []*checkpoint.Tensor{{Role: "mean", Shape: tensor.Shape{len(s.mean)}, Data: checkpoint.Floats[T](s.mean), Least: checkpoint.AnyFinite}}
}

func (s *averaged[T]) restoreAverage(r checkpoint.Parameter, n int) {
	if r.Averages {
		s.mean = make([]T, kernel.SampleOf(n).Size())
	}
}
