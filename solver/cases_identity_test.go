package solver_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/solver"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// What a parameter is, what it is called, and what a step that moves nothing teaches.

// adaptive is what Funnel, FunnelAdam and Augmented have in common.
type adaptive interface {
	G.Solver
	Apply(...G.SolverOpt) error
	Adaptations() []solver.Adaptation
}

var adaptives = []struct {
	name string
	make func() adaptive
}{
	{"Funnel", func() adaptive { return solver.NewFunnel() }},
	{"Funnel without an initial step", func() adaptive { return solver.NewFunnel(solver.WithInitialStep(0)) }},
	{"FunnelAdam", func() adaptive { return solver.NewFunnelAdam() }},
	{"gradient descent, augmented", func() adaptive { return newAugmented().(adaptive) }}, // whose Apply is inner's, too
}

// graphOver is a network over the two weights, in a graph of its own.
func graphOver(t *testing.T, w0, w1 *tensor.Dense) (feed func(x, y []float64), run func(), params G.Nodes) {
	t.Helper()
	const rows = 4
	g := G.NewGraph()
	x := G.NewMatrix(g, tensor.Float64, G.WithName("x"), G.WithShape(rows, w0.Shape()[0]))
	y := G.NewMatrix(g, tensor.Float64, G.WithName("y"), G.WithShape(rows, 1))
	params = G.Nodes{input(g, "w0", w0), input(g, "w1", w1)}
	out := G.Must(G.Mul(G.Must(G.Tanh(G.Must(G.Mul(x, params[0])))), params[1]))
	if _, err := G.Grad(meanSquare(out, y), params...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(params...))
	feed = func(xs, ys []float64) { let(t, x, xs); let(t, y, ys) }
	return feed, func() {
		defer vm.Reset()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
	}, params
}

func TestAGraphBuiltAnewOverTheSameWeightsGoesOnToTheBit(t *testing.T) {
	for _, c := range adaptives {
		t.Run(c.name, func(t *testing.T) {
			var values [2][]float64
			for k, anew := range []bool{false, true} {
				rng, s := rand.New(rand.NewPCG(30, 1)), c.make()
				w0, w1 := weights(rng, tensor.Float64, 3, 5), weights(rng, tensor.Float64, 5, 1)
				feed, run, params := graphOver(t, w0, w1)
				for range 50 {
					if anew {
						feed, run, params = graphOver(t, w0, w1)
					}
					feed(random(rng, 12), random(rng, 4))
					run()
					step(t, s, G.NodesToValueGrads(params))
				}
				values[k] = append(floats(w0), floats(w1)...)
				as := s.Adaptations()
				if len(as) != 2 || as[0].Name != "w0" || as[1].Name != "w1" || as[0].Steps != 50 || as[1].Steps != 50 {
					t.Errorf("built anew: %v: %d parameters are known; want w0 and w1 after 50 steps", anew, len(as))
				}
			}
			if !sameBits(values[0], values[1]) {
				t.Errorf("weights are %v after graphs built anew, %v after one", values[1][:3], values[0][:3])
			}
		})
	}
}

func TestAParameterHasTheNameOfTheNodeThatItIsInNow(t *testing.T) {
	for _, c := range adaptives {
		s, v := c.make(), dense([]float64{1, 2}, 2)
		for _, name := range []string{"before", "now"} {
			step(t, s, model(&param{name, v, dense([]float64{1, -1}, 2)}))
		}
		if as := s.Adaptations(); len(as) != 1 || as[0].Name != "now" || as[0].Steps != 2 {
			t.Errorf("%s: %d parameters are known, the first as %q after %d steps", c.name, len(as), as[0].Name, as[0].Steps)
		}
	}
}

func TestScalarsAndViewsAreKnownByTheirMemory(t *testing.T) {
	f32, f64 := G.NewF32(1), G.NewF64(2)
	rows := func(d *tensor.Dense) G.Value {
		v, err := d.Slice(G.S(1, 3))
		if err != nil {
			t.Fatal(err)
		}
		return v.(*tensor.Dense)
	}
	whole := dense([]float64{1, 2, 3, 4, 5, 6}, 3, 2)
	for _, c := range adaptives {
		s := c.make()
		for range 3 { // three graphs' nodes, and the view made anew for each
			step(t, s, model(
				&param{"f32", f32, G.NewF32(1)},
				&param{"f64", f64, G.NewF64(1)},
				&param{"view", rows(whole), dense([]float64{1, 2, 3, 4}, 2, 2)},
			))
		}
		for _, a := range s.Adaptations() {
			if a.Steps != 3 {
				t.Errorf("%s: %q has made %d steps, want 3", c.name, a.Name, a.Steps)
			}
		}
		if n := len(s.Adaptations()); n != 3 {
			t.Errorf("%s: %d parameters are known, want 3", c.name, n)
		}
	}
}

func TestWhatTheLastStepLearnedIsThereWhenTheWeightsAreNoLongerInUse(t *testing.T) {
	for _, c := range adaptives {
		s := c.make()
		step(t, s, model(vector("earlier", []float64{1, 2}, []float64{1, 1})))
		step(t, s, model(vector("w", []float64{1, 2}, []float64{1, 1}), vector("b", []float64{1}, []float64{1})))
		for range 3 {
			runtime.GC()
		}
		as := s.Adaptations()
		if len(as) != 2 || as[0].Name != "w" || as[1].Name != "b" {
			t.Errorf("%s: %v are known, want w and b", c.name, as)
		}
	}
}

func TestMemoryThatIsGoneTakesItsStateWithIt(t *testing.T) {
	for _, c := range adaptives {
		s, stays := c.make(), vector("stays", []float64{1, 2}, []float64{1, 1})
		for range 20 {
			set(stays.gradient, []float64{1, 1})
			step(t, s, model(stays, vector("goes", make([]float64, 1000), rising(1000))))
		}
		known := 0
		for range 200 { // what clears up runs beside the program
			runtime.GC()
			set(stays.gradient, []float64{1, 1})
			step(t, s, model(stays))
			if known = len(s.Adaptations()); known == 1 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if known != 1 {
			t.Errorf("%s: %d parameters are known, of which one is left", c.name, known)
		}
		runtime.KeepAlive(stays)
	}
}

// Gorgonia's pool hands out the node of a graph that was dropped for a parameter
// of the next, of another shape or with other numbers.
func TestANodeFromThePoolWithOtherMemoryIsANewParameter(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, c := range adaptives {
		s := c.make()
		for i := range 6 {
			g := G.NewGraph()
			rows := 2 + i/2%2 // the shape changes now and then
			w := G.NewMatrix(g, G.Float64, G.WithShape(rows, 3), G.WithName(fmt.Sprint("w", i)), G.WithInit(G.Ones()))
			if _, err := G.Grad(G.Must(G.Sum(G.Must(G.Square(w)))), w); err != nil {
				t.Fatal(err)
			}
			vm := G.NewTapeMachine(g, G.BindDualValues(w))
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			if err := s.Step([]G.ValueGrad{w}); err != nil {
				t.Errorf("%s: graph %d: %v", c.name, i, err)
			}
			as := s.Adaptations()
			known := slices.IndexFunc(as, func(a solver.Adaptation) bool { return a.Name == w.Name() })
			if known < 0 || as[known].Steps != 1 || as[known].Gain != nil && len(as[known].Gain) != 3*rows {
				t.Errorf("%s: graph %d: w%d is not known as a parameter that has made one step", c.name, i, i)
			}
			vm.Close()
			G.ReturnNode(w)
		}
	}
}

func TestANodeListedTwiceStepsOnce(t *testing.T) {
	for _, member := range family {
		var values [2][]float64
		for k, times := range []int{1, 2} {
			s, rng := member.make(), rand.New(rand.NewPCG(31, 1))
			a, b := vector("bias", []float64{1, 2, 3}, make([]float64, 3)), vector("w", []float64{4, 5}, make([]float64, 2))
			for range 10 {
				set(a.gradient, random(rng, 3))
				set(b.gradient, random(rng, 2))
				m := model(a, b)
				if times == 2 {
					m = model(a, b, a)
				}
				if err := s.Step(m); err != nil {
					t.Fatalf("%s: %v", member.name, err)
				}
				if g := floats(a.gradient); g[0] != 0 || g[1] != 0 || g[2] != 0 {
					t.Errorf("%s: the gradient is %v after the step", member.name, g)
				}
			}
			values[k] = append(floats(a.value), floats(b.value)...)
		}
		if !sameBits(values[0], values[1]) {
			t.Errorf("%s: listed twice: %v, once: %v", member.name, values[1], values[0])
		}
	}
}

// rising is 1, 2, 3 and so on.
func rising(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i + 1)
	}
	return x
}

// towards is the gradient of half the squared distance to 1, and that distance.
func towards(v []float64) (gradient []float64, distance float64) {
	for _, x := range v {
		gradient = append(gradient, x-1)
		distance += (x - 1) * (x - 1)
	}
	return gradient, distance
}

func TestALearningRateOf0TeachesNothing(t *testing.T) {
	for _, c := range adaptives {
		for _, zeros := range []int{1, 10, 30, 100, 1000} {
			s, p := c.make(), vector("w", []float64{5, -3, 2, 8}, make([]float64, 4))
			_, first := towards(floats(p.value))
			worst, scale := 0.0, 0.0
			for i := range zeros + 600 {
				rate := 0.001
				if i < zeros {
					rate = 0
				}
				if err := s.Apply(G.WithLearnRate(rate)); err != nil {
					t.Fatal(err)
				}
				g, d := towards(floats(p.value))
				worst = max(worst, d)
				set(p.gradient, g)
				step(t, s, model(p))
				now := s.Adaptations()[0].Scale
				if i > 0 && i < zeros && now != scale {
					t.Fatalf("%s: the scale went from %v to %v in step %d, whose learning rate is 0", c.name, scale, now, i+1)
				}
				scale = now
			}
			if _, last := towards(floats(p.value)); worst > 1.01*first || !(last < first) {
				t.Errorf("%s, after %d steps with a learning rate of 0: squared distance %.3g at first, %.3g at worst, %.3g at last", c.name, zeros, first, worst, last)
			}
		}
	}
}

func TestAPauseLeavesTheScaleAsItIs(t *testing.T) {
	for _, c := range adaptives {
		s, p := c.make(), vector("w", []float64{5, -3, 2, 8}, make([]float64, 4))
		run := func(steps int, rate float64) float64 {
			if err := s.Apply(G.WithLearnRate(rate)); err != nil {
				t.Fatal(err)
			}
			for range steps {
				g, _ := towards(floats(p.value))
				set(p.gradient, g)
				step(t, s, model(p))
			}
			return s.Adaptations()[0].Scale
		}
		run(20, 0.001)
		atRest := run(2, 0)
		if after := run(200, 0); after != atRest {
			t.Errorf("%s: the scale went from %v to %v in a pause", c.name, atRest, after)
		}
		_, before := towards(floats(p.value))
		run(400, 0.001)
		if _, after := towards(floats(p.value)); !(after < before) {
			t.Errorf("%s: the squared distance is %.3g, and was %.3g in the pause", c.name, after, before)
		}
	}
}

func TestAWarmUpFromAHundredthOfTheRateEndsNoWorseThanNone(t *testing.T) {
	long(t)
	t.Parallel()
	for _, c := range adaptives {
		var losses [2]float64 // means of six seeds
		for seed := range uint64(6) {
			for k, warm := range []int{0, 100} {
				losses[k] += lossAfterWarmUp(t, c.make(), seed+1, warm) / 6
			}
		}
		t.Logf("%s: %.3g without, %.3g with", c.name, losses[0], losses[1])
		if !(losses[1] <= 1.05*losses[0]) {
			t.Errorf("%s: it ends with a loss of %.3g without a warm-up and of %.3g with one", c.name, losses[0], losses[1])
		}
	}
}

// lossAfterWarmUp is the mean loss of the last 100 of 1000 steps, of which the first
// warm raise the learning rate from a hundredth of it.
func lossAfterWarmUp(t *testing.T, s solver.Adaptive, seed uint64, warm int) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(32, seed))
	g, cost, params, feed := surfaceNetwork(t, rng, tensor.Float64, 32, 16)
	train := onTape(t, g, cost, params, feed)
	mean := 0.0
	for i := range 1000 {
		rate := 0.001
		if i < warm {
			rate *= 0.01 + 0.99*float64(i)/float64(warm)
		}
		if err := s.Apply(G.WithLearnRate(rate)); err != nil {
			t.Fatal(err)
		}
		loss, err := train(s)
		if err != nil {
			t.Fatal(err)
		}
		if i >= 900 {
			mean += loss / 100
		}
	}
	return mean
}

func TestAParameterWhoseGradientIs0StaysAsItIs(t *testing.T) {
	for _, c := range adaptives {
		s, frozen, learns := c.make(), vector("frozen", []float64{1, 2, 3}, make([]float64, 3)), vector("learns", []float64{5, -3}, make([]float64, 2))
		_, first := towards(floats(learns.value))
		for range 500 {
			g, _ := towards(floats(learns.value))
			set(learns.gradient, g)
			step(t, s, model(frozen, learns))
		}
		if v := floats(frozen.value); !sameBits(v, []float64{1, 2, 3}) {
			t.Errorf("%s: the parameter is %v", c.name, v)
		}
		if _, last := towards(floats(learns.value)); !(last < first) {
			t.Errorf("%s: the parameter beside it is at a squared distance of %v, and was at %v", c.name, last, first)
		}
	}
}

func TestAParameterWithoutANameIsCalledByItsNumber(t *testing.T) {
	g := G.NewGraph()
	named := G.NewVector(g, G.Float64, G.WithName("named"), G.WithShape(3), G.WithInit(G.Ones()))
	unnamed := G.NewVector(g, G.Float64, G.WithShape(3), G.WithInit(G.Ones()))
	if _, err := G.Grad(G.Must(G.Sum(named)), named); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(named))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	m := []G.ValueGrad{named, unnamed}
	for _, c := range adaptives {
		err := c.make().Step(m) // unnamed has no gradient
		if err == nil || !strings.Contains(err.Error(), "number 2 of the model") || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var file bytes.Buffer
	err := solver.Write(&file, m, nil)
	if err == nil || !strings.Contains(err.Error(), "number 2 of the model") || !strings.Contains(err.Error(), "WithName") || strings.Contains(err.Error(), "%!") {
		t.Errorf("Write: %v", err)
	}
	if file.Len() > 0 {
		t.Errorf("Write wrote %d bytes", file.Len())
	}
}

func TestOptionsOfASolverThatExistsGoThroughApply(t *testing.T) {
	for _, c := range adaptives {
		s, p := c.make(), vector("w", []float64{1, 2}, []float64{1, -1})
		if err := s.Apply(G.WithLearnRate(0)); err != nil {
			t.Fatal(err)
		}
		step(t, s, model(p))
		if v := floats(p.value); !sameBits(v, []float64{1, 2}) {
			t.Errorf("%s: with a learning rate of 0 the value went to %v", c.name, v)
		}
	}
}

// Gorgonia's AdamW writes its values nowhere.
func TestASolverInsideThatChangesNothingIsAnError(t *testing.T) {
	s, p := solver.Augment(G.NewAdamW()), vector("w", []float64{1, 2}, nil)
	var err error
	for range 10 {
		p.gradient = dense([]float64{1, -1}, 2)
		if err = s.Step(model(p)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "AdamW") {
		t.Errorf("after ten steps the value is %v and the error %v", floats(p.value), err)
	}
	// One whose learning rate is 0 is no error.
	s = solver.Augment(G.NewAdamSolver(G.WithLearnRate(0)))
	for range 10 {
		set(p.gradient, []float64{1, -1})
		step(t, s, model(p))
	}
	if v := floats(p.value); v[0] != 1 {
		t.Errorf("with a learning rate of 0 the value went to %v", v)
	}
}

// writable are those that can be saved; what Gorgonia's Adam keeps cannot be read.
func writable() []struct {
	name string
	make func() adaptive
} {
	w := slices.Clone(adaptives)
	w[len(w)-1].name, w[len(w)-1].make = "Funnel, augmented", func() adaptive { return solver.Augment(solver.NewFunnel()) }
	return w
}

// A program that copies its weights into new tensors for every graph has new
// parameters each time. Write and Read take along what was learned.
func TestWeightsThatAreCopiedForEveryGraphGoOnThroughWriteAndRead(t *testing.T) {
	for _, c := range writable() {
		var values [2][]float64
		for k, copies := range []bool{false, true} {
			rng, s := rand.New(rand.NewPCG(33, 1)), c.make()
			w0, w1 := weights(rng, tensor.Float64, 3, 5), weights(rng, tensor.Float64, 5, 1)
			feed, run, params := graphOver(t, w0, w1)
			for range 20 {
				if copies {
					var file bytes.Buffer
					if err := solver.Write(&file, G.NodesToValueGrads(params), s); err != nil {
						t.Fatal(err)
					}
					w0, w1, s = w0.Clone().(*tensor.Dense), w1.Clone().(*tensor.Dense), c.make()
					feed, run, params = graphOver(t, w0, w1)
					if err := solver.Read(&file, G.NodesToValueGrads(params), s); err != nil {
						t.Fatal(err)
					}
				}
				feed(random(rng, 12), random(rng, 4))
				run()
				step(t, s, G.NodesToValueGrads(params))
			}
			values[k] = append(floats(w0), floats(w1)...)
		}
		if !sameBits(values[0], values[1]) {
			t.Errorf("%s: weights are %v, and %v with one graph", c.name, values[1][:3], values[0][:3])
		}
	}
}

func TestWhatIsGoneIsNotMissingFromAFileAndWhatLivesIs(t *testing.T) {
	for _, c := range writable() {
		s, stays, other := c.make(), vector("stays", []float64{1, 2}, []float64{1, 1}), vector("other", []float64{3, 4}, []float64{1, 1})
		step(t, s, model(stays, vector("goes", make([]float64, 1000), rising(1000))))
		var err error
		for range 200 { // what clears up runs beside the program
			runtime.GC()
			if err = solver.Write(new(bytes.Buffer), model(stays), s); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("%s: with a parameter that is gone: %v", c.name, err)
		}
		step(t, s, model(other))
		if err := solver.Write(new(bytes.Buffer), model(stays), s); err == nil || !strings.Contains(err.Error(), `"other"`) {
			t.Errorf("%s: with a parameter that is not in the model: %v", c.name, err)
		}
		runtime.KeepAlive(other)
	}
}
