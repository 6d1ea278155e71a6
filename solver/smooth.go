package solver

import (
	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
	"gorgonia.org/tensor"
)

// smoothed makes an Augmented's step average smooth. Where gradients are mostly noise, a step's
// error shows in the next gradients, and its progress much later. So ū averages d̄, means of
// earlier steps, and the last step counts besides only as far as consecutive steps are alike, which
// noise is not:
//
//	d̄ ← 0.95 d̄ + 0.05 d
//	ū ← β_u (1−w) ū + 2.2 (1−β_u) d̄
//	q = cos⁴ of the angle between Δ and the d before it, of what is in the sample
//
// The signal is measured along ū + 0.3 q d, or along ū alone (followAverage).
type smoothed[T kernel.Float] struct {
	smooth   []T     // d̄ of the elements in the sample; nil if the average is not smooth
	likeness float64 // q

	// scratch, valid during Step
	smooths bool
	mixed   []T // ū + 0.3 q d
}

const smoothDecay = 0.95 // of d̄

// prepareSmooth prepares a step.
func (s *smoothed[T]) prepareSmooth(h *hyperparameters, a *averaged[T]) {
	if s.smooths = h.smooth && a.averages; !s.smooths {
		return
	}
	if s.smooth == nil {
		s.smooth = make([]T, len(a.mean))
	}
	if s.mixed == nil {
		s.mixed = make([]T, len(a.mean))
	}
}

// mix computes the direction ū + 0.3 q d.
func (s *smoothed[T]) mix(a *averaged[T], d []T) {
	if s.smooths {
		kernel.Along(s.mixed, a.mean, d, a.sample, T(s.likeness))
	}
}

// direction returns the direction along which the signal is measured, as arguments of
// kernel.MeasureAverage.
func (s *smoothed[T]) direction(a *averaged[T], d []T) (mean, besides []T) {
	if s.smooths {
		return s.mixed, nil
	}
	return a.mean, d
}

// lastShare is the last step's weight in that direction: 0.3 q, or 0.3 if the average is not
// smooth.
func (s *smoothed[T]) lastShare() float64 {
	if s.smooths {
		return float64(kernel.LastShare * s.likeness)
	}
	return kernel.LastShare
}

// updateSmooth updates d̄ and ū with d.
func (s *smoothed[T]) updateSmooth(a *averaged[T], d []T, p *progress) {
	kernel.UpdateAverage(s.smooth, d, a.sample, 0, len(d), &kernel.AverageStep[T]{Decay: smoothDecay, Weight: 1 - smoothDecay})
	c := a.averageStep(p)
	kernel.UpdateSampleAverage(a.mean, s.smooth, &c)
}

// finishSmooth drops the state if the average is no longer smooth.
func (s *smoothed[T]) finishSmooth() {
	if !s.smooths {
		*s = smoothed[T]{}
	}
}

func (s *smoothed[T]) smoothTensors(h *hyperparameters) []*checkpoint.Tensor {
	if s.smooth == nil || !h.smooth {
		return nil
	}
	return []*checkpoint.Tensor{{Role: "smooth", Shape: tensor.Shape{len(s.smooth)}, Data: checkpoint.Floats[T](s.smooth), Least: checkpoint.AnyFinite}}
}

func (s *smoothed[T]) restoreSmooth(r checkpoint.Parameter, size int) {
	if s.likeness = r.Likeness; r.Averages {
		s.smooth = make([]T, size)
	}
}
