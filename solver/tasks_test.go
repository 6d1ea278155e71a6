package solver_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// Tasks that are not digits. go test -v -run Task ./solver prints how each
// solver does.

// learnRates are all powers of ten from a millionth to ten.
var learnRates = []float64{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10}

// The valley of (1 − x)² + 100 (y − x²)², from (−0.5, 0.5).
func TestTaskRosenbrockIsSolvedAtEveryLearnRate(t *testing.T) {
	long(t)
	for _, c := range untuned() {
		p := vector("xy", []float64{-0.5, 0.5}, []float64{0, 0})
		var at1500, worst float64
		for i := range 30_000 {
			x, y := floats(p.value)[0], floats(p.value)[1]
			f := (1-x)*(1-x) + 100*(y-x*x)*(y-x*x)
			if i == 1500 {
				at1500 = f
			}
			if i >= 5000 {
				worst = math.Max(worst, f)
			}
			set(p.gradient, []float64{-2*(1-x) - 400*x*(y-x*x), 200 * (y - x*x)})
			step(t, c.solver, model(p))
		}
		t.Logf("%-18s %.1e after 1500 steps, at most %.1e from step 5000 to 30000", c.name, at1500, worst)
		within := 1e-15
		if strings.HasPrefix(c.name, "FunnelAdam") {
			within = 0.1 // a gradient next to 0 is a step like any other to Adam, and now and then one goes astray
		}
		if at1500 > 1e-11 || worst > within {
			t.Errorf("%s: %v after 1500 steps, at most %v from 5000 on", c.name, at1500, worst)
		}
	}
}

// A linear regression of 50 inputs whose sizes differ a hundredfold, in batches
// of 16, with noise of 1 in the target. Halfway its weights are replaced.
func TestTaskARegressionThatShiftsIsLearnedAtEveryLearnRate(t *testing.T) {
	long(t)
	for _, c := range untuned() {
		first, second := regression(t, c.solver)
		report(t, c.name, first, second)
		if first > 0.5 || second > 0.5 {
			t.Errorf("%s: excess loss %v, after the shift %v", c.name, first, second)
		}
	}
	for _, lr := range []float64{0.001, 0.003, 0.01, 0.03, 0.1} { // for comparison
		first, second := regression(t, gorgonia.NewAdamSolver(gorgonia.WithLearnRate(lr)))
		report(t, fmt.Sprint("Adam ", lr), first, second)
		first, second = regression(t, gorgonia.NewMomentum(gorgonia.WithLearnRate(lr)))
		report(t, fmt.Sprint("Momentum ", lr), first, second)
	}
}

func report(t *testing.T, name string, first, second float64) {
	t.Helper()
	t.Logf("%-18s excess loss %.2g, after the shift %.2g", name, first, second)
}

type named struct {
	name   string
	solver gorgonia.Solver
}

// untuned are Funnel and FunnelAdam at every learn rate.
func untuned() (all []named) {
	for _, lr := range learnRates {
		all = append(all,
			named{fmt.Sprint("Funnel ", lr), solver.NewFunnel(gorgonia.WithLearnRate(lr))},
			named{fmt.Sprint("FunnelAdam ", lr), solver.NewFunnelAdam(gorgonia.WithLearnRate(lr))})
	}
	return all
}

// regression returns the mean excess loss over the last 200 of 1000 steps, and
// over those of the 1000 after the shift.
func regression(t *testing.T, s gorgonia.Solver) (first, second float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	const inputs, batch = 50, 16
	size, truth := make([]float64, inputs), random(rng, inputs)
	for i := range size {
		size[i] = math.Exp(rng.NormFloat64())
	}
	p := vector("w", random(rng, inputs), make([]float64, inputs))
	var means [2]float64
	for phase := range means {
		for i := range 1000 {
			w, g := floats(p.value), make([]float64, inputs)
			for range batch {
				x, off := make([]float64, inputs), rng.NormFloat64()
				for k := range x {
					x[k] = size[k] * rng.NormFloat64()
					off += x[k] * (w[k] - truth[k])
				}
				for k := range x {
					g[k] += off * x[k] / batch
				}
			}
			set(p.gradient, g)
			step(t, s, model(p))
			if i >= 800 {
				for k, v := range floats(p.value) {
					means[phase] += size[k] * size[k] * (v - truth[k]) * (v - truth[k]) / 2 / 200
				}
			}
		}
		truth = random(rng, inputs)
	}
	return means[0], means[1]
}
