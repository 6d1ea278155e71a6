package solver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sizes is of the bundled MLP's tensors, or of one tensor of n parameters.
func benchModel(sizes ...int) ([]gorgonia.ValueGrad, [][]float32) {
	rng := rand.New(rand.NewPCG(1, 1))
	var ps []*param
	var gradients [][]float32
	for _, n := range sizes {
		p := &param{value: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n)), gradient: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(n))}
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(rng.NormFloat64()) * 1e-3
		}
		gradients = append(gradients, g)
		ps = append(ps, p)
	}
	return model(ps...), gradients
}

func BenchmarkStep(b *testing.B) {
	mlp := []int{784 * 128, 128, 128 * 64, 64, 64 * 10, 10}
	for _, s := range []struct {
		name string
		make func() gorgonia.Solver
	}{
		{"Funnel", func() gorgonia.Solver { return solver.NewFunnel() }},
		{"FunnelRaw", func() gorgonia.Solver { return solver.NewFunnel(solver.WithRawSignals()) }},
		{"Adam", func() gorgonia.Solver { return gorgonia.NewAdamSolver() }},
	} {
		for _, sizes := range [][]int{mlp, {65536}, {1048576}} {
			total := 0
			for _, n := range sizes {
				total += n
			}
			b.Run(fmt.Sprintf("%s/parameters=%d", s.name, total), func(b *testing.B) {
				m, gradients := benchModel(sizes...)
				opt := s.make()
				for b.Loop() {
					for i, p := range m { // a step leaves zeros
						copy(p.(*param).gradient.(*tensor.Dense).Float32s(), gradients[i])
					}
					if err := opt.Step(m); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(total), "ns/param")
			})
		}
	}
}
