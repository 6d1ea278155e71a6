package kernel

import (
	"math"
	"unsafe"
)

// Sums is what a step must know about a parameter before it writes. d is the previous step's
// direction: Funnel's ν, FunnelAdam's d, or Augmented's −Δ or its mean.
type Sums struct {
	Dot              float64 // d · g
	SquaredDirection float64 // ‖d‖²
	SquaredGradient  float64 // ‖g‖²
	SquaredValue     float64 // ‖θ‖²

	// The largest magnitudes of the gradient, as Gorgonia computed it, and of the value; NaN if any
	// element is.
	MaxGradient, MaxValue float64
}

// Add adds the sums of the next block. A parameter's sums are those of its blocks, added in order.
func (s *Sums) Add(t Sums) {
	s.Dot += t.Dot
	s.SquaredDirection += t.SquaredDirection
	s.SquaredGradient += t.SquaredGradient
	s.SquaredValue += t.SquaredValue
	s.MaxGradient = max(s.MaxGradient, t.MaxGradient)
	s.MaxValue = max(s.MaxValue, t.MaxValue)
}

// SquaredNorm returns ‖x‖² of n elements, added in order.
func SquaredNorm[T Float](n int, x func(i int) T) (sum float64) {
	for i := range n {
		a := float64(x(i))
		sum += float64(a * a)
	}
	return sum
}

// lanes is the number of partial sums of each sum: element i is added to number i mod lanes, as
// vector instructions do.
const lanes = 8

type partialSum [lanes]float64

func (p *partialSum) total() float64 {
	return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}

// partialSums accumulates a block's Sums. The assembly relies on the order of the first four.
type partialSums struct {
	dot, squaredDirection, squaredGradient, squaredValue partialSum

	maxGradient, maxValue uint64 // in the form of magnitude
}

// add adds the contribution of element i.
func (p *partialSums) add(i int, d, g, theta float64) {
	lane := i % lanes
	p.dot[lane] += float64(d * g)
	p.squaredDirection[lane] += float64(d * d)
	p.squaredGradient[lane] += float64(g * g)
	p.squaredValue[lane] += float64(theta * theta)
}

// addAlong adds the contribution of element i to the two sums that contain d.
func (p *partialSums) addAlong(i int, d, g float64) {
	lane := i % lanes
	p.dot[lane] += float64(d * g)
	p.squaredDirection[lane] += float64(d * d)
}

func sumsOf[T Float](p *partialSums) Sums {
	return Sums{
		Dot:              p.dot.total(),
		SquaredDirection: p.squaredDirection.total(),
		SquaredGradient:  p.squaredGradient.total(),
		SquaredValue:     p.squaredValue.total(),
		MaxGradient:      fromMagnitude[T](p.maxGradient),
		MaxValue:         fromMagnitude[T](p.maxValue),
	}
}

// magnitude is |x| as an integer with the same order, in which NaN is the largest, so that a
// maximum keeps it.
func magnitude[T Float](x T) uint64 {
	if unsafe.Sizeof(x) == 4 {
		return uint64(math.Float32bits(float32(x)) &^ (1 << 31))
	}
	return math.Float64bits(float64(x)) &^ (1 << 63)
}

func fromMagnitude[T Float](m uint64) float64 {
	if unsafe.Sizeof(T(0)) == 4 {
		return float64(math.Float32frombits(uint32(m)))
	}
	return math.Float64frombits(m)
}
