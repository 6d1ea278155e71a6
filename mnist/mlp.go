package mnist

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// MLP is a multilayer perceptron that reads digits: Pixels inputs, hidden
// layers with ReLU, Classes outputs, softmax cross-entropy; in float32, on
// Gorgonia's graph. It makes the same bits of the same weights and images on every
// machine.
//
// It computes predictions, the loss and gradients. What to do with the
// gradients is up to a gorgonia.Solver:
//
//	m.Run(images, labels)
//	s.Step(m.Model())
type MLP struct {
	params   G.Nodes
	training *network
	reading  *network  // evaluation: shares the weights, has no gradients
	rotated  []float32 // the images that Evaluate reads at once
}

// network is one graph for batches of one size.
type network struct {
	machine      G.VM
	images       *G.Node
	labels       *tensor.Dense // one-hot
	logits, loss G.Value
}

// evaluationBatch is how many images Evaluate reads at once.
const evaluationBatch = 500

// building is held while a graph is made. All graphs share Gorgonia's constants, and
// the first graph that uses one writes its hash into it.
var building sync.Mutex

// NewMLP returns a network with hidden layers of these sizes, of which there may be
// none, for training batches of batch images. Weights are Glorot-uniform, from the
// seed, and biases 0. Close it.
func NewMLP(hidden []int, batch int, seed uint64, opts ...MLPOption) (*MLP, error) {
	if batch < 1 {
		return nil, fmt.Errorf("mnist: batches of %d images; there must be at least 1", batch)
	}
	if _, err := Parameters(hidden); err != nil {
		return nil, err
	}
	building.Lock()
	defer building.Unlock()
	with := operations{layer, crossEntropy}
	for _, opt := range opts {
		opt(&with)
	}
	sizes := layers(hidden)
	values := glorot(sizes, seed)
	m := &MLP{rotated: make([]float32, evaluationBatch*Pixels)}
	var err error
	if m.training, m.params, err = newNetwork(with, sizes, batch, values, true); err != nil {
		return nil, err
	}
	if m.reading, _, err = newNetwork(with, sizes, evaluationBatch, values, false); err != nil {
		return nil, err
	}
	return m, nil
}

// layers returns the sizes of all layers.
func layers(hidden []int) []int { return append(append([]int{Pixels}, hidden...), Classes) }

// maxParameters is the greatest number of parameters of an MLP, 4 GB.
const maxParameters = 1_000_000_000

// Parameters returns the number of parameters of an MLP with these hidden layers, or
// why there cannot be one.
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

// glorot makes the weights and biases of layers between these sizes.
func glorot(sizes []int, seed uint64) []*tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	var values []*tensor.Dense
	for i, out := range sizes[1:] {
		in := sizes[i]
		limit := math.Sqrt(6 / float64(in+out))
		w := make([]float32, in*out)
		for k := range w {
			w[k] = float32((2*rng.Float64() - 1) * limit)
		}
		values = append(values,
			tensor.New(tensor.WithShape(in, out), tensor.WithBacking(w)),
			tensor.New(tensor.WithShape(1, out), tensor.Of(tensor.Float32)))
	}
	return values
}

// newNetwork builds a graph over these weights and biases.
func newNetwork(with operations, sizes []int, batch int, values []*tensor.Dense, trains bool) (n *network, params G.Nodes, err error) {
	g := G.NewGraph()
	n = &network{
		images: G.NewMatrix(g, G.Float32, G.WithName("images"), G.WithShape(batch, Pixels)),
		labels: tensor.New(tensor.WithShape(batch, Classes), tensor.Of(tensor.Float32)),
	}
	z, last := n.images, len(sizes)-1
	for i := 1; i <= last; i++ {
		w := G.NewMatrix(g, G.Float32, G.WithName(fmt.Sprintf("w%d", i)), G.WithShape(sizes[i-1], sizes[i]), G.WithValue(values[2*i-2]))
		b := G.NewMatrix(g, G.Float32, G.WithName(fmt.Sprintf("b%d", i)), G.WithShape(1, sizes[i]), G.WithValue(values[2*i-1]))
		params = append(params, w, b)
		if z, err = with.layer(i, z, w, b, i < last); err != nil {
			return nil, nil, err
		}
	}
	G.Read(z, &n.logits)
	if !trains {
		n.machine = G.NewTapeMachine(g)
		return n, params, nil
	}
	y := G.NewMatrix(g, G.Float32, G.WithName("labels"), G.WithShape(batch, Classes), G.WithValue(n.labels))
	loss, err := with.crossEntropy(z, y)
	if err != nil {
		return nil, nil, err
	}
	G.Read(loss, &n.loss)
	if _, err := G.Grad(loss, params...); err != nil {
		return nil, nil, err
	}
	n.machine = G.NewTapeMachine(g, G.BindDualValues(params...))
	return n, params, nil
}

// Model returns the parameters, for a solver's Step: w1, b1, w2, b2, ….
func (m *MLP) Model() []G.ValueGrad { return G.NodesToValueGrads(m.params) }

// Run predicts a batch, Pixels numbers and a label for each image, and adds the
// gradient of its loss to the model's gradients, which a solver's step zeroes.
func (m *MLP) Run(images []float32, labels []byte) error {
	n := m.training
	oneHot, pixels := n.labels.Float32s(), n.images.Shape().TotalSize()
	if len(images) != pixels || len(labels)*Classes != len(oneHot) {
		return fmt.Errorf("mnist: a batch of %d pixels and %d labels; the network was made for %d and %d", len(images), len(labels), pixels, len(oneHot)/Classes)
	}
	clear(oneHot)
	for i, l := range labels {
		if l >= Classes {
			return fmt.Errorf("mnist: label %d of the batch is %d; labels are 0 to %d", i, l, Classes-1)
		}
		oneHot[i*Classes+int(l)] = 1
	}
	return n.run(images)
}

// run reads images where they are.
func (n *network) run(images []float32) error {
	if err := G.Let(n.images, tensor.New(tensor.WithShape(n.images.Shape()...), tensor.WithBacking(images))); err != nil {
		return fmt.Errorf("mnist: %w", err)
	}
	defer n.machine.Reset()
	if err := n.machine.RunAll(); err != nil {
		return fmt.Errorf("mnist: running the network: %w", err)
	}
	return nil
}

// Loss returns the mean cross-entropy, in nats, of the batch that Run was given
// last. Call Run first.
func (m *MLP) Loss() float64 { return float64(m.training.loss.Data().(float32)) }

// Correct returns how many of these labels, which are those of the batch that Run was
// given last, the network predicted.
func (m *MLP) Correct(labels []byte) int { return m.training.correct(labels) }

func (n *network) correct(labels []byte) int {
	logits := n.logits.Data().([]float32)
	correct := 0
	for i, l := range labels {
		if argmax(logits[i*Classes:][:Classes]) == int(l) {
			correct++
		}
	}
	return correct
}

// argmax returns the index of the largest of x, or -1 if one of x is NaN.
func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v != v {
			return -1
		}
		if v > x[best] {
			best = i
		}
	}
	return best
}

// Evaluate returns the fraction of a data set, rotated by an angle in degrees, that
// the network reads correctly. An empty data set is an error.
func (m *MLP) Evaluate(data *Dataset, angle float64) (accuracy float64, err error) {
	if data.Len() == 0 {
		return 0, fmt.Errorf("mnist: a data set without images cannot be read")
	}
	n, rotation, correct := m.reading, NewRotation(angle), 0
	for first := 0; first < data.Len(); first += evaluationBatch {
		labels := data.Labels[first:min(first+evaluationBatch, data.Len())]
		for k := range labels {
			rotation.Apply(m.rotated[k*Pixels:][:Pixels], data.Image(first+k))
		}
		if err := n.run(m.rotated); err != nil {
			return 0, err
		}
		correct += n.correct(labels)
	}
	return float64(correct) / float64(data.Len()), nil
}

// Close frees what Gorgonia's machines hold.
func (m *MLP) Close() error {
	var errs []error
	for _, n := range []*network{m.training, m.reading} {
		errs = append(errs, n.machine.Close())
		// Gorgonia gives its machines a finalizer. They are parts of cycles, and Go
		// never frees a cycle with a finalizer.
		runtime.SetFinalizer(n.machine, nil)
	}
	return errors.Join(errs...)
}
