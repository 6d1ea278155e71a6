package solver_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// dice makes choices out of fuzzed bytes, and zeros when they are used up.
type dice struct{ bytes []byte }

func (d *dice) roll(sides int) int {
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(b) % sides
}

// number is anything a float can be, ordinary numbers more often than others.
func (d *dice) number() float64 {
	special := []float64{
		0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1),
		math.MaxFloat64, -math.MaxFloat64, math.MaxFloat32, -math.MaxFloat32, 1e300, -1e200, 1e30, -1e19,
		math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat32, 1e-310, 1e-40, 1e-160, -1e-23,
	}
	kind := d.roll(64)
	if kind < len(special) {
		return special[kind]
	}
	return float64(d.roll(256)-128) * math.Pow(2, float64(d.roll(20)-12))
}

func (d *dice) numbers(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = d.number()
	}
	return xs
}

// tensor is a value of the shape, in one of several layouts.
func (d *dice) tensor(dtype tensor.Dtype, rows, columns int) gorgonia.Value {
	if rows*columns == 1 && d.roll(2) == 0 {
		if dtype == tensor.Float32 {
			return gorgonia.NewF32(0)
		}
		return gorgonia.NewF64(0)
	}
	fresh := func(shape ...int) *tensor.Dense { return tensor.New(tensor.Of(dtype), tensor.WithShape(shape...)) }
	switch d.roll(4) {
	case 1:
		t := fresh(columns, rows)
		must(t.T())
		return t
	case 2:
		return sliced(fresh(rows+2, columns+3), tensor.S(1, rows+1), tensor.S(2, columns+2))
	case 3:
		return tensor.New(tensor.Of(dtype), tensor.WithShape(rows, columns), tensor.AsFortran(nil))
	}
	return fresh(rows, columns)
}

func (d *dice) param() *param {
	dtype := []tensor.Dtype{tensor.Float32, tensor.Float64}[d.roll(2)]
	rows, columns := 1+d.roll(4), 1+d.roll(5)
	return &param{"p", d.tensor(dtype, rows, columns), d.tensor(dtype, rows, columns)}
}

func (d *dice) solver() gorgonia.Solver {
	opts := []gorgonia.SolverOpt{gorgonia.WithLearnRate([]float64{0.1, 0, 1e-8, 1e5, 1e300}[d.roll(5)])}
	for _, o := range []gorgonia.SolverOpt{
		solver.WithRawSignals(), solver.WithScaleScope(solver.PerParameter), solver.WithBiasCorrection(),
		solver.WithGainRate(20), solver.WithGainRate(110), solver.WithGainRate(1e39), solver.WithGainRate(1e-46), solver.WithScaleRate(500), solver.WithGainBounds(0, 1e300), solver.WithScaleBounds(0, 1e300),
		solver.WithPaperStep(), solver.WithInitialStep(0), solver.WithInitialStep(1e300), solver.WithInitialStep(1e-300),
		solver.WithScaleWarmup(0, 1), solver.WithScaleWarmup(math.MaxFloat64, 1e300), solver.WithScaleWarmup(50, 5e-324), solver.WithScaleRate(math.MaxFloat64),
		solver.WithGainDecay(0), solver.WithGainDecay(0.5), solver.WithGainDecay(1 - 1e-16),
		gorgonia.WithClip(0.5), gorgonia.WithL1Reg(0.1), gorgonia.WithL2Reg(1e10), gorgonia.WithL2Reg(3e38), gorgonia.WithBatchSize(32), gorgonia.WithBatchSize(1e6), gorgonia.WithMomentum(0),
		solver.WithScaleSignal(solver.Normalized), solver.WithScaleSignal(solver.Raw), solver.WithScaleSignal(solver.Relative),
		solver.WithMaxStep(0), solver.WithMaxStep(5e-324), solver.WithMaxStep(math.MaxFloat64),
		solver.WithScaleFloor(0), solver.WithScaleFloor(1e-300), solver.WithScaleFloor(1 - 1e-16),
		solver.WithNoiseLimit(5e-324), solver.WithNoiseLimit(math.MaxFloat64), solver.WithScaleRestart(0), solver.WithScaleRestart(5e-324), solver.WithScaleRestart(math.MaxFloat64),
		solver.WithSignalPooling(0), solver.WithSignalPooling(5e-324), solver.WithSignalPooling(3), solver.WithSignalPooling(math.MaxFloat64),
		solver.WithStepAverage(0), solver.WithStepAverage(5e-324), solver.WithStepAverage(0.5), solver.WithStepAverage(1 - 0x1p-53),
		solver.WithNoiseCorrection(0), solver.WithNoiseCorrection(30), solver.WithNoiseCorrection(math.MaxFloat64),
	} {
		if d.roll(4) == 3 {
			opts = append(opts, o)
		}
	}
	switch d.roll(5) {
	case 1:
		inner := []gorgonia.Solver{solver.NewFunnel(), gorgonia.NewAdamSolver(), solver.NewFunnelAdam()}[d.roll(3)]
		return solver.Augment(inner, opts...)
	case 2:
		return solver.NewFunnelAdam(append(opts, d.adamOptions()...)...)
	case 4:
		return solver.NewEGU(opts...)
	}
	return solver.NewFunnel(opts...)
}

func (d *dice) adamOptions() []gorgonia.SolverOpt {
	return []gorgonia.SolverOpt{
		gorgonia.WithBeta1([]float64{0.9, 0, 0.5, 1 - 1e-16}[d.roll(4)]),
		gorgonia.WithBeta2([]float64{0.999, 0, 0.5, 1 - 1e-16}[d.roll(4)]),
		gorgonia.WithEps([]float64{1e-8, 1, 1e-40, 1e-320, 1e300}[d.roll(5)]),
	}
}

// FuzzStep checks the contract of a step: it happens whole or not at all, and
// finite numbers stay finite.
func FuzzStep(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a step happens whole or not at all, whatever the shapes and the numbers are"))
	f.Add([]byte{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 2, 0, 3, 3, 1, 2, 1, 3, 4, 2, 1, 60, 200, 15, 70, 3, 80, 90, 20, 63, 5, 9})
	adam := append(make([]byte, 41), 2, 0, 0, 0) // its defaults
	f.Add(append(adam, 3, 0, 2, 2, 70, 130, 4, 70, 3, 9, 70, 200, 1, 70, 140, 12, 7, 70, 100, 3))
	f.Add([]byte("00000000000000000000000000000000000000000\x01\x01 a scale around Adam, over layouts of all kinds and a NaN or two"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := &dice{b}
		s := d.solver()
		ps := make([]*param, 1+d.roll(4))
		for i := range ps {
			ps[i] = d.param()
			set(ps[i].value, d.numbers(len(floats(ps[i].value))))
		}
		for range 4 {
			for _, p := range ps {
				set(p.gradient, d.numbers(len(floats(p.gradient))))
			}
			oneStep(t, s, ps)
		}
	})
}

func oneStep(t *testing.T, s gorgonia.Solver, ps []*param) {
	before, sound := bits(s, ps), true
	usable := allFinite
	if solver.Clips(s) {
		usable = noneIsNaN
	}
	for _, p := range ps {
		sound = sound && allFinite(at(t, p.value)) && usable(at(t, p.gradient))
	}
	err := s.Step(model(ps...))
	if err != nil {
		if bits(s, ps) != before {
			t.Fatalf("a step that was refused (%v) changed something", err)
		}
		if sound && !errors.Is(err, solver.ErrNonFiniteStep) && !errors.Is(err, solver.ErrNegative) {
			t.Fatalf("sound input was refused: %v", err)
		}
		return
	}
	if !sound {
		t.Fatal("NaN, or Inf that is not clipped, went through")
	}
	for _, p := range ps {
		if !allFinite(at(t, p.value)) {
			t.Fatalf("finite in, %v out", at(t, p.value))
		}
		for _, g := range at(t, p.gradient) {
			if g != 0 {
				t.Fatalf("the gradient is %v after the step", g)
			}
		}
	}
	for _, state := range solver.State(s) {
		if !allFinite(state[0]) || !allFinite(state[1]) {
			t.Fatalf("the solver keeps %v", state)
		}
	}
	for _, a := range learned(s) {
		if !allFinite(a.Gain) || !allFinite([]float64{a.Scale}) {
			t.Fatalf("the solver learned %+v", a)
		}
	}
}

func allFinite(xs []float64) bool {
	for _, x := range xs {
		if x-x != 0 {
			return false
		}
	}
	return true
}

func noneIsNaN(xs []float64) bool { return !slices.ContainsFunc(xs, math.IsNaN) }
