package solver_test

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

func TestAGainThatIsTooSmallForFloat32CanBeSaved(t *testing.T) {
	p := &param{"p", dense([]float32{1, 2}, 2), dense([]float32{1, 1}, 2)}
	s := solver.NewFunnel(solver.WithGainRate(100), solver.WithGainDecay(0), solver.WithGainBounds(1e-60, 100))
	for i := range 8 { // the sign flips, and the gain falls by e^100
		copy(p.gradient.Data().([]float32), []float32{float32(1 - 2*(i%2)), 1})
		step(t, s, model(p))
	}
	var file bytes.Buffer
	if err := solver.Write(&file, model(p), s); err != nil {
		t.Fatal(err)
	}
	if err := solver.Read(&file, model(p), solver.NewFunnel()); err != nil {
		t.Error(err)
	}
}

func TestHugeRatesOfTheScaleDoNotStopTheTraining(t *testing.T) {
	for name, s := range map[string]gorgonia.Solver{
		"Funnel":     solver.NewFunnel(gorgonia.WithMomentum(0), solver.WithScaleRate(1e200), solver.WithNoiseCorrection(1e200), solver.WithStepAverage(0)),
		"FunnelAdam": solver.NewFunnelAdam(solver.WithScaleRate(math.MaxFloat64), solver.WithNoiseCorrection(math.MaxFloat64), solver.WithNoiseLimit(math.MaxFloat64)),
	} {
		p := vector("p", []float64{1, 2}, []float64{1, 1})
		for i := range 100 {
			copy(p.gradient.Data().([]float64), []float64{float64(i % 2), float64(1 - i%2)})
			if err := s.Step(model(p)); err != nil {
				t.Fatalf("%s, step %d: %v", name, i+1, err)
			}
		}
	}
}

func TestScalarsThatAreNoLongerUsedNeedNotBeSaved(t *testing.T) {
	values := make([]*gorgonia.F64, 64)
	for i := range values { // Go's allocator puts two beside each other
		values[i] = gorgonia.NewF64(float64(i + 1))
	}
	var model []gorgonia.ValueGrad
	for i, v := range values {
		model = append(model, &param{fmt.Sprint("p", i), v, gorgonia.NewF64(1)})
	}
	s := solver.NewFunnelAdam()
	step(t, s, model)
	var kept []gorgonia.ValueGrad
	for i := 0; i < len(model); i += 2 {
		kept = append(kept, model[i])
	}
	clear(model)
	clear(values)
	step(t, s, kept)
	runtime.GC()
	var file bytes.Buffer
	if err := solver.Write(&file, kept, s); err != nil {
		t.Error(err)
	}
	if err := solver.Write(&file, kept[1:], s); err == nil {
		t.Error("a scalar of the last model was left out, and nothing said so")
	}
	runtime.KeepAlive(kept)
}
