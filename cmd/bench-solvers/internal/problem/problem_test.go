package problem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	G "gorgonia.org/gorgonia"
)

func open(t testing.TB, p *Problem, seed uint64) *Task {
	t.Helper()
	task, err := p.New(seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Close(); err != nil {
			t.Errorf("%s: closing: %v", p.Name, err)
		}
	})
	return task
}

func forward(t testing.TB, task *Task, step int) float64 {
	t.Helper()
	loss, err := task.Forward(step)
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

// weights are all numbers of the model.
func weights(task *Task) []float32 {
	var all []float32
	for _, p := range task.Model() {
		all = append(all, p.Value().Data().([]float32)...)
	}
	return all
}

// short is a problem with fewer steps.
func short(p *Problem, steps int) *Problem {
	q := *p
	q.Steps = steps
	return &q
}

func TestNamesAreOfLowerCaseLettersAndDifferent(t *testing.T) {
	names := map[string]bool{}
	for _, p := range All() {
		if p.Name == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz-0123456789") != "" || names[p.Name] {
			t.Errorf("%q", p.Name)
		}
		names[p.Name] = true
		if p.About == "" || p.Score == "" || p.Floor <= 0 || p.Steps < 10 || p.Seconds <= 0 {
			t.Errorf("%s: %+v", p.Name, p)
		}
	}
	if len(names) < 15 {
		t.Errorf("%d problems", len(names))
	}
}

// TestGradientsAreThoseOfTheLoss moves along the gradient, which must change the
// loss by its length. (Gorgonia merges nodes that it takes for equal, and not all are.)
func TestGradientsAreThoseOfTheLoss(t *testing.T) {
	for _, p := range All() {
		task := open(t, p, 1)
		forward(t, task, 0)
		var gradients [][]float32
		norm := 0.0
		for _, vg := range task.Model() {
			g, err := vg.Grad()
			if err != nil {
				t.Fatal(err)
			}
			gradients = append(gradients, slices.Clone(g.Data().([]float32)))
			for _, x := range g.Data().([]float32) {
				norm += float64(x) * float64(x)
			}
		}
		norm = math.Sqrt(norm)
		at := func(distance float64) float64 {
			for i, vg := range task.Model() {
				v := vg.Value().Data().([]float32)
				before := slices.Clone(v)
				defer copy(v, before)
				for j := range v {
					v[j] += float32(distance * float64(gradients[i][j]) / norm)
				}
			}
			loss, err := task.again()
			if err != nil {
				t.Fatal(err)
			}
			return loss
		}
		const h = 3e-3
		if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-norm) > 0.02*norm {
			t.Errorf("%s: along a gradient of length %v the loss changes by %v", p.Name, norm, slope)
		}
	}
}

// TestEveryProblemIsLearned has few steps of Adam at a learning rate that suits each.
func TestEveryProblemIsLearned(t *testing.T) {
	long(t)
	rates := map[string]float64{"bright-digits": 1e-3, "deep-digits": 3e-3, "convolution": 3e-3, "rotating-digits": 3e-3, "poisson": 3e-2, "ill-conditioned": 0.1, "rare-positives": 0.05, "logistic-1": 3e-2}
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			task := open(t, p, 1)
			loss := forward(t, task, 0)
			first := loss
			if task.score != nil {
				first = task.score()
			}
			rate := 0.01
			if r, ok := rates[p.Name]; ok {
				rate = r
			}
			q := short(p, 200)
			result, err := q.Train(context.Background(), 1, G.NewAdamSolver(G.WithLearnRate(rate)), func() {})
			if err != nil {
				t.Fatal(err)
			}
			if result.DivergedAt != 0 || !(result.End < 0.9*first) || !(result.End >= 0) {
				t.Errorf("%+v, from %v", result, first)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameNumbers(t *testing.T) {
	long(t)
	for _, p := range All() {
		q := short(p, 12)
		var results []*Result
		for _, seed := range []uint64{3, 3, 4} {
			r, err := q.Train(context.Background(), seed, G.NewAdamSolver(), func() {})
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		if *results[0] != *results[1] || *results[0] == *results[2] {
			t.Errorf("%s: %+v", p.Name, results)
		}
	}
}

// TestSolversSeeTheSameWeightsAndBatches looks at the losses of one task, which learns, where
// they are of the weights of another, which does not.
func TestSolversSeeTheSameWeightsAndBatches(t *testing.T) {
	long(t)
	for _, p := range All() {
		if p.Name == "td" || p.Name == "policy-gradient" {
			continue // what they see follows from what they have learned
		}
		still, learning := open(t, p, 5), open(t, p, 5)
		start := weights(still)
		if !slices.Equal(start, weights(learning)) {
			t.Errorf("%s: the weights differ", p.Name)
		}
		s := G.NewAdamSolver()
		for step := range 12 {
			want := forward(t, still, step)
			restore(learning, start)
			if is := forward(t, learning, step); is != want {
				t.Errorf("%s: at step %d a loss of %v, not %v", p.Name, step, is, want)
				break
			}
			if err := s.Step(learning.Model()); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Equal(start, weights(learning)) {
			t.Errorf("%s: nothing was learned", p.Name)
		}
	}
}

func restore(task *Task, to []float32) {
	for _, p := range task.Model() {
		to = to[copy(p.Value().Data().([]float32), to):]
	}
}

// refusing fails at its third step.
type refusing struct {
	err   error
	steps int
}

func (r *refusing) Step([]G.ValueGrad) error {
	if r.steps++; r.steps == 3 {
		return r.err
	}
	return nil
}

// Steps of RMSProp have no momentum, and the next gradient opposes what is noise in each. A
// scale that followed the last step alone fell, and ended at 3.7 times the error.
func TestAScaleAroundRMSPropDoesNotFallFromNoise(t *testing.T) {
	long(t)
	td := All()[slices.IndexFunc(All(), func(p *Problem) bool { return p.Name == "td" })]
	end := func(s G.Solver) float64 {
		result, err := td.Train(context.Background(), 1, s, func() {})
		if err != nil {
			t.Fatal(err)
		}
		return result.End
	}
	if alone, augmented := end(G.NewRMSPropSolver()), end(solver.Augment(G.NewRMSPropSolver())); !(augmented <= 1.5*alone) {
		t.Errorf("error of %v alone, %v augmented", alone, augmented)
	}
}

func TestARunThatDivergesCountsAsInfinite(t *testing.T) {
	p := short(find(t, "ill-conditioned"), 50)
	for name, s := range map[string]G.Solver{
		"NaN": G.NewVanillaSolver(G.WithLearnRate(1e30)), "refused": &refusing{err: fmt.Errorf("w1: %w", solver.ErrNonFiniteStep)},
	} {
		r, err := p.Train(context.Background(), 1, s, func() {})
		if err != nil {
			t.Fatal(err)
		}
		if !math.IsInf(r.End, 1) || !math.IsInf(r.Mean, 1) || r.DivergedAt < 2 || r.DivergedAt > 4 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAnErrorOfASolverIsNoDivergence(t *testing.T) {
	p := find(t, "ill-conditioned")
	broken := errors.New("broken")
	_, err := p.Train(context.Background(), 1, &refusing{err: broken}, func() {})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "ill-conditioned: step 3") {
		t.Errorf("error %v", err)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	_, err := find(t, "logistic-1").Train(ctx, 1, G.NewAdamSolver(), func() {
		if steps++; steps == 5 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || steps != 5 {
		t.Errorf("%v after %d steps", err, steps)
	}
}

func find(t *testing.T, name string) *Problem {
	t.Helper()
	i := slices.IndexFunc(problems, func(p *Problem) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no problem %q", name)
	}
	return problems[i]
}

// TestNoWeightsAreBetterThanTheBest looks at those that Adam passes.
func TestNoWeightsAreBetterThanTheBest(t *testing.T) {
	for _, name := range []string{"epochs-logistic", "epochs-square"} {
		task := open(t, find(t, name), 2)
		s := G.NewAdamSolver(G.WithLearnRate(0.02))
		for step := range 2000 {
			if score := task.score(); step%10 == 0 && score < -1e-6 {
				t.Fatalf("%s: an excess of %v", name, score)
			}
			forward(t, task, step)
			if err := s.Step(task.Model()); err != nil {
				t.Fatal(err)
			}
		}
		if score := task.score(); score > 0.02 {
			t.Errorf("%s: an excess of %v after 2000 steps", name, score)
		}
	}
}

func TestTheValuesOfARingSolveItsEquation(t *testing.T) {
	rewards := []float64{1, -2, 0.5}
	v := ringValues(rewards, 0.9)
	for i := range v {
		if want := rewards[i] + 0.9*v[(i+1)%3]; math.Abs(v[i]-want) > 1e-12 {
			t.Errorf("state %d: %v, want %v", i, v[i], want)
		}
	}
}

func TestCountsHaveTheRateAsMeanAndVariance(t *testing.T) {
	task := open(t, find(t, "poisson"), 1)
	const n, rate = 20000, 3.0
	sum, squares := 0.0, 0.0
	for range n {
		x := float64(task.count(rate))
		sum, squares = sum+x, squares+x*x
	}
	mean := sum / n
	if variance := squares/n - mean*mean; math.Abs(mean-rate) > 0.05 || math.Abs(variance-rate) > 0.15 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
}

func TestATextHasNothingButTheAlphabet(t *testing.T) {
	task := open(t, find(t, "ill-conditioned"), 1)
	text := passage(task.rng, 5000)
	if len(text) < 5000 || strings.Trim(text, alphabet) != "" || strings.Count(text, ".") < 50 {
		t.Errorf("%d characters: %.200s", len(text), text)
	}
}

// long is for a test that the race detector need not see, because it has one goroutine or
// shorter tests have the same. make test has it without the detector.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
}
