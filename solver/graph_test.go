package solver_test

import (
	"errors"
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

func TestFunnelTrainsOnATapeMachine(t *testing.T) {
	g, params, loss := sum(t)
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		t.Fatal(err)
	}
	m := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer m.Close()
	trainSum(t, params, func() error { defer m.Reset(); return m.RunAll() })
}

// A Lisp machine goes back through the graph once.
func TestFunnelTrainsOnLispMachines(t *testing.T) {
	g, params, _ := sum(t)
	trainSum(t, params, func() error {
		m := gorgonia.NewLispMachine(g)
		defer m.Close()
		return m.RunAll()
	})
}

func trainSum(t *testing.T, params gorgonia.Nodes, run func() error) {
	t.Helper()
	s := solver.NewFunnel()
	for range 300 {
		if err := run(); err != nil {
			t.Fatal(err)
		}
		step(t, s, gorgonia.NodesToValueGrads(params))
	}
	for _, p := range params {
		for _, v := range floats(p.Value()) {
			if !closeTo(v, 0.5, 1e-2) {
				t.Errorf("%s = %v, want 0.5", p.Name(), p.Value())
			}
		}
	}
}

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
	// Both parameters now have the gradient's own node, and step alike.
	step(t, solver.NewFunnel(), gorgonia.NodesToValueGrads(params))
	if a, b := floats(params[0].Value()), floats(params[1].Value()); a[0] == 0 || !sameBits(a, b) {
		t.Errorf("after the machine has run, the parameters go to %v and %v", a, b)
	}
}

// Where no dual values are bound, Gorgonia gives parameters whose derivatives are
// one node one gradient.
func TestParametersThatHaveOneGradientStepAsIfEachHadItsOwn(t *testing.T) {
	for _, member := range family {
		shared, own := member.make(), member.make()
		ps := []*param{vector("a", []float64{1, 2}, nil), vector("b", []float64{3, 4}, nil)}
		qs := []*param{vector("a", []float64{1, 2}, nil), vector("b", []float64{3, 4}, nil)}
		for i := range 5 {
			g := []float64{1, float64(i) - 2}
			ps[0].gradient = dense(g, 2)
			ps[1].gradient = ps[0].gradient
			qs[0].gradient, qs[1].gradient = dense(g, 2), dense(g, 2)
			step(t, shared, model(ps...))
			step(t, own, model(qs...))
			if bits(shared, ps) != bits(own, qs) {
				t.Fatalf("%s: step %d differs", member.name, i+1)
			}
		}
	}
}
