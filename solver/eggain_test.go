package solver_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

func TestOneScalarWithRawGainIsItsClosedForm(t *testing.T) {
	const rate, learnRate = 0.05, 0.1
	rng := rand.New(rand.NewPCG(2, 2))
	f := solver.NewEGGain(gorgonia.WithLearnRate(learnRate), solver.WithGainRate(rate))
	p := &param{value: gorgonia.NewF64(3), gradient: gorgonia.NewF64(0)}
	theta, sum, last := 3.0, 0.0, 0.0
	for i := range 100 {
		g := rng.NormFloat64()
		set(p.gradient, []float64{g})
		step(t, f, model(p))
		sum += last * g
		last = g
		theta -= learnRate * math.Exp(rate*sum) * g
		compare(t, i, "value", floats(p.value), []float64{theta}, 1e-12)
		compare(t, i, "gain", f.Adaptations()[0].Gain, []float64{math.Exp(rate * sum)}, 1e-12)
	}
}
