package solver

import (
	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/tensor"
)

// averages says whether the scale is adapted along the step average.
func (h *hyperparameters) averages() bool {
	return h.stepAverage > 0 && h.scaleRate > 0 && h.scaleSignal == Relative
}

// lengthenAverage counts L, the steps since the last warm-up. The step average, but for an
// Augmented's, is over all of them, 1/(1−β_u) at least, a hundred, and ten times as many at most:
//
//	L ← min((1−w) L + 1, 10 / (1−β_u)),  β = max(β_u, 1 − 1/L)
//
// The last step weighs as much however many there are, so that all that agree add up. In a
// valley whose walls throw steps back and forth, only many of them together show the way along it.
func (h *hyperparameters) lengthenAverage(kept float64, next *learned) {
	if h.longerAverage > 0 && h.averages() {
		next.AverageSteps = min(float64(kept*next.AverageSteps)+1, h.longerAverage/(1-h.stepAverage))
	}
}

// averageDecay is β.
func (h *hyperparameters) averageDecay(next *learned) float64 {
	if h.longerAverage > 0 && next.AverageSteps > 0 {
		return max(h.stepAverage, 1-1/next.AverageSteps)
	}
	return h.stepAverage
}

// averaged is a parameter's step average, of its steps u with a scale of 1 since the last
// warm-up; of FunnelAdam of m, which √v makes a direction of:
//
//	ū ← β (1−w) ū + 3 (1−β_u) u
//
// where w is the weight of the warm-up, and for β see lengthenAverage. The scale is adapted along
// ū + 0.3 u, and an Augmented's as smoothed says; where gradients have long been against ū, it
// alone counts, see followAverage. That is the direction of ū + 0.1 u
// with an ū that has no 3; earlier versions had 0.3, too, and no 3, and their files go on so.
type averaged[T kernel.Float] struct {
	mean []T // of the elements in the sample; nil where the solver does without

	// scratch, valid during Step
	averages    bool
	sample      kernel.Sample
	overflows   bool    // whether ū might leave the range of T, and is forgotten
	weight      float64 // 3 (1 − β_u)
	dot         float64 // ū · g
	alongBlocks []kernel.Sums
}

// prepareAverage makes ready for a step of a parameter of n elements.
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

// boundAverage finds whether the average of steps of this length may be beyond a limit. It is
// more than their mean, as a step weighs more than 1−β, and as it grows longer.
func (s *averaged[T]) boundAverage(h *hyperparameters, length, limit float64) {
	times := float64(h.averageWeight * max(1, h.longerAverage))
	s.overflows = times > 1 && !(length < limit/times)
}

// along returns a parameter's sums with those of the direction along the average,
// as they would be of all elements, and finds ū · g. The last step counts in it with this share.
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

// alongAverage is ū · g, as along found it.
func (s *averaged[T]) alongAverage() float64 { return s.dot }

// updateAverage brings elements a to b of the parameter up to date with a direction.
// flush says whether they are flushed then.
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

// finishAverage forgets the average where the solver does without.
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
