package solver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Programs that make graph after graph over the same weights.

// words are what the recurrent networks learn to spell.
var words = []string{"node", "graph", "value", "tape", "layer", "loss", "step"}

const letters = 27 // a to z, and the end of a word

// spelling is a word's letters as numbers, from the end of the word before to its own.
func spelling(word string) []int {
	at := []int{letters - 1}
	for _, letter := range word {
		at = append(at, int(letter-'a'))
	}
	return append(at, letters-1)
}

// cell is the weights of a recurrent network, which outlive its graphs.
type cell struct {
	names []string
	all   []*tensor.Dense
}

func (c *cell) add(rng *rand.Rand, dt tensor.Dtype, name string, shape ...int) {
	c.names = append(c.names, name)
	c.all = append(c.all, weights(rng, dt, shape...))
}

// nodes are the weights in a new graph.
func (c *cell) nodes(g *G.ExprGraph) (params G.Nodes) {
	for i, w := range c.all {
		params = append(params, input(g, c.names[i], w))
	}
	return params
}

// lstm builds the graph of every word anew.
func lstm(t *testing.T, seed uint64) session {
	const hidden = 16
	rng, dt := rand.New(rand.NewPCG(seed, 20)), tensor.Float32
	c := new(cell)
	for _, gate := range []string{"input", "forget", "output", "write"} {
		c.add(rng, dt, "x."+gate, letters, hidden)
		c.add(rng, dt, "h."+gate, hidden, hidden)
		c.add(rng, dt, "b."+gate, 1, hidden)
	}
	c.add(rng, dt, "decoder", hidden, letters)

	return func(s G.Solver) (float64, error) {
		word := spelling(words[rng.IntN(len(words))])
		g := G.NewGraph()
		params := c.nodes(g)
		h := input(g, "h", numbers(dt, make([]float64, hidden), 1, hidden))
		state := input(g, "state", numbers(dt, make([]float64, hidden), 1, hidden))
		var cost *G.Node
		for i, letter := range word[1:] {
			x := input(g, fmt.Sprint("x", i), numbers(dt, oneHot(word[i:i+1], letters), 1, letters))
			y := input(g, fmt.Sprint("y", i), numbers(dt, oneHot([]int{letter}, letters), 1, letters))
			gate := func(k int) *G.Node {
				return G.Must(G.Add(G.Must(G.Add(G.Must(G.Mul(x, params[3*k])), G.Must(G.Mul(h, params[3*k+1])))), params[3*k+2]))
			}
			write := G.Must(G.HadamardProd(G.Must(G.Sigmoid(gate(0))), G.Must(G.Tanh(gate(3)))))
			state = G.Must(G.Add(G.Must(G.HadamardProd(G.Must(G.Sigmoid(gate(1))), state)), write))
			h = G.Must(G.HadamardProd(G.Must(G.Sigmoid(gate(2))), G.Must(G.Tanh(state))))
			cost = plus(cost, spelled(h, params[12], y))
		}
		vm := G.NewLispMachine(g)
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		return floats(cost.Value())[0] / float64(len(word)-1), s.Step(G.NodesToValueGrads(params))
	}
}

// spelled is what the network loses when y comes next.
func spelled(h, decoder, y *G.Node) *G.Node {
	logP := G.Must(G.Log(G.Must(G.SoftMax(G.Must(G.Mul(h, decoder))))))
	return G.Must(G.Neg(G.Must(G.Sum(G.Must(G.HadamardProd(logP, y))))))
}

func plus(a, b *G.Node) *G.Node {
	if a == nil {
		return b
	}
	return G.Must(G.Add(a, b))
}

// elman is the graph of a plain recurrent network over n letters.
func elman(g *G.ExprGraph, c *cell, n int) (xs, ys G.Nodes, cost *G.Node, params G.Nodes) {
	params = c.nodes(g)
	dt, hidden := params[0].Dtype(), params[1].Shape()[0]
	h := input(g, "h", numbers(dt, make([]float64, hidden), 1, hidden))
	for i := range n {
		x := G.NewMatrix(g, dt, G.WithName(fmt.Sprint("x", i)), G.WithShape(1, letters))
		y := G.NewMatrix(g, dt, G.WithName(fmt.Sprint("y", i)), G.WithShape(1, letters))
		xs, ys = append(xs, x), append(ys, y)
		h = G.Must(G.Add(G.Must(G.Add(G.Must(G.Mul(x, params[0])), G.Must(G.Mul(h, params[1])))), params[2]))
		h = G.Must(G.Tanh(h))
		cost = plus(cost, spelled(h, params[3], y))
	}
	return xs, ys, cost, params
}

func elmanCell(rng *rand.Rand) *cell {
	const hidden = 20
	c := new(cell)
	c.add(rng, tensor.Float64, "x", letters, hidden)
	c.add(rng, tensor.Float64, "h", hidden, hidden)
	c.add(rng, tensor.Float64, "b", 1, hidden)
	c.add(rng, tensor.Float64, "decoder", hidden, letters)
	return c
}

// spell gives a graph of elman its letters.
func spell(t *testing.T, xs, ys G.Nodes, word []int) {
	t.Helper()
	for i, letter := range word[1:] {
		let(t, xs[i], oneHot(word[i:i+1], letters))
		let(t, ys[i], oneHot([]int{letter}, letters))
	}
}

// cachedGraphs builds a graph for each length of word once and goes from one to another.
func cachedGraphs(t *testing.T, seed uint64) session {
	rng := rand.New(rand.NewPCG(seed, 21))
	c := elmanCell(rng)
	type graph struct {
		xs, ys, params G.Nodes
		cost           *G.Node
		vm             G.VM
	}
	graphs := map[int]graph{}
	return func(s G.Solver) (float64, error) {
		word := spelling(words[rng.IntN(len(words))])
		n := len(word) - 1
		k, known := graphs[n]
		if !known {
			g := G.NewGraph()
			k.xs, k.ys, k.cost, k.params = elman(g, c, n)
			if _, err := G.Grad(k.cost, k.params...); err != nil {
				return 0, err
			}
			k.vm = G.NewTapeMachine(g, G.BindDualValues(k.params...))
			t.Cleanup(func() { k.vm.Close() })
			graphs[n] = k
		}
		spell(t, k.xs, k.ys, word)
		if err := k.vm.RunAll(); err != nil {
			return 0, err
		}
		loss := floats(k.cost.Value())[0] / float64(n)
		err := s.Step(G.NodesToValueGrads(k.params))
		k.vm.Reset()
		return loss, err
	}
}

// charRNN is as Gorgonia's example of that name: lisp machines, everything unbound
// before the step, and a graph's nodes given back to Gorgonia's pool.
func charRNN(t *testing.T, seed uint64) session {
	rng := rand.New(rand.NewPCG(seed, 22))
	c := elmanCell(rng)
	return func(s G.Solver) (float64, error) {
		word := spelling(words[rng.IntN(len(words))])
		g := G.NewGraph()
		xs, ys, cost, params := elman(g, c, len(word)-1)
		spell(t, xs, ys, word)
		vm := G.NewLispMachine(g.SubgraphRoots(cost))
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		loss := floats(cost.Value())[0] / float64(len(word)-1)
		vm.UnbindAll()
		if err := s.Step(G.NodesToValueGrads(params)); err != nil {
			return 0, err
		}
		giveBack(g)
		return loss, nil
	}
}

// giveBack gives a graph's nodes back to Gorgonia's pool.
func giveBack(g *G.ExprGraph) {
	g.UnbindAllNonInputs()
	for _, n := range g.AllNodes() {
		G.ReturnNode(n)
	}
}

// batchSizes learns from batches of 1 to 16 points, with a graph for each.
func batchSizes(t *testing.T, seed uint64) session {
	const hidden = 20
	rng, dt := rand.New(rand.NewPCG(seed, 23)), tensor.Float32
	w0, b0 := weights(rng, dt, 2, hidden), weights(rng, dt, 1, hidden)
	w1, b1 := weights(rng, dt, hidden, hidden), weights(rng, dt, 1, hidden)
	w2 := weights(rng, dt, hidden, 1)
	return func(s G.Solver) (float64, error) {
		n := 1 + rng.IntN(16)
		points, heights := surface(rng, n)
		g := G.NewGraph()
		x, y := input(g, "x", numbers(dt, points, n, 2)), input(g, "y", numbers(dt, heights, n, 1))
		params := G.Nodes{input(g, "w0", w0), input(g, "b0", b0), input(g, "w1", w1), input(g, "b1", b1), input(g, "w2", w2)}
		h := G.Must(G.Tanh(layer(x, params[0], params[1])))
		h = G.Must(G.Tanh(layer(h, params[2], params[3])))
		cost := meanSquare(G.Must(G.Mul(h, params[4])), y)
		if _, err := G.Grad(cost, params...); err != nil {
			return 0, err
		}
		vm := G.NewTapeMachine(g, G.BindDualValues(params...))
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		loss, err := floats(cost.Value())[0], s.Step(G.NodesToValueGrads(params))
		giveBack(g)
		return loss, err
	}
}
