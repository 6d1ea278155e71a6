package solver_test

import (
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Programs whose training loop is out of the ordinary.

const microBatches = 4

// accumulation adds up the gradients of a few small batches before each step.
func accumulation(t *testing.T, seed uint64) session {
	g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 8)), tensor.Float32, 8, 16, 16)
	if _, err := G.Grad(cost, params...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(params...))
	t.Cleanup(func() { vm.Close() })
	return func(s G.Solver) (loss float64, err error) {
		for range microBatches {
			feed()
			if err := vm.RunAll(); err != nil {
				return 0, err
			}
			loss += floats(cost.Value())[0] / microBatches
			vm.Reset()
		}
		return loss, s.Step(G.NodesToValueGrads(params))
	}
}

// warmup raises the learning rate from 0 to 0.001 over the first 50 steps.
func warmup(t *testing.T, seed uint64) session {
	g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 9)), tensor.Float32, 32, 16, 16)
	step, i := onTape(t, g, cost, params, feed), 0
	return func(s G.Solver) (float64, error) {
		rate := G.WithLearnRate(0.001 * min(1, float64(i)/50))
		i++
		if ours, ok := s.(interface{ Apply(...G.SolverOpt) error }); ok {
			if err := ours.Apply(rate); err != nil {
				return 0, err
			}
		} else {
			rate(s)
		}
		return step(s)
	}
}

// unbind lets go of everything but weights and inputs after every step.
func unbind(t *testing.T, seed uint64) session {
	g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 10)), tensor.Float32, 32, 16, 16)
	step := onTape(t, g, cost, params, feed)
	return func(s G.Solver) (float64, error) {
		defer g.UnbindAllNonInputs()
		return step(s)
	}
}

// closing makes a machine for every step and closes it.
func closing(t *testing.T, seed uint64) session {
	g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 11)), tensor.Float32, 16, 16, 16)
	if _, err := G.Grad(cost, params...); err != nil {
		t.Fatal(err)
	}
	return func(s G.Solver) (float64, error) {
		feed()
		vm := G.NewTapeMachine(g, G.BindDualValues(params...))
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		return floats(cost.Value())[0], s.Step(G.NodesToValueGrads(params))
	}
}

// turns factorizes a matrix: the factors are two models, which one solver steps by turns.
func turns(t *testing.T, seed uint64) session {
	const rows, columns, rank = 20, 15, 3
	rng, dt := rand.New(rand.NewPCG(seed, 14)), tensor.Float64
	table := make([]float64, rows*columns)
	for _, f := range [][2][]float64{{random(rng, rows), random(rng, columns)}, {random(rng, rows), random(rng, columns)}, {random(rng, rows), random(rng, columns)}} {
		for i := range table {
			table[i] += f[0][i/columns] * f[1][i%columns]
		}
	}
	left, right := weights(rng, dt, rows, rank), weights(rng, dt, rank, columns)
	graph := func(of int) session {
		g := G.NewGraph()
		factors := G.Nodes{input(g, "left", left), input(g, "right", right)}
		out := G.Must(G.Mul(factors[0], factors[1]))
		return onTape(t, g, meanSquare(out, input(g, "table", numbers(dt, table, rows, columns))), factors[of:of+1], func() {})
	}
	both, i := []session{graph(0), graph(1)}, 0
	return func(s G.Solver) (float64, error) {
		i++
		return both[i%2](s)
	}
}

// copied learns what ten cells in a row are worth, of which the last pays 10, from what a
// network said of the next cell that is copied every fifty steps. The loss is the mean
// square of how far it is from the truth.
func copied(t *testing.T, seed uint64) session {
	const batch, cells, hidden, discount = 8, 10, 16, 0.95
	rng, dt := rand.New(rand.NewPCG(seed, 16)), tensor.Float64
	g := G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, cells))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, 1))
	params := G.Nodes{input(g, "w0", weights(rng, dt, cells, hidden)), input(g, "b0", numbers(dt, make([]float64, hidden), 1, hidden)),
		input(g, "w1", weights(rng, dt, hidden, 1)), input(g, "b1", numbers(dt, make([]float64, 1), 1, 1))}
	out := layer(G.Must(G.Rectify(layer(x, params[0], params[1]))), params[2], params[3])
	worth := func() []float64 {
		w0, b0, w1, b1 := floats(params[0].Value()), floats(params[1].Value()), floats(params[2].Value()), floats(params[3].Value())
		of := make([]float64, cells)
		for cell := range of {
			of[cell] = b1[0]
			for j, w := range w1 {
				of[cell] += w * max(0, w0[cell*hidden+j]+b0[j])
			}
		}
		return of
	}
	after := func(of []float64, cell int) float64 {
		switch {
		case cell >= cells:
			return 10
		case cell < 0:
			return 0
		}
		return discount * of[cell]
	}
	truth := make([]float64, cells)
	for range 1000 {
		for cell := range truth {
			truth[cell] = 0.7*after(truth, cell+1) + 0.3*after(truth, cell-1)
		}
	}
	i, target := 0, []float64(nil)
	step := onTape(t, g, meanSquare(out, y), params, func() {
		if i++; i%50 == 1 {
			target = worth()
		}
		at, next := make([]int, batch), make([]float64, batch)
		for k := range at {
			at[k] = rng.IntN(cells)
			forward := 1
			if rng.Float64() < 0.3 {
				forward = -1
			}
			next[k] = after(target, at[k]+forward)
		}
		let(t, x, oneHot(at, cells))
		let(t, y, next)
	})
	return func(s G.Solver) (float64, error) {
		loss := 0.0
		for cell, v := range worth() {
			loss += (v - truth[cell]) * (v - truth[cell]) / cells
		}
		_, err := step(s)
		return loss, err
	}
}

// newClasses tells classes apart that come one after another, and those of before now and then.
func newClasses(t *testing.T, seed uint64) session {
	const batch, inputs, hidden, classes, each = 24, 12, 32, 6, 500
	rng, dt := rand.New(rand.NewPCG(seed, 17)), tensor.Float64
	centers := random(rng, classes*inputs)
	g := G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, inputs))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, classes))
	params := G.Nodes{input(g, "w0", weights(rng, dt, inputs, hidden)), input(g, "b0", numbers(dt, make([]float64, hidden), 1, hidden)),
		input(g, "w1", weights(rng, dt, hidden, classes)), input(g, "b1", numbers(dt, make([]float64, classes), 1, classes))}
	logits := layer(G.Must(G.Rectify(layer(x, params[0], params[1]))), params[2], params[3])
	i := 0
	return onTape(t, g, crossEntropy(logits, y), params, func() {
		points, of := make([]float64, 0, batch*inputs), make([]int, batch)
		for k := range of {
			if of[k] = i / each; rng.Float64() < 0.3 {
				of[k] = rng.IntN(of[k] + 1)
			}
			for _, center := range centers[of[k]*inputs : (of[k]+1)*inputs] {
				points = append(points, 0.7*(center+rng.NormFloat64()))
			}
		}
		i++
		let(t, x, points)
		let(t, y, oneHot(of, classes))
	})
}

// adversaries are a generator of numbers and a network that tells them from
// numbers drawn with a mean of 2 and a deviation of 0.5. One solver steps them by
// turns. The loss is how far the generated mean and deviation are from these.
func adversaries(t *testing.T, seed uint64) session {
	const batch, noise, hidden = 32, 2, 12
	rng, dt := rand.New(rand.NewPCG(seed, 12)), tensor.Float64
	matrix := func(rows, columns int) *tensor.Dense { return weights(rng, dt, rows, columns) }
	w0, b0, w1, b1 := matrix(noise, hidden), matrix(1, hidden), matrix(hidden, 1), matrix(1, 1) // the generator's
	v0, c0, v1, c1 := matrix(1, hidden), matrix(1, hidden), matrix(hidden, 1), matrix(1, 1)     // the critic's

	generator := func(g *G.ExprGraph, z *G.Node) (out *G.Node, params G.Nodes) {
		params = G.Nodes{input(g, "w0", w0), input(g, "b0", b0), input(g, "w1", w1), input(g, "b1", b1)}
		return layer(G.Must(G.Tanh(layer(z, params[0], params[1]))), params[2], params[3]), params
	}
	critic := func(g *G.ExprGraph, x *G.Node) (out *G.Node, params G.Nodes) {
		params = G.Nodes{input(g, "v0", v0), input(g, "c0", c0), input(g, "v1", v1), input(g, "c1", c1)}
		return layer(G.Must(G.Tanh(layer(x, params[0], params[1]))), params[2], params[3]), params
	}

	// The generator wants the critic to take what it makes for real.
	gg := G.NewGraph()
	z := G.NewMatrix(gg, dt, G.WithName("z"), G.WithShape(batch, noise))
	made, generators := generator(gg, z)
	said, _ := critic(gg, made)
	var fakes G.Value
	G.Read(made, &fakes)
	generate := onTape(t, gg, G.Must(G.Mean(G.Must(G.Softplus(G.Must(G.Neg(said)))))), generators, func() { let(t, z, random(rng, batch*noise)) })

	// The critic is to be above 0 for what is real, and below for what is not.
	gc := G.NewGraph()
	x := G.NewMatrix(gc, dt, G.WithName("x"), G.WithShape(2*batch, 1))
	y := G.NewMatrix(gc, dt, G.WithName("y"), G.WithShape(2*batch, 1))
	said, critics := critic(gc, x)
	criticize := onTape(t, gc, G.Must(G.Mean(G.Must(G.Softplus(G.Must(G.HadamardProd(said, y)))))), critics, func() {
		var xs, ys []float64
		for _, fake := range floats(fakes) {
			xs, ys = append(xs, 2+0.5*rng.NormFloat64(), fake), append(ys, -1, 1)
		}
		let(t, x, xs)
		let(t, y, ys)
	})

	return func(s G.Solver) (float64, error) {
		if _, err := generate(s); err != nil {
			return 0, err
		}
		mean, square := 0.0, 0.0
		for _, fake := range floats(fakes) {
			mean, square = mean+fake/batch, square+fake*fake/batch
		}
		_, err := criticize(s)
		return math.Abs(mean-2) + math.Abs(math.Sqrt(square-mean*mean)-0.5), err
	}
}

// actorCritic walks along eight cells, of which the last pays 1; from there, and now
// and then, it is put anywhere. Only its critic has names. The loss is the share of
// the steps that go the wrong way.
func actorCritic(t *testing.T, seed uint64) session {
	const walkers, cells, hidden, discount = 16, 8, 16, 0.9
	rng, dt := rand.New(rand.NewPCG(seed, 13)), tensor.Float64
	w0, w1, w2 := weights(rng, dt, cells, hidden), weights(rng, dt, hidden, 2), weights(rng, dt, hidden, 1)
	b0, b1, b2 := weights(rng, dt, 1, hidden), weights(rng, dt, 1, 2), weights(rng, dt, 1, 1)
	network := func(g *G.ExprGraph) (x, policy, value *G.Node, params G.Nodes) {
		unnamed := func(v *tensor.Dense) *G.Node {
			return G.NewMatrix(g, dt, G.WithShape(v.Shape()...), G.WithValue(v))
		}
		x = G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(walkers, cells))
		params = G.Nodes{unnamed(w0), unnamed(b0), unnamed(w1), unnamed(b1), input(g, "critic.w", w2), input(g, "critic.b", b2)}
		h := G.Must(G.Tanh(layer(x, params[0], params[1])))
		return x, G.Must(G.SoftMax(layer(h, params[2], params[3]))), layer(h, params[4], params[5]), params
	}

	g := G.NewGraph()
	x, policy, value, params := network(g)
	advantage := G.NewMatrix(g, dt, G.WithName("advantage"), G.WithShape(walkers, 2)) // of the action that was taken
	target := G.NewMatrix(g, dt, G.WithName("target"), G.WithShape(walkers, 1))
	logPolicy := G.Must(G.Log(policy))
	actor := G.Must(G.Neg(G.Must(G.Mean(G.Must(G.HadamardProd(logPolicy, advantage))))))
	bonus := G.Must(G.Mul(G.NewConstant(0.0005), G.Must(G.Mean(G.Must(G.HadamardProd(policy, logPolicy)))))) // less entropy costs more
	cost := G.Must(G.Add(G.Must(G.Add(actor, bonus)), meanSquare(value, target)))

	// A graph over the same weights that only looks.
	look := G.NewGraph()
	seen, policySeen, valueSeen, _ := network(look)
	looking := G.NewTapeMachine(look)
	t.Cleanup(func() { looking.Close() })
	predict := func(at []int) (policy, value []float64, err error) {
		let(t, seen, oneHot(at, cells))
		defer looking.Reset()
		err = looking.RunAll()
		return floats(policySeen.Value()), floats(valueSeen.Value()), err
	}

	at := make([]int, walkers)
	var advantages, targets []float64
	step := onTape(t, g, cost, params, func() {
		let(t, advantage, advantages)
		let(t, target, targets)
	})
	return func(s G.Solver) (float64, error) {
		p, v, err := predict(at)
		if err != nil {
			return 0, err
		}
		let(t, x, oneHot(at, cells))
		wrong, paid := 0.0, make([]bool, walkers)
		actions := make([]int, walkers)
		for i := range at {
			if rng.Float64() < p[2*i+1] {
				actions[i] = 1
				at[i]++
			} else {
				wrong += 1.0 / walkers
				at[i] = max(0, at[i]-1)
			}
			paid[i] = at[i] == cells-1
		}
		_, next, err := predict(at)
		if err != nil {
			return 0, err
		}
		advantages, targets = oneHot(actions, 2), next
		for i := range at {
			targets[i] *= discount
			if paid[i] {
				targets[i] = 1
			}
			advantages[2*i+actions[i]] = targets[i] - v[i]
			if paid[i] || rng.IntN(20) == 0 {
				at[i] = rng.IntN(cells - 1)
			}
		}
		_, err = step(s)
		return wrong, err
	}
}

// oneHot has a row for each class with a 1 at that class.
func oneHot(of []int, classes int) []float64 {
	x := make([]float64, len(of)*classes)
	for i, class := range of {
		x[i*classes+class] = 1
	}
	return x
}
