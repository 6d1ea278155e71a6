package kernel

import (
	"math"
	"unsafe"
)

// Sums is what a step needs to know of a parameter before it writes. d is the
// direction of the step before: ν of Funnel, d of FunnelAdam, −Δ of Augmented.
type Sums struct {
	Dot              float64 // d · g
	SquaredDirection float64 // ‖d‖²
	SquaredGradient  float64 // ‖g‖²
	SquaredValue     float64 // ‖θ‖²

	// The largest magnitudes, NaN if any element is: of the gradient as
	// Gorgonia computed it, and of the value.
	MaxGradient, MaxValue float64
}

// Add adds the sums of the next block. Those of a whole parameter are those of
// its blocks, added in their order.
func (s *Sums) Add(t Sums) {
	s.Dot += t.Dot
	s.SquaredDirection += t.SquaredDirection
	s.SquaredGradient += t.SquaredGradient
	s.SquaredValue += t.SquaredValue
	s.MaxGradient = max(s.MaxGradient, t.MaxGradient)
	s.MaxValue = max(s.MaxValue, t.MaxValue)
}

// SquaredNorm returns ‖x‖² of n elements, added in their order.
func SquaredNorm[T Float](n int, x func(i int) T) (sum float64) {
	for i := range n {
		a := float64(x(i))
		sum += float64(a * a)
	}
	return sum
}

// lanes is the number of partial sums that a sum is made of: element i is added
// to number i mod lanes, as vector instructions do it.
const lanes = 8

type partialSum [lanes]float64

func (p *partialSum) total() float64 {
	return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}

// partialSums is a block's Sums while they are made. The assembly finds the
// first four by their order.
type partialSums struct {
	dot, squaredDirection, squaredGradient, squaredValue partialSum

	maxGradient, maxValue uint64 // as magnitude has them
}

// add adds what element i contributes.
func (p *partialSums) add(i int, d, g, theta float64) {
	lane := i % lanes
	p.dot[lane] += float64(d * g)
	p.squaredDirection[lane] += float64(d * d)
	p.squaredGradient[lane] += float64(g * g)
	p.squaredValue[lane] += float64(theta * theta)
}

// addAlong adds what element i contributes to the sums that d is in.
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

// magnitude is |x| as an integer that is larger for a larger |x|, and largest
// for NaN, so that a maximum does not lose one.
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
