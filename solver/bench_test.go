package solver_test

import (
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

// A large parameter of which most rows have no gradient: dense is a step in which
// all have one, idle one after as many steps as it takes until what the solver
// remembers of the others has decayed to nothing, zero one without any gradient.
func BenchmarkIdleRows(b *testing.B) {
	const n = 1 << 18
	for _, s := range []struct {
		name string
		make func() gorgonia.Solver
	}{
		{"Funnel", func() gorgonia.Solver { return solver.NewFunnel() }},
		{"FunnelAdam", func() gorgonia.Solver { return solver.NewFunnelAdam() }},
	} {
		for _, c := range []struct {
			name  string
			every int // how many rows have one with a gradient; 0: none has
			after int // steps
		}{{"dense", 1, 0}, {"idle 500", 64, 500}, {"idle 900", 64, 900}, {"idle 1200", 64, 1200}, {"zero", 0, 10}} {
			b.Run(s.name+"/"+c.name, func(b *testing.B) {
				p := &param{value: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)), gradient: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n))}
				g, m, solve := p.gradient.(*tensor.Dense).Float32s(), model(p), s.make()
				fill := func(every int) {
					for i := range g {
						if every > 0 && i/64%every == 0 {
							g[i] = float32(i%7-3) * 1e-3
						}
					}
				}
				fill(1)
				for range c.after + 1 {
					if err := solve.Step(m); err != nil {
						b.Fatal(err)
					}
					fill(c.every)
				}
				var spent time.Duration
				for b.Loop() {
					fill(c.every)
					start := time.Now()
					if err := solve.Step(m); err != nil {
						b.Fatal(err)
					}
					spent += time.Since(start)
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/n, "ns/parameter")
			})
		}
	}
}
