package solver_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Problems on which the scale has to be right: steps that are unlike each other, the
// same few batches again and again, targets that move, shifts after long quiet.

// scaling is a solver whose scale can be seen.
type scaling interface {
	G.Solver
	Adaptations() []solver.Adaptation
}

// defaults are our solvers with their defaults.
var defaults = []struct {
	name string
	make func() scaling
}{
	{"Funnel", func() scaling { return solver.NewFunnel() }},
	{"FunnelAdam", func() scaling { return solver.NewFunnelAdam() }},
}

// atABound reports a scale that has come to one of its bounds.
func atABound(s scaling) error {
	for _, a := range s.Adaptations() {
		if a.Scale <= 2e-9 || a.Scale >= 0.5e9 {
			return fmt.Errorf("the scale of %q is %.2g, which is at its bound", a.Name, a.Scale)
		}
	}
	return nil
}

// The valley of (1 − x)² + 100 (y − x²)², from fifty places, with every solver of Gorgonia
// that works. Where one comes to is a matter of chance, so the geometric means count.
func TestAugmentIsNeverMuchWorseThanTheSolverInside(t *testing.T) {
	long(t)
	t.Parallel()
	valley := func(s G.Solver, x float64) (loss float64, err error) {
		p := vector("xy", []float64{x, 0.5}, make([]float64, 2))
		for range 1000 {
			v := floats(p.value)
			x, y := v[0], v[1]
			set(p.gradient, []float64{-2*(1-x) - 400*x*(y-x*x), 200 * (y - x*x)})
			if err := s.Step(model(p)); err != nil {
				return math.NaN(), err
			}
		}
		v := floats(p.value)
		return (1-v[0])*(1-v[0]) + 100*(v[1]-v[0]*v[0])*(v[1]-v[0]*v[0]), nil
	}
	mean := func(make func() G.Solver) float64 {
		sum := 0.0
		for i := range 50 {
			loss, err := valley(make(), -1.2+0.02*float64(i))
			if err != nil {
				t.Fatal(err)
			}
			sum += math.Log(math.Max(loss, 1e-10))
		}
		return math.Exp(sum / 50)
	}
	for name, inner := range map[string]func(...G.SolverOpt) G.Solver{
		"VanillaSolver": func(o ...G.SolverOpt) G.Solver { return G.NewVanillaSolver(o...) },
		"Momentum":      func(o ...G.SolverOpt) G.Solver { return G.NewMomentum(o...) },
		"RMSPropSolver": func(o ...G.SolverOpt) G.Solver { return G.NewRMSPropSolver(o...) },
		"AdamSolver":    func(o ...G.SolverOpt) G.Solver { return G.NewAdamSolver(o...) },
		"AdaGradSolver": func(o ...G.SolverOpt) G.Solver { return G.NewAdaGradSolver(o...) },
	} {
		for _, learnRate := range []float64{1e-5, 1e-3} {
			alone := mean(func() G.Solver { return inner(G.WithLearnRate(learnRate)) })
			loss := mean(func() G.Solver { return solver.Augment(inner(G.WithLearnRate(learnRate))) })
			t.Logf("%-14s at %g: %.3g alone, %.3g augmented", name, learnRate, alone, loss)
			if !(loss <= 1.5*alone) {
				t.Errorf("%s at %g: %.3g alone, %.3g augmented", name, learnRate, alone, loss)
			}
		}
	}
}

// Two values have to move by 3, and all gradients have noise of 1. The first steps are of 1% and
// 3% of the values, and the last ones have to be some ten thousand times as short.
func TestValuesThatAreLargeBesideWhatTheyHaveToMoveAreFound(t *testing.T) {
	long(t)
	t.Parallel()
	distance := func(s G.Solver, value float64, seed uint64) float64 {
		rng, target, sum := rand.New(rand.NewPCG(seed, 11)), value+3, 0.0
		w := vector("w", []float64{value, value}, []float64{0, 0})
		m := model(w)
		for i := range 5000 {
			g := make([]float64, 2)
			for k, x := range floats(w.value) {
				g[k] = x - target + rng.NormFloat64()
				if i >= 4500 {
					sum += (x - target) * (x - target) / 1000
				}
			}
			set(w.gradient, g)
			step(t, s, m)
		}
		return sum
	}
	for value, most := range map[float64]float64{1000: 5, 10_000: 40} {
		mean := func(make func() G.Solver) (sum float64) {
			for seed := range uint64(5) {
				sum += distance(make(), value, seed) / 5
			}
			return sum
		}
		adam := mean(func() G.Solver { return G.NewAdamSolver(G.WithLearnRate(0.01)) })
		for _, c := range defaults {
			ratio := mean(func() G.Solver { return c.make() }) / adam
			t.Logf("%s, from %v: %.2g times the squared distance of Adam at 0.01", c.name, value, ratio)
			if !(ratio <= most) {
				t.Errorf("%s, from %v: %.2g times the squared distance of Adam at 0.01", c.name, value, ratio)
			}
		}
	}
}

// One weight and a bias, whose truth is (1, 0), from one example a step. The few
// large gradients must count for as much as the many small ones. Adam at 0.01 ends
// within 0.16 of the truth.
func TestLogisticRegressionFromOneExampleAStepEndsAtTheTruth(t *testing.T) {
	long(t)
	t.Parallel()
	for _, c := range append(defaults, struct {
		name string
		make func() scaling
	}{"Adam, augmented", func() scaling { return solver.Augment(G.NewAdamSolver()) }}) {
		for seed := range uint64(4) {
			rng, s := rand.New(rand.NewPCG(seed, 3)), c.make()
			w, b := vector("w", []float64{0.1}, []float64{0}), vector("b", []float64{0}, []float64{0})
			m := model(w, b)
			for range 20_000 {
				x, y := rng.NormFloat64(), 0.0
				if rng.Float64() < 1/(1+math.Exp(-x)) {
					y = 1
				}
				e := 1/(1+math.Exp(-floats(w.value)[0]*x-floats(b.value)[0])) - y
				set(w.gradient, []float64{e * x})
				set(b.gradient, []float64{e})
				step(t, s, m)
			}
			if x, y := floats(w.value)[0], floats(b.value)[0]; !(math.Hypot(x-1, y) <= 0.4) {
				t.Errorf("%s, seed %d: it ends at (%.2f, %.2f)", c.name, seed, x, y)
			}
		}
	}
}

// The value of a state whose every step pays 1, by temporal differences, with the
// network itself in the target. Nothing stops a value from running away but the step.
func TestAValueFunctionByTemporalDifferencesIsLearnedAsWellAsWithAdam(t *testing.T) {
	long(t)
	t.Parallel()
	const batch, inputs, discount, steps = 32, 4, 0.99, 1500
	learn := func(s G.Solver, seed uint64) (rms float64, err error) {
		rng, dt := rand.New(rand.NewPCG(seed, 40)), tensor.Float64
		var all []*tensor.Dense
		for _, shape := range [][2]int{{inputs, 48}, {1, 48}, {48, 48}, {1, 48}, {48, 1}, {1, 1}} {
			all = append(all, weights(rng, dt, shape[0], shape[1]))
		}
		network := func(g *G.ExprGraph) (x, out *G.Node, params G.Nodes) {
			x = G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, inputs))
			for i, w := range all {
				params = append(params, input(g, fmt.Sprint("w", i), w))
			}
			h := G.Must(G.Rectify(layer(x, params[0], params[1])))
			h = G.Must(G.Rectify(layer(h, params[2], params[3])))
			return x, layer(h, params[4], params[5]), params
		}
		g, ahead := G.NewGraph(), G.NewGraph()
		x, out, params := network(g)
		next, value, _ := network(ahead)
		y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, 1))
		looking := G.NewTapeMachine(ahead)
		defer looking.Close()
		train := onTape(t, g, meanSquare(y, out), params, func() {
			now := random(rng, batch*inputs)
			after := random(rng, batch*inputs)
			for i := range after {
				after[i] = now[i] + 0.1*after[i]
			}
			let(t, next, after)
			if err := looking.RunAll(); err != nil {
				t.Fatal(err)
			}
			target := floats(value.Value())
			looking.Reset()
			for i := range target {
				target[i] = 1 + discount*target[i]
			}
			let(t, x, now)
			let(t, y, target)
		})
		for i := range steps {
			loss, err := train(s)
			if err != nil {
				return math.NaN(), fmt.Errorf("step %d: %w", i+1, err)
			}
			if i >= steps-100 {
				rms += math.Sqrt(loss) / 100
			}
		}
		return rms, nil
	}
	mean := func(name string, create func() G.Solver) (rms float64) {
		const seeds = 2
		for seed := range seeds {
			r, err := learn(create(), uint64(seed+1))
			if err != nil {
				t.Fatalf("%s, seed %d: %v", name, seed+1, err)
			}
			rms += r / seeds
		}
		return rms
	}
	adam := mean("Adam", func() G.Solver { return G.NewAdamSolver() })
	for _, c := range defaults {
		rms := mean(c.name, func() G.Solver { return c.make() })
		t.Logf("%s: error of %.3g; Adam %.3g", c.name, rms, adam)
		if !(rms <= adam) {
			t.Errorf("%s: the temporal differences end at %.3g, with Adam at %.3g", c.name, rms, adam)
		}
	}
}

// A line through 100 points, x up to 10,000, the whole gradient clipped at 5, as in
// Gorgonia's own example. There is no noise, and all end in a cycle, of whose losses the
// mean is taken. Which cycle it is depends on the start: so that is the median of many.
func TestALineIsFoundWithAClippedGradient(t *testing.T) {
	long(t)
	const starts = 51
	fit := func(s G.Solver, start float64) float64 {
		slope, offset := vector("slope", []float64{start}, []float64{0}), vector("offset", []float64{0.3}, []float64{0})
		m, mean := model(slope, offset), 0.0
		for i := range 5000 {
			a, b := floats(slope.value)[0], floats(offset.value)[0]
			var loss, ga, gb float64
			for x := 1.0; x < 10_000; x += 100 {
				e := (a-2)*x + b - 0.5
				loss, ga, gb = loss+e*e/100, ga+2*e*x/100, gb+2*e/100
			}
			if i >= 4500 {
				mean += loss / 500
			}
			set(slope.gradient, []float64{ga})
			set(offset.gradient, []float64{gb})
			step(t, s, m)
		}
		return mean
	}
	losses := func(newSolver func() G.Solver) (of []float64) {
		for i := range starts {
			of = append(of, fit(newSolver(), 0.02*float64(i)))
		}
		slices.Sort(of)
		return of
	}
	adam := losses(func() G.Solver { return G.NewAdamSolver(G.WithClip(5)) })[starts/2]
	for name, newSolver := range map[string]func() G.Solver{
		"Funnel":     func() G.Solver { return solver.NewFunnel(G.WithClip(5)) },
		"FunnelAdam": func() G.Solver { return solver.NewFunnelAdam(G.WithClip(5)) },
	} {
		of := losses(newSolver)
		t.Logf("%s: %.3g, at most %.3g; Adam %.3g", name, of[starts/2], of[starts-1], adam)
		if !(of[starts/2] <= adam) {
			t.Errorf("%s ends with a loss of %.3g, Adam with %.3g", name, of[starts/2], adam)
		}
	}
}

// data is a linear regression in batches. Its targets can be drawn again.
type data struct {
	rng           *rand.Rand
	inputs, batch int
	sizes         []float64 // of the inputs
	xs, ys        []float64
}

func newData(rng *rand.Rand, batches int, even bool) *data {
	d := &data{rng: rng, inputs: 20, batch: 16}
	for k := range d.inputs {
		size := 1.0
		if !even {
			size = 0.1 + 0.9*float64(k)/float64(d.inputs)
		}
		d.sizes = append(d.sizes, size)
	}
	for range batches * d.batch {
		for _, size := range d.sizes {
			d.xs = append(d.xs, size*rng.NormFloat64())
		}
	}
	d.ys = make([]float64, batches*d.batch)
	d.shift()
	return d
}

// shift draws the truth and, with noise of 3, the targets.
func (d *data) shift() {
	truth := make([]float64, d.inputs)
	for k := range truth {
		truth[k] = 3 * d.rng.NormFloat64()
	}
	for i := range d.ys {
		d.ys[i] = 3*d.rng.NormFloat64() + d.at(truth, i)
	}
}

func (d *data) at(w []float64, i int) (y float64) {
	for k, x := range d.xs[i*d.inputs : (i+1)*d.inputs] {
		y += x * w[k]
	}
	return y
}

func (d *data) loss(w []float64) (loss float64) {
	for i, y := range d.ys {
		e := d.at(w, i) - y
		loss += e * e / float64(len(d.ys))
	}
	return loss
}

// least is the loss of the best weights, which Gauss and Seidel find.
func (d *data) least() float64 {
	w := make([]float64, d.inputs)
	for range 200 {
		for k := range w {
			var up, down float64
			for i, y := range d.ys {
				x := d.xs[i*d.inputs+k]
				up, down = up+x*(y-d.at(w, i)), down+x*x
			}
			w[k] += up / down
		}
	}
	return d.loss(w)
}

// order says which batch is next.
type order struct {
	name string
	next func(rng *rand.Rand, batches int) func() int
}

var orders = []order{
	{"cyclic", func(_ *rand.Rand, batches int) func() int {
		t := -1
		return func() int { t++; return t % batches }
	}},
	{"shuffled", func(rng *rand.Rand, batches int) func() int {
		var left []int
		return func() int {
			if len(left) == 0 {
				left = rng.Perm(batches)
			}
			b := left[0]
			left = left[1:]
			return b
		}
	}},
}

// train makes a step on a batch.
func (d *data) train(t *testing.T, s G.Solver, p *param, b int) {
	t.Helper()
	w, g := floats(p.value), make([]float64, d.inputs)
	for i := b * d.batch; i < (b+1)*d.batch; i++ {
		e := 2 * (d.at(w, i) - d.ys[i]) / float64(d.batch)
		for k := range g {
			g[k] += e * d.xs[i*d.inputs+k]
		}
	}
	set(p.gradient, g)
	step(t, s, model(p))
}

func TestTheSameFewBatchesAgainAndAgainAreLearnedToTheEnd(t *testing.T) {
	long(t)
	for _, batches := range []int{9, 100} {
		for _, o := range orders {
			for _, c := range defaults {
				rng, s := rand.New(rand.NewPCG(7, uint64(batches))), c.make()
				d := newData(rng, batches, false)
				p := vector("w", random(rng, d.inputs), make([]float64, d.inputs))
				next := o.next(rng, batches)
				for range 10_000 {
					d.train(t, s, p, next())
				}
				least := d.least()
				excess := d.loss(floats(p.value))/least - 1
				t.Logf("%s, %d batches, %s: excess loss %.2g, scale %.2g", c.name, batches, o.name, excess, s.Adaptations()[0].Scale)
				if !(excess <= 0.01) {
					t.Errorf("%s, %d batches, %s: the loss is above the least by %.2g of it", c.name, batches, o.name, excess)
				}
				if err := atABound(s); err != nil {
					t.Errorf("%s, %d batches, %s: %v", c.name, batches, o.name, err)
				}
			}
		}
	}
}

// An inner solver's steps are often too long for the minimum, and the scale has to make up for that.
func TestAroundAnInnerSolverFewBatchesAreLearnedNoWorseThanByItAlone(t *testing.T) {
	long(t)
	excess := func(s G.Solver, seed uint64) float64 {
		rng := rand.New(rand.NewPCG(seed, 9))
		d := newData(rng, 9, false)
		p, next := vector("w", random(rng, d.inputs), make([]float64, d.inputs)), orders[1].next(rng, 9)
		for range 10_000 {
			d.train(t, s, p, next())
		}
		return d.loss(floats(p.value))/d.least() - 1
	}
	for _, rate := range []float64{0.001, 0.005, 0.01} {
		for name, inner := range map[string]func() G.Solver{
			"VanillaSolver": func() G.Solver { return G.NewVanillaSolver(G.WithLearnRate(rate)) },
			"Momentum":      func() G.Solver { return G.NewMomentum(G.WithLearnRate(rate)) },
			"RMSPropSolver": func() G.Solver { return G.NewRMSPropSolver(G.WithLearnRate(rate)) },
			"AdamSolver":    func() G.Solver { return G.NewAdamSolver(G.WithLearnRate(rate)) },
		} {
			alone, augmented := 0.0, 0.0
			for seed := range uint64(3) {
				alone += excess(inner(), seed) / 3
				augmented += excess(solver.Augment(inner()), seed) / 3
			}
			t.Logf("%s at %g: excess loss %.2g, augmented %.2g", name, rate, alone, augmented)
			if !(augmented <= alone) {
				t.Errorf("%s at %g: the loss is above the least by %.2g of it, by %.2g without Augment", name, rate, augmented, alone)
			}
		}
	}
}

// Logistic regression on 144 examples in nine batches. The classes overlap and the
// inputs are far from 0, so that it takes long.
func TestLearningDoesNotFreezeBeforeTheMinimum(t *testing.T) {
	const batches, batch, inputs, epochs = 9, 16, 3, 500
	learn := func(s G.Solver, o order) (loss float64) {
		rng := rand.New(rand.NewPCG(1, 41))
		xs, ys := make([]float64, batches*batch*inputs), make([]float64, batches*batch)
		for i := range ys {
			x := xs[i*inputs : (i+1)*inputs]
			x[0], x[1], x[2] = 4+rng.NormFloat64(), 3+rng.NormFloat64(), 1
			if x[0]-x[1]+0.3*rng.NormFloat64() > 1 {
				ys[i] = 1
			}
		}
		p := vector("w", []float64{0.3, -0.2, 0.1}, make([]float64, inputs))
		m, next := model(p), o.next(rng, batches)
		for k := range epochs * batches {
			if k%batches == 0 {
				loss = 0
			}
			b, w, g := next(), floats(p.value), make([]float64, inputs)
			for i := b * batch; i < (b+1)*batch; i++ {
				x, z := xs[i*inputs:(i+1)*inputs], 0.0
				for j := range x {
					z += x[j] * w[j]
				}
				loss += (max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - ys[i]*z) / (batches * batch)
				for j := range x {
					g[j] += (1/(1+math.Exp(-z)) - ys[i]) * x[j] / batch
				}
			}
			set(p.gradient, g)
			step(t, s, m)
		}
		return loss
	}
	for _, o := range orders {
		adam := learn(G.NewAdamSolver(G.WithLearnRate(0.02)), o)
		for _, c := range defaults {
			s := c.make()
			loss := learn(s, o)
			t.Logf("%s, %s: loss %.4f, scale %.2g; Adam at 0.02 %.4f", c.name, o.name, loss, s.Adaptations()[0].Scale, adam)
			if !(loss <= 1.4*adam) { // a tuned rate is still better: the scale falls as epochs repeat
				t.Errorf("%s, %s: the last epoch's loss is %.4f, with Adam at 0.02 %.4f", c.name, o.name, loss, adam)
			}
			if err := atABound(s); err != nil {
				t.Errorf("%s, %s: %v", c.name, o.name, err)
			}
		}
	}
}

func TestAShiftAfterLongQuietIsLearnedAsFastAsAfterAShortOne(t *testing.T) {
	long(t)
	const batches = 100
	const quiet = 100_000
	for _, c := range defaults {
		recover := func(quiet int) (steps int) {
			rng, s := rand.New(rand.NewPCG(7, 42)), c.make()
			d := newData(rng, batches, true)
			p := vector("w", random(rng, d.inputs), make([]float64, d.inputs))
			next := orders[1].next(rng, batches)
			for range quiet {
				d.train(t, s, p, next())
			}
			d.shift()
			for near := 1.1 * d.least(); d.loss(floats(p.value)) > near && steps < 20_000; steps++ {
				d.train(t, s, p, next())
			}
			return steps
		}
		soon, late := recover(1000), recover(quiet)
		t.Logf("%s: %d steps after 1,000 quiet ones, %d after %d", c.name, soon, late, quiet)
		if within := 1.5; float64(late) > within*float64(soon) {
			t.Errorf("%s: it takes %d steps after 1,000 quiet ones and %d after %d", c.name, soon, late, quiet)
		}
	}
}
