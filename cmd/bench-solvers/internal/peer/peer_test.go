package peer

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var peers = map[string]func() gorgonia.Solver{"Prodigy": NewProdigy, "DoG": NewDoG, "schedule-free": NewScheduleFree}

// param is a parameter outside of any graph.
type param struct{ value, gradient gorgonia.Value }

func (p *param) Value() gorgonia.Value         { return p.value }
func (p *param) Grad() (gorgonia.Value, error) { return p.gradient, nil }

func of[T float32 | float64](x ...T) *tensor.Dense {
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(x))
}

// TestThePapersEquations compares with what a program that shares nothing with
// this one (Python, NumPy) makes of the papers' equations. The parameters are split in two, since
// norms and inner products are over all of them.
func TestThePapersEquations(t *testing.T) {
	gradients := [][3]float64{{0.1, -0.5, 0.2}, {-1.0, -1.5, 0.3}, {0.4, -0.2, -0.1}}
	start := [3]float64{0.5, -1.0, 2.0}
	for _, c := range []struct {
		name string
		unit float64 // of the changes below
		want [3][3]float64
	}{
		{"Prodigy", 1e-6, [3][3]float64{
			{-3.1622676601728017, 3.1622756602178725, -3.1622726601732154},
			{-0.29886305719095674, 7.062469894791867, -7.372795282512001},
			{0.9266285847520095, 10.94366096532351, -10.180409774962484},
		}},
		{"DoG", 1e-6, [3][3]float64{
			{-0.600904189074214, 3.004520945482092, -1.201808378148428},
			{1.1241993804755879, 5.592176299806795, -1.719339449035573},
			{-0.09029983116803919, 6.199425905628608, -1.4157146461801773},
		}},
		{"schedule-free", 1, [3][3]float64{
			{0.4975000079056692 - 0.5, -0.9975000015811378 + 1, 1.9975000039528408 - 2},
			{0.49996164317107983 - 0.5, -0.9951529357973329 + 1, 1.9954412786561133 - 2},
			{0.4996088037968186 - 0.5, -0.9943511244895002 + 1, 1.9956364556402368 - 2},
		}},
	} {
		a, b := &param{value: of(start[0], start[1])}, &param{value: of(start[2])}
		s := peers[c.name]()
		for step, g := range gradients {
			a.gradient, b.gradient = of(g[0], g[1]), of(g[2])
			if err := s.Step([]gorgonia.ValueGrad{a, b}); err != nil {
				t.Fatal(err)
			}
			theta := append(append([]float64{}, a.value.Data().([]float64)...), b.value.Data().([]float64)...)
			for j, want := range c.want[step] {
				if is := (theta[j] - start[j]) / c.unit; math.Abs(is-want) > 1e-8*math.Abs(want)+1e-14/c.unit {
					t.Errorf("%s: step %d, number %d changed by %v, want %v", c.name, step+1, j, is, want)
				}
			}
		}
	}
}

// TestTheDistanceOfProdigyGrows has a solution that is far away.
func TestTheDistanceOfProdigyGrows(t *testing.T) {
	p := &prodigy{d: 1e-6}
	theta := [][]float64{{0}}
	for range 500 {
		p.step(theta, [][]float64{{theta[0][0] - 5}})
	}
	if p.d < 0.5 || p.d > 5 {
		t.Errorf("an estimate of %v for a distance of 5", p.d)
	}
}

func TestEveryPeerFindsTheLeastOfAQuadratic(t *testing.T) {
	for name, make := range peers {
		x := &param{value: of[float32](3, -2)}
		s := make()
		for range 5000 {
			v := x.value.Data().([]float32)
			x.gradient = of(v[0], 4*v[1])
			if err := s.Step([]gorgonia.ValueGrad{x}); err != nil {
				t.Fatal(err)
			}
			if g := x.gradient.Data().([]float32); g[0] != 0 || g[1] != 0 {
				t.Fatalf("%s: a gradient of %v after the step", name, g)
			}
		}
		if v := x.value.Data().([]float32); math.Hypot(float64(v[0]), float64(v[1])) > 0.05 {
			t.Errorf("%s: at %v after 5000 steps", name, v)
		}
	}
}

func TestAModelThatCannotBeSteppedIsRefusedAndStays(t *testing.T) {
	good := func() *param { return &param{of[float32](1, 2), of[float32](1, 1)} }
	rows := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{1, 2, 3, 4}))
	column, err := rows.Slice(nil, tensor.S(1))
	if err != nil {
		t.Fatal(err)
	}
	for want, model := range map[string][]gorgonia.ValueGrad{
		"not a dense tensor":       {good(), &param{gorgonia.NewF32(1), gorgonia.NewF32(1)}},
		"neither float32 nor":      {good(), &param{tensor.New(tensor.WithBacking([]int{1, 2})), of[float32](1, 1)}},
		"not contiguous":           {good(), &param{column, of[float32](1, 1)}},
		"its gradient 3":           {good(), &param{of[float32](1, 2), of[float32](1, 1, 1)}},
		"at the first step it had": {good()},
	} {
		for name, make := range peers {
			s := make()
			if len(model) == 1 {
				if err := s.Step([]gorgonia.ValueGrad{good(), good()}); err != nil {
					t.Fatal(err)
				}
			}
			err := s.Step(model)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", name, err, want)
			}
			if v := model[0].Value().Data().([]float32); v[0] != 1 || v[1] != 2 {
				t.Errorf("%s: changed to %v", name, v)
			}
			if sound := []gorgonia.ValueGrad{good(), good()}; s.Step(sound) != nil || sound[0].Value().Data().([]float32)[0] == 1 {
				t.Errorf("%s: no step after it", name)
			}
		}
	}
}
