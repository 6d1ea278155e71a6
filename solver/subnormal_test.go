package solver_test

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// fading are solvers whose every memory of a gradient is gone after 1,100
// steps of float32, or 7,000 of float64.
var fading = map[string]func() adaptive{
	"Funnel": func() adaptive { return solver.NewFunnel() },
	"Funnel, raw": func() adaptive {
		return solver.NewFunnel(solver.WithRawSignals(), solver.WithScaleScope(solver.Global))
	},
	"FunnelAdam":    func() adaptive { return solver.NewFunnelAdam(gorgonia.WithBeta2(0.9)) },
	"several cores": func() adaptive { return solver.InParallel(solver.NewFunnel()) },
}

const (
	fadingSteps32 = 1100
	fadingSteps64 = 7000
)

func zerosOf(dtype tensor.Dtype, n int) *param {
	return &param{"w", tensor.New(tensor.Of(dtype), tensor.WithShape(n)), tensor.New(tensor.Of(dtype), tensor.WithShape(n))}
}

// Arithmetic with numbers below the smallest normal one is slow.
func TestWhatIsRememberedOfAnOldGradientIs0InTheEnd(t *testing.T) {
	for name, newSolver := range fading {
		for _, c := range []struct {
			dtype    tensor.Dtype
			n, steps int
		}{{tensor.Float32, 11, fadingSteps32}, {tensor.Float32, 3<<14 + 5, fadingSteps32}, {tensor.Float64, 11, fadingSteps64}} {
			t.Run(fmt.Sprintf("%s/%v/%d", name, c.dtype, c.n), func(t *testing.T) {
				s, p := newSolver(), zerosOf(c.dtype, c.n)
				set(p.value, rising(c.n))
				set(p.gradient, rising(c.n))
				for range c.steps {
					step(t, s, model(p))
					set(p.gradient, []float64{0.5}) // none but for the first element
				}
				for k, x := range solver.State(s)[0] {
					if x[0] == 0 {
						t.Errorf("list %d of the state is 0 where there is a gradient", k)
					}
					for i, v := range x[1:] {
						if v != 0 {
							t.Fatalf("list %d of the state has %v at %d", k, v, i+1)
						}
					}
				}
			})
		}
	}
}

// subnormal says whether a solver's state of the first parameter, of float32, has
// numbers that are.
func subnormal(s gorgonia.Solver) bool {
	for _, x := range solver.State(s)[0] {
		for _, v := range x {
			if v != 0 && math.Abs(v) < 0x1p-126 {
				return true
			}
		}
	}
	return false
}

func TestASolverOutOfAFileForgetsOldGradientsAsOneThatWasNotSaved(t *testing.T) {
	for name, newSolver := range fading {
		t.Run(name, func(t *testing.T) {
			straight, p := newSolver(), zerosOf(tensor.Float32, 11)
			set(p.gradient, rising(11))
			for range fadingSteps32 - 300 {
				step(t, straight, model(p))
			}
			var file bytes.Buffer
			must(solver.Write(&file, model(p), straight))
			resumed, q := newSolver(), zerosOf(tensor.Float32, 11)
			must(solver.Read(&file, model(q), resumed))
			for i := range 300 {
				step(t, straight, model(p))
				step(t, resumed, model(q))
				for k, x := range solver.State(straight)[0] {
					if !sameBits(x, solver.State(resumed)[0][k]) {
						t.Fatalf("list %d of the state has other bits %d steps later", k, i+1)
					}
				}
			}
			if subnormal(resumed) {
				t.Error("the state has subnormal numbers")
			}
		})
	}
}

// The version that wrote the files of the first format did not set anything to 0, and
// what it wrote goes on to the same bits.
func TestACheckpointOfTheFirstFormatRemembersAsItsVersionDid(t *testing.T) {
	for _, name := range []string{"funnel", "funneladam"} {
		s, ps := v1[name](), v1Model()
		must(solver.Load(filepath.Join(checkpoints, "v1", name+".safetensors"), model(ps...), s))
		for range fadingSteps32 {
			step(t, s, model(ps[0]))
		}
		if !subnormal(s) {
			t.Errorf("%s: nothing of the state is subnormal", name)
		}
	}
}
