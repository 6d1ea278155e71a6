package solver_test

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// v1 are the checkpoints that the first released format wrote, each after 30
// steps, with NAME.after35.safetensors beside it: the same training, saved by the
// same version 35 steps later. They are never written again, so nothing here can.
var v1 = map[string]func() gorgonia.Solver{
	"funnel":             func() gorgonia.Solver { return solver.NewFunnel() },
	"funnel-paper":       func() gorgonia.Solver { return solver.NewFunnel(solver.WithPaperStep(), solver.WithRawSignals()) },
	"funnel-options":     func() gorgonia.Solver { return solver.NewFunnel(v1Options...) },
	"funneladam":         func() gorgonia.Solver { return solver.NewFunnelAdam() },
	"funneladam-options": func() gorgonia.Solver { return solver.NewFunnelAdam(v1Options...) },
	"eggain":             func() gorgonia.Solver { return solver.NewEGGain(gorgonia.WithLearnRate(0.01)) },
	"egu":                func() gorgonia.Solver { return solver.NewEGU(gorgonia.WithLearnRate(0.01), gorgonia.WithL2Reg(0.5)) },
	"augment-funnel":     func() gorgonia.Solver { return solver.Augment(solver.NewFunnel(solver.WithScaleRate(0))) },
	"augment-funneladam": func() gorgonia.Solver {
		return solver.Augment(solver.NewFunnelAdam(), solver.WithScaleScope(solver.PerParameter))
	},
	"augment-augment-funnel": func() gorgonia.Solver { return solver.Augment(solver.Augment(solver.NewFunnel())) },
	"augment-foreign":        func() gorgonia.Solver { return solver.Augment(&counter{}) },
	"foreign":                func() gorgonia.Solver { return &counter{} },
	"values":                 func() gorgonia.Solver { return nil },
}

var v1Options = []gorgonia.SolverOpt{
	gorgonia.WithLearnRate(0.02), gorgonia.WithMomentum(0.7), gorgonia.WithBeta1(0.8), gorgonia.WithBeta2(0.99), gorgonia.WithEps(1e-6),
	gorgonia.WithBatchSize(3), gorgonia.WithClip(0.3), gorgonia.WithL1Reg(0.001), gorgonia.WithL2Reg(0.002),
	solver.WithGainRate(0.03), solver.WithGainDecay(0.02), solver.WithGradientDecay(0.8), solver.WithGainBounds(0.5, 2),
	solver.WithScaleRate(0.05), solver.WithScaleWarmup(0.2, 10), solver.WithInitialStep(0.02), solver.WithScaleBounds(1e-6, 1e6),
	solver.WithGainSignal(solver.Raw), solver.WithScaleScope(solver.Global), solver.WithBiasCorrection(),
}

// counter is a solver that is not ours: gradient descent with steps that shorten.
type counter struct{ Steps int }

func (c *counter) Step(model []gorgonia.ValueGrad) error {
	c.Steps++
	for _, vg := range model {
		g, err := vg.Grad()
		if err != nil {
			return err
		}
		x, dx := floats(vg.Value()), floats(g)
		for i := range x {
			change := dx[i] / float64(8+c.Steps)
			x[i] -= change
		}
		set(vg.Value(), x)
		set(g, make([]float64, len(dx)))
	}
	return nil
}

func (c *counter) MarshalBinary() ([]byte, error) { return json.Marshal(c) }
func (c *counter) UnmarshalBinary(b []byte) error { return json.Unmarshal(b, c) }

// v1Model is a model of both dtypes, with a scalar and a matrix, all values 1.
func v1Model() []*param {
	ones := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = 1
		}
		return x
	}
	single := func(n int, shape ...int) *tensor.Dense {
		d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		set(d, ones(n))
		return d
	}
	zero32 := func(shape ...int) *tensor.Dense {
		return tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
	}
	return []*param{
		{"layer/weights", single(133, 7, 19), zero32(7, 19)},
		{"layer/biases", single(8, 8), zero32(8)},
		{"double", dense(ones(67), 67), dense(make([]float64, 67), 67)},
		{"scalar", gorgonia.NewF64(1), gorgonia.NewF64(0)},
		{"late", single(5, 5), zero32(5)},
	}
}

// v1Steps makes steps, in arithmetic with the same bits on every machine. One
// parameter joins at the tenth step. From the fortieth on all gradients are growth
// times as large.
func v1Steps(t *testing.T, s gorgonia.Solver, ps []*param, from, to int, growth float64) {
	t.Helper()
	for step := from; step < to; step++ {
		part := ps
		if step < 10 {
			part = ps[:4]
		}
		rng := rand.NewPCG(7, uint64(step))
		for _, p := range part {
			x := floats(p.value)
			for i := range x {
				noise := float64(int64(rng.Uint64())>>40) / (1 << 23)
				pull := float64(x[i]*0.5) - float64(i%7)/4
				if x[i] = pull + noise/8; step >= 40 {
					x[i] *= growth
				}
			}
			set(p.gradient, x)
		}
		if s == nil {
			continue
		}
		if err := s.Step(model(part...)); err != nil {
			t.Fatal(err)
		}
	}
}

const checkpoints = "../testdata/checkpoints"

func TestACheckpointOfTheFirstFormatGoesOnToTheSameBits(t *testing.T) {
	for name, make := range v1 {
		t.Run(name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, "v1", name), make, 1) })
	}
}

// v2 has solvers with the Relative signal, written before warm-ups could begin again,
// v3 such that were written before signals were pooled, and v4 before there was a step
// average.
func TestACheckpointOfBeforeRestartsPooledSignalsOrStepAveragesGoesOnToTheSameBits(t *testing.T) {
	for _, version := range []string{"v2", "v3", "v4"} {
		for _, name := range []string{"funnel", "funneladam", "augment-funneladam", "augment-augment-funnel"} {
			t.Run(version+"/"+name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, version, name), v1[name], 1) })
		}
	}
}

// v5 has solvers of before one large gradient was enough for a warm-up to begin again.
func TestACheckpointOfBeforePromptRestartsGoesOnToTheSameBits(t *testing.T) {
	for name, make := range map[string]func() gorgonia.Solver{
		"funnel":     func() gorgonia.Solver { return solver.NewFunnel(solver.WithScaleRestart(0.5)) },
		"funneladam": func() gorgonia.Solver { return solver.NewFunnelAdam(solver.WithScaleRestart(0.5)) },
	} {
		t.Run(name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, "v5", name), make, 1) })
	}
}

// v6 has solvers of before a warm-up that begins again counted twice relative to the mean of
// the scale, and v8 such of before it lifted the scale in its first step alone.
func TestACheckpointOfBeforeRestartsLiftedTheScaleAsTheyDoGoesOnToTheSameBits(t *testing.T) {
	often := []gorgonia.SolverOpt{solver.WithScaleRestart(0.5), solver.WithScaleRate(2), solver.WithScaleFloor(0.01), solver.WithScaleWarmup(0.5, 3)}
	for _, version := range []string{"v6", "v8"} {
		for name, make := range map[string]func() gorgonia.Solver{
			"funnel":     func() gorgonia.Solver { return solver.NewFunnel(often...) },
			"funneladam": func() gorgonia.Solver { return solver.NewFunnelAdam(often...) },
		} {
			t.Run(version+"/"+name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, version, name), make, 1) })
		}
	}
}

// v7 has an Augmented of before its step average was smooth and every parameter had a longest step of its own.
func TestACheckpointOfBeforeSmoothAveragesGoesOnToTheSameBits(t *testing.T) {
	for name, make := range map[string]func() gorgonia.Solver{
		"augment-funnel": func() gorgonia.Solver { return solver.Augment(solver.NewFunnel()) },
		"augment-eggain": func() gorgonia.Solver { return solver.Augment(solver.NewEGGain()) },
	} {
		t.Run(name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, "v7", name), make, 1) })
	}
}

// v9 has solvers of before the momentum was less in a warm-up, and such whose steps are too
// short to change a value of float32, of before gains learned nothing of these.
func TestACheckpointOfBeforeMomentumWarmupsGoesOnToTheSameBits(t *testing.T) {
	often := []gorgonia.SolverOpt{solver.WithScaleRestart(0.5), solver.WithScaleRate(2), solver.WithScaleFloor(0.01), solver.WithScaleWarmup(0.5, 3)}
	for name, make := range map[string]func() gorgonia.Solver{
		"funnel":           func() gorgonia.Solver { return solver.NewFunnel(often...) },
		"funneladam":       func() gorgonia.Solver { return solver.NewFunnelAdam(often...) },
		"funnel-short":     func() gorgonia.Solver { return solver.NewFunnel() },
		"funneladam-short": func() gorgonia.Solver { return solver.NewFunnelAdam() },
	} {
		t.Run(name, func(t *testing.T) { testGoesOn(t, filepath.Join(checkpoints, "v9", name), make, 1) })
	}
}

// v10 has a Funnel of before its scale fell where the gradient grew.
func TestACheckpointOfBeforeGradientGrowthCountedGoesOnToTheSameBits(t *testing.T) {
	testGoesOn(t, filepath.Join(checkpoints, "v10", "funnel"), v1["funnel"], 16)
}

// testGoesOn compares a training that goes on from a checkpoint with file.after35,
// which the version that wrote the checkpoint came to.
func testGoesOn(t *testing.T, file string, make func() gorgonia.Solver, growth float64) {
	resumed, ps := make(), v1Model()
	must(solver.Load(file+".safetensors", model(ps...), resumed))
	v1Steps(t, resumed, ps, 30, 65, growth)
	straight, qs := make(), v1Model()
	must(solver.Load(file+".after35.safetensors", model(qs...), straight))
	for range 2 { // a step more shows what is not to be seen of the state
		for i := range ps {
			if !sameBits(floats(ps[i].value), floats(qs[i].value)) {
				t.Errorf("%s has other bits", ps[i].name)
			}
		}
		if got, want := learned(resumed), learned(straight); !reflect.DeepEqual(got, want) {
			t.Errorf("learned %v, want %v", got, want)
		}
		if s, ok := resumed.(*counter); ok && s.Steps != straight.(*counter).Steps {
			t.Errorf("%d steps, want %d", s.Steps, straight.(*counter).Steps)
		}
		v1Steps(t, resumed, ps, 65, 66, growth)
		v1Steps(t, straight, qs, 65, 66, growth)
	}
}
