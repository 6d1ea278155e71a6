package kernel

import (
	"math"
	"testing"
)

func TestTheGradientOfAStepIsRegularisedDividedAndClippedInThisOrder(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name                  string
		o                     Objective[float64]
		gradient, theta, want float64
	}{
		{"no option", Objective[float64]{PerBatch: 1, Clip: inf}, 3, 5, 3},
		{"l1 above 0", Objective[float64]{L1: 0.5, PerBatch: 1, Clip: inf}, 3, 5, 3.5},
		{"l1 below 0", Objective[float64]{L1: 0.5, PerBatch: 1, Clip: inf}, 3, -5, 2.5},
		{"l1 at 0", Objective[float64]{L1: 0.5, PerBatch: 1, Clip: inf}, 3, 0, 3},
		{"l2", Objective[float64]{L2: 0.5, PerBatch: 1, Clip: inf}, 3, -4, 1},
		{"batch after regularisation", Objective[float64]{L2: 0.5, PerBatch: 0.25, Clip: inf}, 3, 2, 1},
		{"clip after batch", Objective[float64]{L2: 0.5, PerBatch: 0.25, Clip: 0.75}, 3, 2, 0.75},
		{"clip below 0", Objective[float64]{PerBatch: 1, Clip: 2}, -3, 2, -2},
		{"infinity is clipped", Objective[float64]{PerBatch: 1, Clip: 2}, inf, 2, 2},
	} {
		if g := c.o.Gradient(c.gradient, c.theta); g != c.want {
			t.Errorf("%s: %v, want %v", c.name, g, c.want)
		}
	}
}

func TestWithoutOptionsTheGradientIsAsItWasToTheBit(t *testing.T) {
	for _, gradient := range []float64{0, math.Copysign(0, -1), 5e-324, math.MaxFloat64, math.Inf(-1)} {
		if g := noObjective[float64]().Gradient(gradient, 1); math.Float64bits(g) != math.Float64bits(gradient) {
			t.Errorf("%v became %v", gradient, g)
		}
	}
}

func TestOverflowObjectiveFindsTheFirstElementThatIsNotFinite(t *testing.T) {
	o := &Objective[float32]{L2: 1e20, PerBatch: 1, Clip: float32(math.Inf(1))}
	if i := OverflowObjective([]float32{1, 1e20, 1e30}, make([]float32, 3), o); i != 1 {
		t.Errorf("index %d, want 1", i)
	}
	if i := OverflowObjective([]float32{1, 1e10, 1}, make([]float32, 3), o); i != -1 {
		t.Errorf("index %d, want -1", i)
	}
}
