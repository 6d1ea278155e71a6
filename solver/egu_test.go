package solver_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

func TestEGUIsGradientDescentOnTheLogarithm(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	e := solver.NewEGU(gorgonia.WithLearnRate(0.1))
	p := vector("w", []float64{1, 2, 0}, make([]float64, 3))
	phi := []float64{0, math.Log(2), math.Inf(-1)}
	for i := range 50 {
		g := random(rng, 3)
		set(p.gradient, g)
		step(t, e, model(p))
		for k := range phi {
			phi[k] -= 0.1 * g[k]
		}
		compare(t, i, "value", floats(p.value), []float64{math.Exp(phi[0]), math.Exp(phi[1]), 0}, 1e-12)
	}
}

func TestEGURefusesANegativeValue(t *testing.T) {
	p := vector("w", []float64{1, -2}, []float64{1, 1})
	err := solver.NewEGU().Step(model(p))
	var pe *solver.ParameterError
	if !errors.Is(err, solver.ErrNegative) || !errors.As(err, &pe) || !slices.Equal(pe.Index, []int{1}) {
		t.Errorf("error %v, want ErrNegative at [1]", err)
	}
}
