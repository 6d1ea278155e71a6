package solver_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// golden is a case of an independent float64 implementation.
type golden struct {
	Config struct {
		LearnRate      float64 `json:"learn_rate"`
		Momentum       float64 `json:"momentum"`
		Beta1, Beta2   float64
		Eps            float64
		GradientDecay  float64    `json:"gradient_decay"`
		GainRate       float64    `json:"gain_rate"`
		ScaleRate      float64    `json:"scale_rate"`
		GainSignal     string     `json:"gain_signal"`
		ScaleSignal    string     `json:"scale_signal"`
		Scope          string     `json:"scope"`
		BiasCorrection bool       `json:"bias_correction"`
		GainBounds     [2]float64 `json:"gain_bounds"`
		ScaleBounds    [2]float64 `json:"scale_bounds"`
		L1, L2         float64
		Batch, Clip    float64
	}
	Parameters []struct {
		Name  string
		Shape []int
		Value []float64
	}
	Steps []struct {
		Gradient, Value, Velocity, Gain [][]float64
		Average                         [][]float64     `json:"gradient_average"`
		First                           [][]float64     `json:"first_moment"`
		Second                          [][]float64     `json:"second_moment"`
		Scale                           json.RawMessage // a number, or one a parameter
	}
}

func readGolden(t *testing.T, name string) (g golden) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *golden) options() []gorgonia.SolverOpt {
	c := &g.Config
	signal := map[string]solver.Signal{"raw": solver.Raw, "normalized": solver.Normalized}
	scope := map[string]solver.Scope{"global": solver.Global, "parameter": solver.PerParameter}
	opts := []gorgonia.SolverOpt{
		solver.WithPaperStep(),
		gorgonia.WithLearnRate(c.LearnRate), gorgonia.WithMomentum(c.Momentum),
		gorgonia.WithBeta1(c.Beta1), gorgonia.WithBeta2(c.Beta2), gorgonia.WithEps(c.Eps),
		gorgonia.WithL1Reg(c.L1), gorgonia.WithL2Reg(c.L2),
		gorgonia.WithBatchSize(c.Batch), gorgonia.WithClip(c.Clip),
		solver.WithGradientDecay(c.GradientDecay),
		solver.WithGainRate(c.GainRate), solver.WithScaleRate(c.ScaleRate),
		solver.WithGainSignal(signal[c.GainSignal]), solver.WithScaleSignal(signal[c.ScaleSignal]),
		solver.WithGainBounds(c.GainBounds[0], c.GainBounds[1]),
		solver.WithScaleBounds(c.ScaleBounds[0], c.ScaleBounds[1]),
		solver.WithScaleScope(scope[c.Scope]),
	}
	if c.BiasCorrection {
		opts = append(opts, solver.WithBiasCorrection())
	}
	return opts
}

func (g *golden) model(dtype tensor.Dtype) []*param {
	var ps []*param
	for _, p := range g.Parameters {
		q := &param{name: p.Name}
		for _, v := range []*gorgonia.Value{&q.value, &q.gradient} {
			switch {
			case len(p.Shape) > 0:
				*v = tensor.New(tensor.Of(dtype), tensor.WithShape(p.Shape...))
			case dtype == tensor.Float32:
				*v = gorgonia.NewF32(0)
			default:
				*v = gorgonia.NewF64(0)
			}
		}
		set(q.value, p.Value)
		ps = append(ps, q)
	}
	return ps
}

// scales is the scale of every parameter after a step.
func (g *golden) scales(t *testing.T, step int) []float64 {
	t.Helper()
	raw := g.Steps[step].Scale
	scales := make([]float64, len(g.Parameters))
	if json.Unmarshal(raw, &scales) == nil {
		return scales
	}
	for i := range scales {
		if err := json.Unmarshal(raw, &scales[i]); err != nil {
			t.Fatal(err)
		}
	}
	return scales
}

var precisions = []struct {
	dtype     tensor.Dtype
	tolerance float64
}{{tensor.Float64, 1e-12}, {tensor.Float32, 1e-5}}

func TestTheFamilyFollowsTheGoldenVectors(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden vectors", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == "egu" { // has values only, and a test of its own
			continue
		}
		for _, p := range precisions {
			t.Run(name+"/"+p.dtype.String(), func(t *testing.T) {
				g := readGolden(t, name)
				if strings.HasPrefix(name, "adam-") {
					g.follow(t, solver.NewFunnelAdam(g.options()...), p.dtype, p.tolerance)
				} else {
					g.follow(t, solver.NewFunnel(g.options()...), p.dtype, p.tolerance)
				}
			})
		}
	}
}

// follow compares all that a solver keeps, step by step.
func (g *golden) follow(t *testing.T, s gorgonia.Solver, dtype tensor.Dtype, tolerance float64) {
	t.Helper()
	ps := g.model(dtype)
	for i, want := range g.Steps {
		for k := range ps {
			set(ps[k].gradient, want.Gradient[k])
		}
		step(t, s, model(ps...))
		first, second := want.Velocity, want.Average
		if first == nil {
			first, second = want.First, want.Second
		}
		scales, states := g.scales(t, i), solver.State(s)
		for k, a := range learned(s) {
			compare(t, i, a.Name+"'s velocity or first moment", states[k][0], first[k], tolerance)
			compare(t, i, a.Name+"'s gradient average or second moment", states[k][1], second[k], tolerance)
			compare(t, i, a.Name+"'s value", floats(ps[k].value), want.Value[k], tolerance)
			compare(t, i, a.Name+"'s gain", a.Gain, want.Gain[k], tolerance)
			compare(t, i, a.Name+"'s scale", []float64{a.Scale}, scales[k:k+1], tolerance)
		}
	}
}

func TestEGUFollowsTheGoldenVectors(t *testing.T) {
	for _, p := range precisions {
		t.Run(p.dtype.String(), func(t *testing.T) {
			g := readGolden(t, "egu")
			e := solver.NewEGU(gorgonia.WithLearnRate(g.Config.LearnRate))
			ps := g.model(p.dtype)
			for i, s := range g.Steps {
				for k := range ps {
					set(ps[k].gradient, s.Gradient[k])
				}
				step(t, e, model(ps...))
				for k := range ps {
					compare(t, i, ps[k].name, floats(ps[k].value), s.Value[k], p.tolerance)
				}
			}
		})
	}
}

// compare takes the tolerance relative to the element in float64. In float32,
// an element near 0 has lost the digits that its summands had, so there it is
// relative to the largest element, or to 0.01, which is what summands were.
func compare(t *testing.T, step int, what string, got, want []float64, tolerance float64) {
	t.Helper()
	largest := 0.0
	if tolerance > 1e-6 {
		largest = 0.01
		for _, x := range want {
			largest = max(largest, math.Abs(x))
		}
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > tolerance*max(math.Abs(want[i]), largest) {
			t.Fatalf("step %d: %s[%d] = %.15g, want %.15g", step+1, what, i, got[i], want[i])
		}
	}
}

// The figures that the authors' implementation gives, to four digits.
func TestFunnelGivesTheAuthorsPublishedFigures(t *testing.T) {
	for _, c := range []struct {
		signal      solver.Signal
		value, gain []float64
	}{
		{solver.Raw, []float64{0.5810, 1.2463}, []float64{0.9990, 1.0075}},
		{solver.Normalized, []float64{0.5801, 1.2466}, []float64{0.9900, 1.0101}},
	} {
		t.Run(c.signal.String(), func(t *testing.T) {
			f := solver.NewFunnel(solver.WithPaperStep(), gorgonia.WithLearnRate(0.1), gorgonia.WithMomentum(0.9),
				solver.WithGradientDecay(0.1), solver.WithGainRate(0.01), solver.WithScaleRate(0.001),
				solver.WithGainSignal(c.signal), solver.WithScaleScope(solver.PerParameter), solver.WithBiasCorrection())
			p := vector("w", []float64{0.5, 1}, []float64{0.1, -0.5})
			step(t, f, model(p))
			four(t, "value after the first step", floats(p.value), []float64{0.49, 1.05})
			four(t, "gain after the first step", f.Adaptations()[0].Gain, []float64{1, 1})
			set(p.gradient, []float64{-1, -1.5})
			step(t, f, model(p))
			four(t, "value", floats(p.value), c.value)
			four(t, "gain", f.Adaptations()[0].Gain, c.gain)
			if s := f.Adaptations()[0].Scale; !closeTo(s, 1.00070736, 1e-8) {
				t.Errorf("scale %v, want 1.00070736", s)
			}
		})
	}
}

func four(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if d := got[i] - want[i]; d < -0.00005 || d > 0.00005 {
			t.Errorf("%s[%d] = %.5f, want %.4f", what, i, got[i], want[i])
		}
	}
}
