package solver_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/solver"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Small Gorgonia programs of many kinds, each as people write them. The solver
// is all that is exchanged. go test -v -run Programs ./solver prints a table.

// Gorgonia's pool of tensors is off in these tests. Where some run side by side and it is full,
// one can wait for ever, as it asks for room before it sends, and another takes the room. And
// a program that unbinds nodes would give it values that two nodes have in common twice.
func init() { tensor.DontUsePool() }

// A program starts with the same weights every time, and sees the same data.
type program struct {
	name  string
	steps int
	own   func() G.Solver // what such a program is usually written with
	start func(*testing.T, uint64) session

	options []G.SolverOpt // what every solver is told, as it belongs to the program
	// Gorgonia's solvers keep their state by the place in the model, and so a
	// program with two networks needs two of them. It needs one of ours.
	apart bool

	rebuilds bool // it makes a graph or a machine for every step, and its memory stays flat

	within float64 // how many times Adam's loss ours may end with; 0: 1.05
	seed   uint64  // 0: 1
}

// A session makes one step with the solver and returns the loss before it.
type session func(G.Solver) (loss float64, err error)

var programs = []program{
	{name: "convnet with dropout and max-pooling", steps: 300, start: convnet,
		own: func() G.Solver { return G.NewRMSPropSolver() }, within: 1.3}, // dropout has another seed in each run: a Funnel's losses vary by a fifth
	{name: "autoencoder with tied weights", steps: 500, start: autoencoder,
		own: func() G.Solver { return G.NewVanillaSolver(G.WithLearnRate(0.1)) }},
	{name: "deep network of float64", steps: 600, start: deepNetwork, own: adam(0.01)},
	{name: "scalars *F64", steps: 1000, start: curve(tensor.Float64),
		own: func() G.Solver { return G.NewVanillaSolver(G.WithLearnRate(0.1)) }},
	{name: "scalars *F32", steps: 1000, start: curve(tensor.Float32),
		own: func() G.Solver { return G.NewVanillaSolver(G.WithLearnRate(0.1)) }},
	{name: "scalars of 900, 30 and 0.03", steps: 2000, start: cooling, own: adam(0.01)},
	{name: "inputs of 0.00001", steps: 2000, start: unlike(1e-5, 0), own: adam(0.01)},
	{name: "heights near 1,000", steps: 2000, start: unlike(1, 1000), own: adam(0.01)},
	{name: "lisp machine", steps: 600, start: lispMachine,
		own: func() G.Solver { return G.NewMomentum() }},
	{name: "two layers with one bias", steps: 600, start: mergedBias, own: adam(0.01)},
	{name: "weights that are views of one tensor", steps: 600, start: views,
		own: func() G.Solver { return G.NewMomentum() }},
	{name: "gradient accumulation", steps: 300, start: accumulation, own: adam(0.01, G.WithBatchSize(microBatches)),
		options: []G.SolverOpt{G.WithBatchSize(microBatches)}},
	{name: "warm-up from 0", steps: 600, start: warmup, own: adam(0.001)},
	{name: "UnbindAllNonInputs at every step", steps: 600, start: unbind, own: adam(0.01)},
	{name: "a machine for every step", steps: 600, start: closing, rebuilds: true, own: adam(0.01)},
	{name: "two models by turns", steps: 1000, start: turns, apart: true, own: adam(0.01)},
	{name: "values from a target that is copied", steps: 5000, start: copied, own: adam(0.001), within: 10, seed: 2}, // with which weights grew without end before growth had a limit
	{name: "new classes one after another", steps: 3000, start: newClasses, own: adam(0.01), within: 1.8},
	{name: "actor and critic", steps: 600, start: actorCritic,
		own: func() G.Solver { return G.NewRMSPropSolver(G.WithLearnRate(0.01)) }},
	{name: "LSTM, a graph for every sequence", steps: 300, start: lstm, rebuilds: true,
		own: func() G.Solver { return G.NewRMSPropSolver(G.WithLearnRate(0.01), G.WithClip(5)) }},
	{name: "RNN, a graph for every length", steps: 300, start: cachedGraphs, own: adam(0.01)},
	{name: "RNN on lisp machines, nodes returned", steps: 300, start: charRNN, rebuilds: true,
		own: func() G.Solver { return G.NewRMSPropSolver(G.WithLearnRate(0.01), G.WithClip(5)) }},
	{name: "a graph for every batch size, nodes returned", steps: 300, start: batchSizes, rebuilds: true, own: adam(0.01)},
}

func adam(learnRate float64, opts ...G.SolverOpt) func() G.Solver {
	return func() G.Solver { return G.NewAdamSolver(append(opts, G.WithLearnRate(learnRate))...) }
}

// result is how a program did with one solver.
type result struct {
	loss float64 // the mean over the last tenth of the steps
	err  error
}

func (r result) String() string {
	if r.err != nil {
		return "stopped"
	}
	return fmt.Sprintf("%.3g", r.loss)
}

// run trains the program. A step that is refused ends it.
func (p program) run(t *testing.T, s G.Solver, seed uint64) (r result) {
	t.Helper()
	step := p.start(t, seed)
	for i := range p.steps {
		loss, err := step(s)
		if err != nil {
			return result{math.NaN(), fmt.Errorf("step %d: %w", i+1, err)}
		}
		if last := p.steps / 10; i >= p.steps-last {
			r.loss += loss / float64(last)
		}
	}
	return r
}

func TestProgramsLearnAtLeastAsWellAsWithAdam(t *testing.T) {
	long(t)
	t.Parallel()
	table := make([]string, len(programs))
	t.Run("all", func(t *testing.T) { // returns when those side by side have
		for i, p := range programs {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				table[i] = p.compare(t)
			})
		}
	})
	t.Logf("\n%-44s %9s %10s %9s %10s\n%s", "program", "its own", "Adam 0.001", "Funnel", "FunnelAdam", strings.Join(table, "\n"))
}

// compare runs the program with ours and with Gorgonia's solvers, and returns the row of a table.
func (p program) compare(t *testing.T) (row string) {
	t.Helper()
	own, seed := result{}, cmp.Or(p.seed, 1)
	if testing.Verbose() { // only the table needs it
		own = p.run(t, p.gorgonias(p.own), seed)
	}
	adam := p.run(t, p.gorgonias(func() G.Solver { return G.NewAdamSolver(p.options...) }), seed)
	if err := errors.Join(own.err, adam.err); err != nil || math.IsNaN(adam.loss) {
		t.Fatalf("the program does not work with Gorgonia's solvers: %v", err)
	}
	funnel := p.run(t, solver.NewFunnel(p.options...), seed)
	funnelAdam := p.run(t, solver.NewFunnelAdam(p.options...), seed)
	for name, r := range map[string]result{"Funnel": funnel, "FunnelAdam": funnelAdam} {
		if r.err != nil {
			t.Errorf("%s: %v", name, r.err)
		} else if !(r.loss <= cmp.Or(p.within, 1.05)*adam.loss) {
			t.Errorf("%s ends with a loss of %.3g, Adam with %.3g", name, r.loss, adam.loss)
		}
	}
	return fmt.Sprintf("%-44s %9v %10v %9v %10v", p.name, own, adam, funnel, funnelAdam)
}

// FUNNEL_GRAPHS=10000 go test -v -run MemoryIsFlat ./solver takes a few minutes.
func TestMemoryIsFlatOverManyGraphs(t *testing.T) {
	long(t)
	const mostGrowth = 256 << 10 // bytes; 240 graphs are thirty times that
	graphs, _ := strconv.Atoi(cmp.Or(os.Getenv("FUNNEL_GRAPHS"), "300"))
	for _, p := range programs {
		if !p.rebuilds {
			continue
		}
		for _, s := range []G.Solver{solver.NewFunnel(p.options...), solver.NewFunnelAdam(p.options...)} {
			t.Run(fmt.Sprintf("%s/%T", p.name, s), func(t *testing.T) {
				step, atFifth := p.start(t, 1), 0
				before := heapInUse()
				for i := range graphs {
					if _, err := step(s); err != nil {
						t.Fatalf("graph %d: %v", i+1, err)
					}
					if i+1 == graphs/5 {
						atFifth = heapInUse()
					}
				}
				end := heapInUse()
				runtime.KeepAlive(step)
				runtime.KeepAlive(s)
				t.Logf("%d graphs fill %d kB, of which %d kB since graph %d", graphs, (end-before)>>10, (end-atFifth)>>10, graphs/5)
				if end-atFifth > mostGrowth {
					t.Errorf("%d kB were filled in the last four fifths of %d graphs", (end-atFifth)>>10, graphs)
				}
			})
		}
	}
}

// heapInUse is what is in use once finalizers and cleanups, which run beside the
// program, have nothing left to do.
func heapInUse() int {
	least, same := math.MaxInt, 0
	for same < 3 {
		runtime.GC()
		time.Sleep(time.Millisecond)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if same++; int(m.HeapAlloc) < least-1024 {
			least, same = int(m.HeapAlloc), 0
		}
	}
	return least
}

// gorgonias is what takes a solver's place where it is one of Gorgonia's.
func (p program) gorgonias(make func() G.Solver) G.Solver {
	if !p.apart {
		return make()
	}
	return oneEach{make, map[G.ValueGrad]G.Solver{}}
}

// oneEach has a solver for each network, which its first parameter tells.
type oneEach struct {
	make func() G.Solver
	of   map[G.ValueGrad]G.Solver
}

func (o oneEach) Step(model []G.ValueGrad) error {
	if o.of[model[0]] == nil {
		o.of[model[0]] = o.make()
	}
	return o.of[model[0]].Step(model)
}

// What follows is what several programs need.

// weights are drawn as Gorgonia's GlorotU draws them, but from a seed.
func weights(rng *rand.Rand, dt tensor.Dtype, shape ...int) *tensor.Dense {
	in, out := shape[0], shape[len(shape)-1]
	if len(shape) == 4 { // filters, channels, height, width
		in, out = shape[1]*shape[2]*shape[3], shape[0]*shape[2]*shape[3]
	}
	x := make([]float64, tensor.Shape(shape).TotalSize())
	for i := range x {
		x[i] = math.Sqrt(6/float64(in+out)) * (2*rng.Float64() - 1)
	}
	return numbers(dt, x, shape...)
}

// numbers is a tensor of x in the dtype.
func numbers(dt tensor.Dtype, x []float64, shape ...int) *tensor.Dense {
	d := tensor.New(tensor.Of(dt), tensor.WithShape(shape...))
	set(d, x)
	return d
}

// input is an input or a weight of a graph, under a name and with a value.
func input(g *G.ExprGraph, name string, v *tensor.Dense) *G.Node {
	return G.NewTensor(g, v.Dtype(), v.Dims(), G.WithName(name), G.WithShape(v.Shape()...), G.WithValue(v))
}

// layer is x w + b for every row of x.
func layer(x, w, b *G.Node) *G.Node {
	return G.Must(G.BroadcastAdd(G.Must(G.Mul(x, w)), b, nil, []byte{0}))
}

func meanSquare(a, b *G.Node) *G.Node {
	return G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(a, b))))))
}

// crossEntropy is the mean over the rows of logits. oneHot has a 1 a row.
func crossEntropy(logits, oneHot *G.Node) *G.Node {
	logP := G.Must(G.Log(G.Must(G.SoftMax(logits))))
	return G.Must(G.Neg(G.Must(G.Mean(G.Must(G.Sum(G.Must(G.HadamardProd(logP, oneHot)), 1))))))
}

// onTape is the loop of most programs: feed, run, step, reset.
func onTape(t *testing.T, g *G.ExprGraph, cost *G.Node, params G.Nodes, feed func()) session {
	t.Helper()
	if _, err := G.Grad(cost, params...); err != nil {
		t.Fatal(err)
	}
	vm := G.NewTapeMachine(g, G.BindDualValues(params...))
	t.Cleanup(func() { vm.Close() })
	return func(s G.Solver) (float64, error) {
		feed()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		loss := floats(cost.Value())[0]
		err := s.Step(G.NodesToValueGrads(params))
		vm.Reset()
		return loss, err
	}
}

// let gives an input node its next values.
func let(t *testing.T, n *G.Node, x []float64) {
	t.Helper()
	if err := G.Let(n, numbers(n.Dtype(), x, n.Shape()...)); err != nil {
		t.Fatal(err)
	}
}

// What two networks against each other come to depends much on the seed.
func TestTwoNetworksAgainstEachOtherLearnWithMostSeeds(t *testing.T) {
	long(t)
	t.Parallel()
	seeds := 3
	if testing.Verbose() { // as README has them
		seeds = 8
	}
	p := program{steps: 1000, start: adversaries, apart: true}
	good, table := map[string]int{}, []string{fmt.Sprintf("%4s %9s %9s %10s", "seed", "Adam 0.001", "Funnel", "FunnelAdam")}
	for i := range seeds {
		seed := uint64(i + 1)
		adam := p.run(t, p.gorgonias(func() G.Solver { return G.NewAdamSolver() }), seed)
		funnel, funnelAdam := p.run(t, solver.NewFunnel(), seed), p.run(t, solver.NewFunnelAdam(), seed)
		for name, r := range map[string]result{"Funnel": funnel, "FunnelAdam": funnelAdam} {
			if r.err != nil {
				t.Errorf("%s, seed %d: %v", name, seed, r.err)
			}
			if r.loss <= 10*adam.loss {
				good[name]++
			}
		}
		table = append(table, fmt.Sprintf("%4d %10v %9v %10v", seed, adam, funnel, funnelAdam))
	}
	t.Log("\n" + strings.Join(table, "\n"))
	for _, name := range []string{"Funnel", "FunnelAdam"} {
		if 2*good[name] <= seeds {
			t.Errorf("%s comes near Adam with %d of %d seeds", name, good[name], seeds)
		}
	}
}
