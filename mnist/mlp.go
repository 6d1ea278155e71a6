package mnist

import (
	"fmt"
	"math"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// MLP is a multilayer perceptron that reads digits: Pixels inputs, hidden
// layers with ReLU, Classes outputs, softmax cross-entropy; in float32, on
// Gorgonia's graph. From the same weights and images it computes the same bits on
// every machine.
//
// It computes predictions, the loss and gradients. What to do with the
// gradients is up to a gorgonia.Solver:
//
//	m.Run(images, labels)
//	s.Step(m.Model())
//
// The model is w1, b1, w2, b2, ….
type MLP struct{ reader }

// NewMLP returns a network with hidden layers of these sizes, of which there may be
// none, for training batches of batch images, at least 1. A layer must have at least one
// unit, and the network at most 1e9 parameters. Weights are Glorot-uniform, from the
// seed, and biases 0. Close it.
func NewMLP(hidden []int, batch int, seed uint64, opts ...MLPOption) (*MLP, error) {
	if _, err := Parameters(hidden); err != nil {
		return nil, err
	}
	with := operations{layer, crossEntropy}
	for _, opt := range opts {
		opt(&with)
	}
	sizes := layers(hidden)
	values := mlpValues(sizes, seed)
	r, err := newReader(batch, func(n *network, g *G.ExprGraph) (*G.Node, error) { return n.perceptron(g, with, sizes, values) }, with.crossEntropy)
	if err != nil {
		return nil, err
	}
	return &MLP{*r}, nil
}

// layers returns the sizes of all layers.
func layers(hidden []int) []int { return append(append([]int{Pixels}, hidden...), Classes) }

// maxParameters is the greatest number of parameters of an MLP, 4 GB.
const maxParameters = 1_000_000_000

// Parameters returns the number of parameters of an MLP with these hidden layers, or
// an error if there cannot be one.
func Parameters(hidden []int) (int, error) {
	sizes, n := layers(hidden), int64(0)
	for i, out := range sizes[1:] {
		if out < 1 || out > maxParameters {
			return 0, fmt.Errorf("mnist: a hidden layer of %d units; it must have at least 1, and the network at most %d parameters", out, maxParameters)
		}
		if n += int64(sizes[i]+1) * int64(out); n > maxParameters {
			return 0, fmt.Errorf("mnist: hidden layers of %v units make more than %d parameters; make them smaller", hidden, maxParameters)
		}
	}
	return int(n), nil
}

// mlpValues makes the weights and biases of layers between these sizes.
func mlpValues(sizes []int, seed uint64) []*tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	var values []*tensor.Dense
	for i, out := range sizes[1:] {
		in := sizes[i]
		values = append(values,
			glorot(rng, in, out, in, out),
			tensor.New(tensor.WithShape(1, out), tensor.Of(tensor.Float32)))
	}
	return values
}

// glorot makes a tensor of Glorot-uniform weights, for a layer with fan-in in and
// fan-out out.
func glorot(rng *rand.Rand, in, out int, shape ...int) *tensor.Dense {
	v := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	limit := math.Sqrt(6 / float64(in+out))
	for i := range v.Float32s() {
		v.Float32s()[i] = float32((2*rng.Float64() - 1) * limit)
	}
	return v
}

// perceptron adds the layers, over these weights and biases, and returns their output.
func (n *network) perceptron(g *G.ExprGraph, with operations, sizes []int, values []*tensor.Dense) (z *G.Node, err error) {
	n.images = G.NewMatrix(g, G.Float32, G.WithName("images"), G.WithShape(n.batch, Pixels))
	z, last := n.images, len(sizes)-1
	for i := 1; i <= last; i++ {
		w := G.NewMatrix(g, G.Float32, G.WithName(fmt.Sprintf("w%d", i)), G.WithShape(sizes[i-1], sizes[i]), G.WithValue(values[2*i-2]))
		b := G.NewMatrix(g, G.Float32, G.WithName(fmt.Sprintf("b%d", i)), G.WithShape(1, sizes[i]), G.WithValue(values[2*i-1]))
		n.params = append(n.params, w, b)
		if z, err = with.layer(i, z, w, b, i < last); err != nil {
			return nil, err
		}
	}
	return z, nil
}
