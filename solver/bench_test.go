package solver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// mlp are the sizes of the bundled network's tensors.
var mlp = []int{784 * 128, 128, 128 * 64, 64, 64 * 10, 10}

func BenchmarkStep(b *testing.B) {
	for _, s := range []struct {
		name string
		make func() gorgonia.Solver
	}{
		{"Funnel", func() gorgonia.Solver { return solver.NewFunnel() }},
		{"FunnelRaw", func() gorgonia.Solver { return solver.NewFunnel(solver.WithRawSignals()) }},
		{"FunnelAdam", func() gorgonia.Solver { return solver.NewFunnelAdam() }},
		{"Adam", func() gorgonia.Solver { return gorgonia.NewAdamSolver() }},
	} {
		for _, c := range []struct {
			name  string
			sizes []int
		}{{"mlp", mlp}, {"65536", []int{1 << 16}}, {"262144", []int{1 << 18}}, {"1048576", []int{1 << 20}}, {"4194304", []int{1 << 22}}} {
			b.Run(s.name+"/"+c.name, func(b *testing.B) { benchmarkStep(b, s.make(), c.sizes) })
		}
	}
}

// benchmarkStep times steps alone: each finds a gradient that was just
// written, as a backward pass leaves it.
func benchmarkStep(b *testing.B, s gorgonia.Solver, sizes []int) {
	rng := rand.New(rand.NewPCG(1, 1))
	var ps []*param
	var gradients [][]float32
	total := 0
	for _, n := range sizes {
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(rng.NormFloat64()) * 1e-3
		}
		gradients = append(gradients, g)
		ps = append(ps, &param{
			value:    tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)),
			gradient: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)),
		})
		total += n
	}
	m := model(ps...)
	if err := s.Step(m); err != nil { // makes the state
		b.Fatal(err)
	}
	var spent time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i, p := range ps {
			copy(p.gradient.(*tensor.Dense).Float32s(), gradients[i])
		}
		start := time.Now()
		if err := s.Step(m); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/float64(total), "ns/parameter")
}

// What it costs to look at what was learned, of the bundled network.
func BenchmarkAdaptations(b *testing.B) {
	s := solver.NewFunnel()
	var ps []*param
	for _, n := range mlp {
		ps = append(ps, &param{
			value:    tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)),
			gradient: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)),
		})
	}
	if err := s.Step(model(ps...)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if len(s.Adaptations()) != len(mlp) {
			b.Fatal("not one for each parameter")
		}
	}
}

// What a step costs where gradients are exactly 0, as those of frozen layers, dead
// units and rows that are not looked up. Two solvers step by turns, one with dense
// gradients; ×dense is the ratio of the fastest steps of either, beside a small
// parameter whose gradients are dense.
//
//	frozen   there was never a gradient
//	dead     none after the first step, so long ago that what is remembered of it is 0
//	rows     the same, but for one row in 64
//	zeros    as frozen, with regularisation, of values that are 0
func BenchmarkGradientOf0(b *testing.B) {
	for _, s := range []struct {
		name string
		make func(opts ...gorgonia.SolverOpt) gorgonia.Solver
	}{
		{"Funnel", func(opts ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnel(opts...) }},
		{"FunnelAdam", func(opts ...gorgonia.SolverOpt) gorgonia.Solver { return solver.NewFunnelAdam(opts...) }},
		{"Momentum,augmented", func(opts ...gorgonia.SolverOpt) gorgonia.Solver {
			return solver.Augment(gorgonia.NewMomentum(opts...), opts...)
		}},
	} {
		for _, scope := range []solver.Scope{solver.Global, solver.PerParameter} {
			for _, dtype := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
				for _, kind := range []string{"frozen", "dead", "rows", "zeros"} {
					opts := []gorgonia.SolverOpt{solver.WithScaleScope(scope)}
					if kind == "zeros" {
						opts = append(opts, gorgonia.WithL1Reg(1e-6), gorgonia.WithL2Reg(1e-6))
					}
					b.Run(fmt.Sprintf("%s,%v/%v/%s", s.name, scope, dtype, kind), func(b *testing.B) {
						benchmarkGradientOf0(b, func() gorgonia.Solver { return s.make(opts...) }, dtype, kind)
					})
				}
			}
		}
	}
}

func benchmarkGradientOf0(b *testing.B, newSolver func() gorgonia.Solver, dtype tensor.Dtype, kind string) {
	const n, row = 1 << 16, 64
	rng := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = rng.NormFloat64() * 1e-3
		}
		return xs
	}
	value, first, later, small := random(n), make([]float64, n), make([]float64, n), random(1000)
	decay := 1
	switch kind {
	case "dead", "rows":
		first, decay = random(n), 1000
		if dtype == tensor.Float64 {
			decay = 7000
		}
		if kind == "rows" {
			for i := 0; i < n; i += 64 * row {
				copy(later[i:i+row], random(row))
			}
		}
	case "zeros":
		clear(value)
	}
	// stepping returns what makes a step and says how long it took.
	stepping := func(value, first, later []float64) func() time.Duration {
		fresh := func(x []float64) *param {
			p := &param{value: tensor.New(tensor.Of(dtype), tensor.WithShape(len(x))), gradient: tensor.New(tensor.Of(dtype), tensor.WithShape(len(x)))}
			set(p.value, x)
			return p
		}
		large, beside := fresh(value), fresh(small)
		s, m := newSolver(), model(large, beside)
		set(large.gradient, first)
		return func() time.Duration {
			set(beside.gradient, small)
			start := time.Now()
			if err := s.Step(m); err != nil {
				b.Fatal(err)
			}
			spent := time.Since(start)
			set(large.gradient, later)
			return spent
		}
	}
	g := random(n)
	dense, zero := stepping(random(n), g, g), stepping(value, first, later)
	for range decay {
		zero()
	}
	fastest := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		fastest[0], fastest[1] = min(fastest[0], dense()), min(fastest[1], zero())
	}
	b.ReportMetric(float64(fastest[1].Nanoseconds())/(n+1000), "ns/parameter")
	b.ReportMetric(float64(fastest[1])/float64(fastest[0]), "×dense")
}
