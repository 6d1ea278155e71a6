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

import "math"

// Float is the type of a parameter's elements.
type Float interface{ float32 | float64 }

// Objective holds the options that make g, the gradient of the step, out of
// the gradient that Gorgonia computed.
type Objective[T Float] struct {
	L1, L2   T // regularisation; 0: none
	PerBatch T // 1/batch; 1: none
	Clip     T // 0: none
}

func (o *Objective[T]) none() bool { return *o == Objective[T]{PerBatch: 1} }

// gradient is g: regularised, divided by the batch, clipped.
func (o *Objective[T]) gradient(g, value T) T {
	g = g + T(o.L1*sign(value))
	g = g + T(o.L2*value)
	g = g * o.PerBatch
	if o.Clip > 0 {
		g = min(max(g, -o.Clip), o.Clip)
	}
	return g
}

// Bound is the largest |g| that a gradient and a value of these magnitudes
// give, but for rounding.
func (o *Objective[T]) Bound(gradient, value float64) float64 {
	g := (gradient + float64(o.L1) + float64(o.L2)*value) * float64(o.PerBatch)
	if o.Clip > 0 {
		g = min(g, float64(o.Clip))
	}
	return g
}

// Coefficients are those of one step of Funnel for one parameter.
type Coefficients[T Float] struct {
	Objective[T]
	LearnRate     T // η
	Momentum      T // μ
	GradientDecay T // β
	GradientShare T // 1 − β
	Scale         T // s, of this step

	// The gain's factor is exp(GainRate · m ⊙ g) if RawGain is set, else
	// GainUp where m and g have the same sign, GainDown where they differ, and
	// 1 where either is 0.
	RawGain          bool
	GainRate         T // γp, bias correction included
	GainUp, GainDown T // exp(±γp)
	GainMin, GainMax T
}

// Sums is what Measure finds.
type Sums struct {
	Dot      float64 // ν · g
	Velocity float64 // ‖ν‖²
	Gradient float64 // ‖g‖²

	// The largest magnitudes, NaN if any element is: of the gradient as
	// Gorgonia computed it, and of the value.
	MaxGradient, MaxValue float64
}

// lanes is how many partial sums an inner product is kept in: element i goes
// to sum i mod lanes, which is what vector instructions do.
const lanes = 8

type partial [lanes]float64

func (p *partial) total() float64 {
	return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
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

func finite[T Float](x T) bool { return x-x == 0 }

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
