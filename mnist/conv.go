package mnist

import (
	"fmt"
	"math/rand/v2"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Conv is a small convolutional network that reads digits, in float32, on
// Gorgonia's graph:
//
//	image       1×28×28
//	c1, ReLU    8×12×12   kernels of 5×5, stride 2
//	c2, ReLU    16×5×5    kernels of 3×3, stride 2
//	w, b        10        dense, then softmax cross-entropy
//
// The convolutions have no biases. The network has 5362 parameters, a twentieth of
// an MLP's with 128 and 64 hidden units; its training step takes some five times
// that MLP's time with Gorgonia's convolutions (BenchmarkConvRun and
// BenchmarkMLPRun).
//
// It is used as an [MLP] is. The model is c1, c2, w, b.
type Conv struct{ reader }

// The shapes of the layers.
const (
	kernels1, side1, kernel1 = 8, 12, 5
	kernels2, side2, kernel2 = 16, 5, 3
	flat                     = kernels2 * side2 * side2
)

// ConvParameters is the number of parameters of a Conv.
const ConvParameters = kernels1*kernel1*kernel1 + kernels2*kernels1*kernel2*kernel2 + (flat+1)*Classes

// NewConv returns a network for training batches of batch images, at least 1. Weights
// are Glorot-uniform, from the seed, and biases 0. Close it.
func NewConv(batch int, seed uint64) (*Conv, error) {
	values := convValues(seed)
	r, err := newReader(batch, func(n *network, g *G.ExprGraph) (*G.Node, error) { return n.convolutions(g, values) }, crossEntropy)
	if err != nil {
		return nil, err
	}
	return &Conv{*r}, nil
}

// convValues makes the weights and biases.
func convValues(seed uint64) []*tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	const area1, area2 = kernel1 * kernel1, kernel2 * kernel2
	return []*tensor.Dense{
		glorot(rng, area1, kernels1*area1, kernels1, 1, kernel1, kernel1),
		glorot(rng, kernels1*area2, kernels2*area2, kernels2, kernels1, kernel2, kernel2),
		glorot(rng, flat, Classes, flat, Classes),
		tensor.New(tensor.WithShape(1, Classes), tensor.Of(tensor.Float32)),
	}
}

// convolutions adds the layers, over these weights and biases, and returns their output.
func (n *network) convolutions(g *G.ExprGraph, values []*tensor.Dense) (z *G.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // from G.Must
			err = fmt.Errorf("mnist: building the convnet: %v", r)
		}
	}()
	for i, v := range values {
		n.params = append(n.params, G.NewTensor(g, G.Float32, v.Dims(), G.WithName([]string{"c1", "c2", "w", "b"}[i]), G.WithShape(v.Shape()...), G.WithValue(v)))
	}
	n.images = G.NewTensor(g, G.Float32, 4, G.WithName("images"), G.WithShape(n.batch, 1, Side, Side))
	h := n.images
	for i, c := range n.params[:2] {
		size := []int{kernel1, kernel2}[i]
		h = G.Must(G.Rectify(G.Must(G.Conv2d(h, c, []int{size, size}, []int{0, 0}, []int{2, 2}, []int{1, 1}))))
	}
	w, b := n.params[2], n.params[3]
	return G.BroadcastAdd(G.Must(G.Mul(G.Must(G.Reshape(h, []int{n.batch, flat})), w)), b, nil, []byte{0})
}
