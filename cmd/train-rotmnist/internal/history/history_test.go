package history

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// seriesOf has each of these values.
func seriesOf(limit int, values ...float64) *Series {
	s := new(Series)
	for _, x := range values {
		s.add(x, limit)
	}
	return s
}

func TestASeriesThatIsShortIsWhatItWasGiven(t *testing.T) {
	s := seriesOf(4, 3, 1, 2, 5)
	if s.Width != 1 || !slices.Equal(s.Mean, Numbers{3, 1, 2, 5}) || s.Min != nil {
		t.Errorf("%+v", s)
	}
}

func TestALongSeriesKeepsItsDips(t *testing.T) {
	const n, limit = 100_000, 1000
	s := new(Series)
	for i := range n {
		x := 0.9
		if i == 77_777 {
			x = 0.1
		}
		s.add(x, limit)
	}
	at := 77_777 / s.Width
	if len(s.Mean) > limit || len(s.Min) != len(s.Mean) || len(s.Max) != len(s.Mean) {
		t.Fatalf("%d points, %d, %d", len(s.Mean), len(s.Min), len(s.Max))
	}
	if s.Min[at] != 0.1 || s.Max[at] != 0.9 || math.Abs(s.Mean[at]-(0.9-0.8/float64(s.Width))) > 1e-12 {
		t.Errorf("%v %v %v", s.Min[at], s.Mean[at], s.Max[at])
	}
	if slices.Min(s.Min[:at]) != 0.9 || slices.Min(s.Min[at+1:]) != 0.9 {
		t.Error("the dip is in other points, too")
	}
}

func TestTheLastPointIsOfTheValuesThatThereAre(t *testing.T) {
	s := seriesOf(2, 1, 2, 3, 4, 10, 20, 60)
	if s.Width != 4 || !slices.Equal(s.Mean, Numbers{2.5, 30}) || !slices.Equal(s.Min, Numbers{1, 10}) || !slices.Equal(s.Max, Numbers{4, 60}) {
		t.Errorf("%+v", s)
	}
}

func TestAValueThatIsNotFiniteIsMissing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	s := seriesOf(2, nan, 2, inf, inf, 4, nan)
	if !slices.Equal(s.Mean[:1], Numbers{2}) || !slices.Equal(s.Max, Numbers{2, 4}) || s.Mean[1] != 4 {
		t.Errorf("%+v", s)
	}
	if s := seriesOf(2, inf, -inf); !math.IsNaN(s.Mean[0]) || !math.IsNaN(s.Mean[1]) {
		t.Errorf("%+v", s)
	}
}

// again is a history that was written and read.
func again(t *testing.T, h *History) *History {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	read := new(History)
	if err := json.Unmarshal(b, read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestAHistoryThatIsReadBackGoesOnAsIfNothingHadBeen(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	whole, parts := new(History), new(History)
	for i := range 3 * stepPoints {
		if rng.IntN(500) == 0 {
			parts = again(t, parts)
		}
		x := rng.ExpFloat64()
		if rng.IntN(20) == 0 {
			x = math.Inf(1)
		}
		as := []solver.Adaptation{{Name: "w1", Shape: []int{2, 2}, Scale: x, Gain: []float64{x, 1, 0, 2}}, {Name: "b", Scale: 1}}
		for _, h := range []*History{whole, parts} {
			h.Add([]*experiment.Step{{Solver: "adam", Number: i, Loss: x, Accuracy: 1 / (1 + x)}})
			h.solver("adam").look(as)
		}
	}
	a, _ := json.Marshal(whole)
	b, _ := json.Marshal(parts)
	if string(a) != string(b) {
		t.Error("it differs")
	}
}

func TestACopyIsNotChangedByLaterSteps(t *testing.T) {
	h := new(History)
	add := func(i int) {
		h.Add([]*experiment.Step{{Solver: "funnel", Number: i, Accuracy: float64(i), Loss: 1}})
		h.Solvers[0].look([]solver.Adaptation{{Name: "w1", Scale: float64(i), Gain: []float64{float64(i)}}})
	}
	for i := range 3000 { // so that the last point has room
		add(i)
	}
	c := h.Clone()
	want, _ := json.Marshal(h)
	for i := range 3000 {
		add(i)
	}
	if got, _ := json.Marshal(c); string(got) != string(want) {
		t.Error("it changed")
	}
}

// run trains two solvers for some steps.
func run(t testing.TB, steps int, observe func([]*experiment.Step) error) {
	t.Helper()
	digits := mnist.Synthetic(64, 1)
	schedule, err := mnist.Jumps([]float64{0, 90}, steps/2)
	if err != nil {
		t.Fatal(err)
	}
	c := experiment.New(&experiment.Setup{Train: digits, Test: digits, Schedule: schedule, Batch: 8, NewNetwork: experiment.MLP([]int{5}), Seed: 1})
	defer c.Close()
	for name, s := range map[string]gorgonia.Solver{"funnel": solver.NewFunnel(), "adam": gorgonia.NewAdamSolver()} {
		if _, err := c.Add(name, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Train(context.Background(), observe); err != nil {
		t.Fatal(err)
	}
}

func TestARunIsInItsHistory(t *testing.T) {
	h := new(History)
	var accuracies, losses, scales Numbers
	run(t, 40, func(steps []*experiment.Step) error {
		h.Add(steps)
		for _, s := range steps {
			if s.Solver == "funnel" {
				accuracies, losses = append(accuracies, s.Accuracy), append(losses, s.Loss)
				if s.Number%Every == 0 {
					scales = append(scales, s.Adaptations()[0].Scale)
				}
			}
		}
		return nil
	})
	funnel, adam := h.solver("funnel"), h.solver("adam")
	if !slices.Equal(funnel.Accuracy.Mean, accuracies) || !slices.Equal(funnel.Loss.Mean, losses) {
		t.Error("accuracy or loss is not the run's")
	}
	w1 := funnel.Parameters[0]
	if len(funnel.Parameters) != 4 || w1.Name != "w1" || !slices.Equal(w1.Shape, []int{mnist.Pixels, 5}) || !slices.Equal(w1.Scale.Mean, scales) {
		t.Errorf("%d parameters; the first: %+v", len(funnel.Parameters), w1)
	}
	low, median, high := w1.Gains[0].Mean, w1.Gains[2].Mean, w1.Gains[4].Mean
	if len(median) != 4 || median[0] != 1 || !(low[3] < median[3] && median[3] < high[3]) {
		t.Errorf("quantiles %v, %v, %v", low, median, high)
	}
	sum := 0
	_, counts := w1.Now.Bins()
	for _, n := range counts {
		sum += n
	}
	if sum != mnist.Pixels*5 {
		t.Errorf("the histogram has %d gains", sum)
	}
	if len(adam.Accuracy.Mean) != 40 || adam.Parameters != nil || adam.Scale.Values != 0 {
		t.Errorf("adam: %+v", adam)
	}
}

func TestABinIsAQuarterOfAnOctave(t *testing.T) {
	for x, want := range map[float64]int{1: 0, 1.18: 0, 1.19: 1, 1.5: 2, 1.99: 3, 2: 4, 0.99: -1, 0.5: -4, 0: lowest, 1e-300: lowest, 1e300: -lowest, math.Inf(1): -lowest} {
		if got := bin(x); got != want {
			t.Errorf("%v is in bin %d, want %d", x, got, want)
		}
	}
	h := Histogram{numbers: []float64{1, 1, 0.5, 3}}
	if first, counts := h.Bins(); first != -4 || !slices.Equal(counts, []int{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1}) {
		t.Errorf("%d %v", first, counts)
	}
}

// BenchmarkLook is what is done every tenth step for the default network, once
// the solver has copied its gains.
func BenchmarkLook(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var as []solver.Adaptation
	for _, n := range []int{784 * 128, 128, 128 * 64, 64, 640, 10} {
		gains := make([]float64, n)
		for i := range gains {
			gains[i] = math.Exp(rng.NormFloat64() / 3)
		}
		as = append(as, solver.Adaptation{Scale: 1, Gain: gains})
	}
	s := new(Solver)
	for b.Loop() {
		s.look(as)
	}
}

func TestAHistoryThatNoRunCanHaveIsNotSound(t *testing.T) {
	h := new(History)
	for i := range 2*stepPoints + 7 {
		h.Add([]*experiment.Step{{Solver: "funnel", Number: i, Accuracy: 0.5, Loss: 1}})
		if !h.Sound() {
			t.Fatalf("after %d steps it is not sound", i+1)
		}
	}
	for what, change := range map[string]func(*Series){
		"no width":         func(s *Series) { s.Width = 0 },
		"a width below 0":  func(s *Series) { s.Width = -1 },
		"values below 0":   func(s *Series) { s.Values = -5 },
		"too many values":  func(s *Series) { s.Values = math.MaxInt },
		"too few means":    func(s *Series) { s.Mean = s.Mean[1:] },
		"no minima":        func(s *Series) { s.Min = nil },
		"too many maxima":  func(s *Series) { s.Max = append(s.Max, 1) },
		"more than all":    func(s *Series) { s.Last = s.Width + 1 },
		"too many points":  func(s *Series) { s.Width = 1; s.Mean = make(Numbers, s.Values); s.Min, s.Max = nil, nil },
		"points of nobody": func(s *Series) { s.Values = 0 },
	} {
		c := h.Clone()
		change(&c.Solvers[0].Accuracy)
		if c.Sound() {
			t.Errorf("%s: it is sound", what)
		}
	}
	if (&History{Solvers: []*Solver{nil}}).Sound() || (&History{Solvers: []*Solver{{Parameters: []*Parameter{nil}}}}).Sound() {
		t.Error("with nothing where a solver or parameter is, it is sound")
	}
}
