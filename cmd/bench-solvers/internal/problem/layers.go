package problem

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// affine is x·w + b, where b is one row.
func affine(x, w, b *G.Node) *G.Node { return addRow(G.Must(G.Mul(x, w)), b) }

// addRow adds one row to every row of x.
func addRow(x, row *G.Node) *G.Node { return G.Must(G.BroadcastAdd(x, row, nil, []byte{0})) }

// mlp has the weights of a multilayer perceptron: Glorot-uniform, with biases 0.
type mlp struct {
	weights, biases []*tensor.Dense
	activation      func(*G.Node) (*G.Node, error) // between layers
}

// mlp makes a network with layers of these sizes, input first.
func (t *Task) mlp(activation func(*G.Node) (*G.Node, error), sizes ...int) *mlp {
	m := &mlp{activation: activation}
	for i, out := range sizes[1:] {
		m.weights = append(m.weights, values(t.glorot(sizes[i], out), sizes[i], out))
		m.biases = append(m.biases, values(zeros, 1, out))
	}
	return m
}

// glorot returns an initializer for the weights between so many inputs and outputs.
func (t *Task) glorot(in, out int) func() float64 {
	limit := math.Sqrt(6 / float64(in+out))
	return func() float64 { return (2*t.rng.Float64() - 1) * limit }
}

// on applies the network to x, and returns its weights' nodes in x's graph.
func (m *mlp) on(x *G.Node) (out *G.Node, params G.Nodes) {
	for i := range m.weights {
		w := nodeOf(x.Graph(), fmt.Sprintf("w%d", i+1), m.weights[i])
		b := nodeOf(x.Graph(), fmt.Sprintf("b%d", i+1), m.biases[i])
		if i > 0 {
			x = G.Must(m.activation(x))
		}
		x = affine(x, w, b)
		params = append(params, w, b)
	}
	return x, params
}

// predictor returns a function that applies the network, with its current weights,
// to these rows of inputs. The next call overwrites the result.
func (t *Task) predictor(m *mlp, rows [][]float32) func() []float32 {
	g := G.NewGraph()
	x, data := inputOf(g, "rows", len(rows), len(rows[0]))
	for i, row := range rows {
		copy(data[i*len(row):], row)
	}
	out, _ := m.on(x)
	var value G.Value
	G.Read(out, &value)
	machine := t.run(g)
	return func() []float32 {
		defer machine.Reset()
		if err := machine.RunAll(); err != nil {
			panic(err) // never: the shapes do not change
		}
		return value.Data().([]float32)
	}
}

// meanSquare is the mean of (z−y)².
func meanSquare(z, y *G.Node) *G.Node {
	return G.Must(G.Mean(G.Must(G.Square(G.Must(G.Sub(z, y))))))
}

// logistic is the mean of log(1+exp z) − yz, the cross-entropy of logits z for
// labels y, 0 or 1.
func logistic(z, y *G.Node) *G.Node {
	return G.Must(G.Mean(G.Must(G.Sub(G.Must(G.Softplus(z)), G.Must(G.HadamardProd(z, y))))))
}

// crossEntropy is the mean over the rows of −log softmax(z)·y, where y weights
// the classes; one-hot for labels. Each row's maximum is subtracted first, so that
// no exponential overflows.
func crossEntropy(z, y *G.Node) *G.Node {
	rows := z.Shape()[0]
	highest := G.Must(G.Reshape(G.Must(G.Max(z, 1)), tensor.Shape{rows, 1}))
	shifted := G.Must(G.BroadcastSub(z, highest, nil, []byte{1}))
	normalizer := G.Must(G.Log(G.Must(G.Sum(G.Must(G.Exp(shifted)), 1))))
	chosen := G.Must(G.Sum(G.Must(G.HadamardProd(shifted, y)), 1))
	total := G.Must(G.HadamardProd(normalizer, G.Must(G.Sum(y, 1))))
	return G.Must(G.Mean(G.Must(G.Sub(total, chosen))))
}
