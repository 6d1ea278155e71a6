// Package kernel is the arithmetic of a step, over slices.
//
// A step reads first and writes later. Measure reads and returns what the
// scale and the safety of the step follow from; Update writes. In between,
// where Measure cannot rule it out, Overflow looks for a number that Update
// would make non-finite. All slices given to one call have one length.
//
// Every product that is added to something is rounded first, by an explicit
// conversion, so that no compiler fuses the two, and sums are added in one
// fixed order: a step has the same bits on every machine.
package kernel

import (
	"math"
	"unsafe"
)

// Float is the type of a parameter's elements.
type Float interface{ float32 | float64 }

// Objective holds the options that make g, the gradient of the step, out of
// the gradient that Gorgonia computed.
type Objective[T Float] struct {
	L1, L2   T // regularisation; 0: none
	PerBatch T // 1/batch; 1: none
	Clip     T // above 0; +Inf: none
}

// plain says whether g is the gradient that Gorgonia computed.
func (o *Objective[T]) plain() bool {
	return o.L1 == 0 && o.L2 == 0 && o.PerBatch == 1 && float64(o.Clip) > math.MaxFloat64
}

// Gradient is g: regularised, divided by the batch, clipped.
func (o *Objective[T]) Gradient(g, value T) T {
	g = g + T(o.L1*sign(value))
	g = g + T(o.L2*value)
	g = g * o.PerBatch
	return min(max(g, -o.Clip), o.Clip)
}

// Bound is the largest magnitude that making g out of a gradient and a value of
// these magnitudes goes through, but for rounding.
func (o *Objective[T]) Bound(gradient, value float64) float64 {
	return gradient + float64(o.L1) + float64(o.L2)*value
}

// Gains holds what makes a step's gains out of those of the step before. They
// go back to 1 by Decay of the way, are multiplied by a factor, and are bounded.
// The factor is
// exp(Rate · m ⊙ g) if Raw is set, else Factor[0] where m and g have the same
// sign, Factor[1] where they differ, and 1 where either is 0.
type Gains[T Float] struct {
	Rate     T    // γp, bias correction included
	Factor   [2]T // exp(γp), exp(−γp)
	Min, Max T
	Decay    T    // λ
	Raw      bool // of an element's size, with the padding
}

// Coefficients are those of one step of Funnel for one parameter. The assembly
// counts on the order of the fields, here and in AdamCoefficients.
type Coefficients[T Float] struct {
	Objective[T]
	Gain          Gains[T]
	LearnRate     T // η
	Momentum      T // μ
	GradientDecay T // β
	GradientShare T // 1 − β
	Scale         T // s, of this step
}

// Direction is d, the way of a step of Adam, as Kingma and Ba write it for
// speed:
//
//	Correction · m / (√v + Eps)
type Direction[T Float] struct {
	Correction T // √(1 − β2^t) / (1 − β1^t)
	Eps        T // ε √(1 − β2^t), above 0
}

// Of is d, of the first and second moment.
func (d *Direction[T]) Of(first, second T) T {
	return T(d.Correction*first) / (T(math.Sqrt(float64(second))) + d.Eps)
}

// AdamCoefficients are those of one step of FunnelAdam for one parameter.
type AdamCoefficients[T Float] struct {
	Objective[T]
	Gain         Gains[T]
	Beta1, Beta2 T // β1, β2
	Share1       T // 1 − β1
	Share2       T // 1 − β2
	Direction    Direction[T]
	Rate         T // η s, of this step
}

// Sums is what Measure finds. The direction is the way that the step before
// went, but for its sign: ν of Funnel, d of FunnelAdam.
type Sums struct {
	Dot       float64 // direction · g
	Direction float64 // ‖direction‖²
	Gradient  float64 // ‖g‖²

	// The largest magnitudes, NaN if any element is: of the gradient as
	// Gorgonia computed it, and of the value.
	MaxGradient, MaxValue float64
}

// Sums of a whole parameter are those of its blocks, added in their order by
// Add. Blocks are what parallel work is divided into, and the same on every
// machine.
const Block = 1 << 14

// Add adds the sums of the next block.
func (s *Sums) Add(t Sums) {
	s.Dot += t.Dot
	s.Direction += t.Direction
	s.Gradient += t.Gradient
	s.MaxGradient = max(s.MaxGradient, t.MaxGradient)
	s.MaxValue = max(s.MaxValue, t.MaxValue)
}

// lanes is how many partial sums an inner product is kept in: element i goes
// to sum i mod lanes, as vector instructions have it.
const lanes = 8

type partial [lanes]float64

func (p *partial) total() float64 {
	return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}

// partials is a block's sums while they are made.
type partials struct {
	dot, direction, gradient partial
	maxGradient, maxValue    uint64 // as magnitude has them
}

func sums[T Float](p *partials) Sums {
	return Sums{
		Dot: p.dot.total(), Direction: p.direction.total(), Gradient: p.gradient.total(),
		MaxGradient: fromMagnitude[T](p.maxGradient), MaxValue: fromMagnitude[T](p.maxValue),
	}
}

// magnitude is |x| as an integer that is larger for a larger |x|, and larger
// than every number's for NaN, so that a maximum does not lose one.
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

func sign[T Float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// finite rounds x first: inlined, a·b − a·b would be fused where machines can, and
// then it is not 0.
func finite[T Float](x T) bool { return T(x)-T(x) == 0 }

// FirstNonFinite is the place of the first NaN or Inf in x, or -1.
func FirstNonFinite[T Float](x []T) int {
	for i, v := range x {
		if !finite(v) {
			return i
		}
	}
	return -1
}

// Power is x^n, with the same bits on every machine, which math.Pow does not
// promise.
func Power(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p = p * x
		}
		x = x * x
	}
	return p
}

// scaled is x·2^−exponent.
func scaled[T Float](x T, exponent int) float64 {
	return math.Ldexp(float64(x), -exponent)
}

// differ is 1 where a and b have different signs, else 0. It is no branch: the
// signs of gradients cannot be predicted.
func differ[T Float](a, b T) int {
	if unsafe.Sizeof(a) == 4 {
		return int((math.Float32bits(float32(a)) ^ math.Float32bits(float32(b))) >> 31)
	}
	return int((math.Float64bits(float64(a)) ^ math.Float64bits(float64(b))) >> 63)
}

// Measure reads one block of a parameter.
func Measure[T Float](value, gradient, velocity []T, o *Objective[T]) Sums {
	var p partials
	measure(value, gradient, velocity, o, &p)
	return sums[T](&p)
}

// Update makes one step of Funnel for one block of a parameter, and zeroes the
// gradient.
func Update[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	update(value, gradient, velocity, average, gain, c)
}

// MeasureAdam reads one block of a parameter. The direction is that of the step
// before.
func MeasureAdam[T Float](value, gradient, first, second []T, d *Direction[T], o *Objective[T]) Sums {
	var p partials
	measureAdam(value, gradient, first, second, d, o, &p)
	return sums[T](&p)
}

// UpdateAdam makes one step of FunnelAdam for one block of a parameter, and
// zeroes the gradient.
func UpdateAdam[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) {
	updateAdam(value, gradient, first, second, gain, c)
}
