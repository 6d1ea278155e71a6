package kernel

import (
	"math"
	"slices"
	"unsafe"
)

// Part is the vectors d and g of one parameter: a FunnelPart or an AdamPart, with elements of
// either type.
type Part interface {
	elements() int
	at(i int) (d, g float64)
	gradientIsZero(maxGradient, maxValue float64) bool
	directionIsZero() bool // given that ‖d‖² is 0, which may be underflow
}

// FunnelPart is the input of Measure or, with a Mean, of MeasureAverage. d is Funnel's ν, or
// Augmented's −Δ or its mean.
type FunnelPart[T Float] struct {
	Theta, Gradient, Direction []T
	Mean                       []T // of Sample; nil for none
	Sample                     Sample
	Objective                  *Objective[T]
}

func (p *FunnelPart[T]) elements() int { return elements(p.Theta, p.Mean) }

func (p *FunnelPart[T]) at(i int) (d, g float64) {
	x, i := directionAt(p.Direction, p.Mean, p.Sample, i)
	return float64(x), float64(p.Objective.Gradient(p.Gradient[i], p.Theta[i]))
}

func (p *FunnelPart[T]) gradientIsZero(maxGradient, maxValue float64) bool {
	return p.Objective.zero(maxGradient, maxValue)
}

func (p *FunnelPart[T]) directionIsZero() bool { return zeros(p.Direction) && zeros(p.Mean) }

// AdamPart is the input of MeasureAdam or, with a Mean, of MeasureAverageAdam.
type AdamPart[T Float] struct {
	Theta, Gradient, M, V []T
	Mean                  []T // of Sample; nil for none
	Sample                Sample
	Last                  *AdamDirection[T]
	Objective             *Objective[T]
}

func (p *AdamPart[T]) elements() int { return elements(p.Theta, p.Mean) }

func (p *AdamPart[T]) at(i int) (d, g float64) {
	x, i := directionAt(p.M, p.Mean, p.Sample, i)
	return float64(p.Last.Of(x, p.V[i])), float64(p.Objective.Gradient(p.Gradient[i], p.Theta[i]))
}

func (p *AdamPart[T]) gradientIsZero(maxGradient, maxValue float64) bool {
	return p.Objective.zero(maxGradient, maxValue)
}

func (p *AdamPart[T]) directionIsZero() bool { return zeros(p.M) && zeros(p.Mean) }

// elements returns the number of elements of d: that of the sample, if there is a mean.
func elements[T Float](d, mean []T) int {
	if mean == nil {
		return len(d)
	}
	return len(mean)
}

// directionAt returns element i of d or, if there is a mean, of the direction along it, and its
// place in the parameter.
func directionAt[T Float](d, mean []T, of Sample, i int) (x T, at int) {
	if mean == nil {
		return d[i], i
	}
	if at = of.at(i); d == nil {
		return mean[i], at
	}
	return along(mean[i], d[at]), at
}

// zeros reports whether x is 0, given that the sum of its squares in float64 is: squares of float32
// never underflow there.
func zeros[T Float](x []T) bool {
	return unsafe.Sizeof(T(0)) == 4 || !slices.ContainsFunc(x, func(v T) bool { return v != 0 })
}

// Total adds up the Sums of several parameters. The zero value is ready for use. Sums resets it
// without freeing its memory.
type Total struct {
	parts   []Part
	nonzero bool // some part's g may be nonzero

	dot, squaredDirection, squaredGradient, squaredValue []float64
}

// Add adds a parameter with the vectors p and their sums s.
func (t *Total) Add(s Sums, p Part) {
	t.parts = append(t.parts, p)
	t.nonzero = t.nonzero || !p.gradientIsZero(s.MaxGradient, s.MaxValue)
	t.append(s)
}

func (t *Total) append(s Sums) {
	t.dot = append(t.dot, s.Dot)
	t.squaredDirection = append(t.squaredDirection, s.SquaredDirection)
	t.squaredGradient = append(t.squaredGradient, s.SquaredGradient)
	t.squaredValue = append(t.squaredValue, s.SquaredValue)
}

// Exponents are the powers of 2 by which d and g were divided: ‖d‖ is √SquaredDirection · 2^D, ‖g‖
// is √SquaredGradient · 2^G, and d · g is Dot · 2^(D+G). Both are 0 while the squares are in
// float64's range.
type Exponents struct{ D, G int }

// Sums returns the total, without the maxima, and forgets the parameters. Where ‖d‖² or ‖g‖² leaves
// the range of float64, both vectors are first divided by powers of 2, unless g is 0. SquaredValue
// is never rescaled.
func (t *Total) Sums() (sums Sums, of Exponents) {
	sums = t.sum()
	if t.nonzero && (!InRange(sums.SquaredGradient) || !InRange(sums.SquaredDirection) && !t.still(sums)) {
		squaredValue := sums.SquaredValue
		sums, of = t.rescaled()
		sums.SquaredValue = squaredValue
	}
	clear(t.parts)
	t.parts, t.nonzero = t.parts[:0], false
	return sums, of
}

// still reports whether d itself is 0, and not only the sum of its squares.
func (t *Total) still(sums Sums) bool {
	return sums.SquaredDirection == 0 && !slices.ContainsFunc(t.parts, func(p Part) bool { return !p.directionIsZero() })
}

// InRange reports whether a sum of squares neither underflows, even in part, nor overflows.
func InRange(square float64) bool { return square > 0x1p-900 && square < 0x1p1000 }

// rescaled is Sums with d and g divided by 2 to the exponents of their largest
// elements.
func (t *Total) rescaled() (_ Sums, of Exponents) {
	var maxD, maxG float64
	for _, part := range t.parts {
		for i := range part.elements() {
			d, g := part.at(i)
			maxD, maxG = max(maxD, math.Abs(d)), max(maxG, math.Abs(g))
		}
	}
	_, of.D = math.Frexp(maxD)
	_, of.G = math.Frexp(maxG)
	for _, part := range t.parts {
		var p partialSums
		for i := range part.elements() {
			d, g := part.at(i)
			p.add(i, math.Ldexp(d, -of.D), math.Ldexp(g, -of.G), 0)
		}
		t.append(sumsOf[float64](&p))
	}
	return t.sum(), of
}

// sum adds up the appended sums and clears them.
func (t *Total) sum() Sums {
	return Sums{
		Dot:              take(&t.dot),
		SquaredDirection: take(&t.squaredDirection),
		SquaredGradient:  take(&t.squaredGradient),
		SquaredValue:     take(&t.squaredValue),
	}
}

func take(x *[]float64) float64 {
	sum := AddAscending(*x)
	*x = (*x)[:0]
	return sum
}

// AddAscending adds from the smallest to the largest, so that the result does not depend on the
// order of the parameters. It sorts x.
func AddAscending(x []float64) (sum float64) {
	slices.Sort(x)
	for _, v := range x {
		sum += v
	}
	return sum
}
