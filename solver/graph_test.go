package solver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sum is a graph whose loss is the mean of (a + b − target)², in which Gorgonia
// computes one gradient for both parameters.
func sum(t *testing.T) (*gorgonia.ExprGraph, gorgonia.Nodes, *gorgonia.Node) {
	t.Helper()
	g := gorgonia.NewGraph()
	a := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithName("a"), gorgonia.WithShape(4), gorgonia.WithInit(gorgonia.Zeroes()))
	b := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithName("b"), gorgonia.WithShape(4), gorgonia.WithInit(gorgonia.Zeroes()))
	target := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithName("target"), gorgonia.WithShape(4), gorgonia.WithInit(gorgonia.Ones()))
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.Add(a, b)), target))))))
	return g, gorgonia.Nodes{a, b}, loss
}

func TestFunnelTrainsOnBothOfGorgoniasMachines(t *testing.T) {
	machines := map[string]func(*gorgonia.ExprGraph, gorgonia.Nodes, *gorgonia.Node) gorgonia.VM{
		"tape machine": func(g *gorgonia.ExprGraph, params gorgonia.Nodes, loss *gorgonia.Node) gorgonia.VM {
			if _, err := gorgonia.Grad(loss, params...); err != nil {
				t.Fatal(err)
			}
			return gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		},
		"Lisp machine": func(g *gorgonia.ExprGraph, _ gorgonia.Nodes, _ *gorgonia.Node) gorgonia.VM {
			return gorgonia.NewLispMachine(g)
		},
	}
	for name, machine := range machines {
		t.Run(name, func(t *testing.T) {
			g, params, loss := sum(t)
			m := machine(g, params, loss)
			defer m.Close()
			s := solver.NewFunnel(gorgonia.WithLearnRate(0.1), solver.WithScaleWarmup(0, 1)) // η is right here
			for range 100 {
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				step(t, s, gorgonia.NodesToValueGrads(params))
				m.Reset()
			}
			for _, p := range params {
				for _, v := range floats(p.Value()) {
					if !closeTo(v, 0.5, 1e-2) {
						t.Errorf("%s = %v, want 0.5", p.Name(), p.Value())
					}
				}
			}
		})
	}
}

// Running the machine k times and stepping once with WithBatchSize(k) is one
// step on the mean gradient.
func TestGradientsAccumulateOverMicroBatches(t *testing.T) {
	var values [2][]float64
	for k, runs := range []int{1, 4} {
		g, params, loss := sum(t)
		if _, err := gorgonia.Grad(loss, params...); err != nil {
			t.Fatal(err)
		}
		m := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		s := solver.NewFunnel(gorgonia.WithLearnRate(0.1), gorgonia.WithBatchSize(float64(runs)))
		for range 10 {
			for range runs {
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				m.Reset()
			}
			step(t, s, gorgonia.NodesToValueGrads(params))
		}
		m.Close()
		values[k] = floats(params[0].Value())
	}
	compare(t, 9, "value", values[1], values[0], 1e-6)
}

func TestAStepWithoutDualValuesSaysWhatIsMissing(t *testing.T) {
	g, params, loss := sum(t)
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		t.Fatal(err)
	}
	m := gorgonia.NewTapeMachine(g) // no BindDualValues
	defer m.Close()
	if err := solver.NewFunnel().Step(gorgonia.NodesToValueGrads(params)); !errors.Is(err, solver.ErrNoGradient) {
		t.Errorf("before the machine has run: %v", err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	// Both parameters now have the gradient's own node.
	if err := solver.NewFunnel().Step(gorgonia.NodesToValueGrads(params)); !errors.Is(err, solver.ErrShared) || !strings.Contains(err.Error(), "BindDualValues") {
		t.Errorf("after the machine has run: %v", err)
	}
}
