package mnist

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Conv is a small convolutional network that reads digits, in float32, on
// Gorgonia's graph:
//
//	image       1×28×28
//	c1, ReLU    8×12×12   kernels of 5×5, every second pixel
//	c2, ReLU    16×5×5    kernels of 3×3, every second pixel
//	w, b        10        dense, then softmax cross-entropy
//
// The convolutions have no biases. The network has 5362 parameters, a twentieth of
// an MLP's with 128 and 64 hidden units; its training step takes some five times
// that MLP's time with Gorgonia's convolutions (BenchmarkConvRun and
// BenchmarkMLPRun).
//
// It is used as an [MLP] is.
type Conv struct {
	params            G.Nodes
	training, reading convolution // reading, for Evaluate, shares the weights and has no gradients
}

// convolution is one graph for batches of one size.
type convolution struct {
	network
	images *tensor.Dense
}

// The shapes of the layers.
const (
	kernels1, side1, kernel1 = 8, 12, 5
	kernels2, side2, kernel2 = 16, 5, 3
	flat                     = kernels2 * side2 * side2
)

// ConvParameters is the number of parameters of a Conv.
const ConvParameters = kernels1*kernel1*kernel1 + kernels2*kernels1*kernel2*kernel2 + (flat+1)*Classes

// NewConv returns a network for training batches of batch images. Weights are
// Glorot-uniform, from the seed, and biases 0. Close it.
func NewConv(batch int, seed uint64) (*Conv, error) {
	if batch < 1 {
		return nil, fmt.Errorf("mnist: batches of %d images; there must be at least 1", batch)
	}
	building.Lock()
	defer building.Unlock()
	values := convValues(seed)
	c := new(Conv)
	var err error
	if c.params, err = c.training.build(batch, values, true); err != nil {
		return nil, err
	}
	if _, err = c.reading.build(evaluationBatch, values, false); err != nil {
		return nil, err
	}
	return c, nil
}

// convValues makes the weights and biases.
func convValues(seed uint64) []*tensor.Dense {
	rng := rand.New(rand.NewPCG(seed, 0))
	uniform := func(in, out int, shape ...int) *tensor.Dense {
		v := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
		limit := math.Sqrt(6 / float64(in+out))
		for i := range v.Float32s() {
			v.Float32s()[i] = float32((2*rng.Float64() - 1) * limit)
		}
		return v
	}
	const area1, area2 = kernel1 * kernel1, kernel2 * kernel2
	return []*tensor.Dense{
		uniform(area1, kernels1*area1, kernels1, 1, kernel1, kernel1),
		uniform(kernels1*area2, kernels2*area2, kernels2, kernels1, kernel2, kernel2),
		uniform(flat, Classes, flat, Classes),
		tensor.New(tensor.WithShape(1, Classes), tensor.Of(tensor.Float32)),
	}
}

// build makes the graph over these weights and biases.
func (n *convolution) build(batch int, values []*tensor.Dense, trains bool) (params G.Nodes, err error) {
	defer func() {
		if r := recover(); r != nil { // from G.Must
			err = fmt.Errorf("mnist: building the convnet: %v", r)
		}
	}()
	g := G.NewGraph()
	node := func(name string, v *tensor.Dense) *G.Node {
		return G.NewTensor(g, G.Float32, v.Dims(), G.WithName(name), G.WithShape(v.Shape()...), G.WithValue(v))
	}
	n.images = tensor.New(tensor.WithShape(batch, 1, Side, Side), tensor.Of(tensor.Float32))
	n.labels = tensor.New(tensor.WithShape(batch, Classes), tensor.Of(tensor.Float32))
	c1, c2, w, b := node("c1", values[0]), node("c2", values[1]), node("w", values[2]), node("b", values[3])
	params = G.Nodes{c1, c2, w, b}
	h := node("images", n.images)
	for i, c := range params[:2] {
		size := []int{kernel1, kernel2}[i]
		h = G.Must(G.Rectify(G.Must(G.Conv2d(h, c, []int{size, size}, []int{0, 0}, []int{2, 2}, []int{1, 1}))))
	}
	z := G.Must(G.BroadcastAdd(G.Must(G.Mul(G.Must(G.Reshape(h, []int{batch, flat})), w)), b, nil, []byte{0}))
	G.Read(z, &n.logits)
	if !trains {
		n.machine = G.NewTapeMachine(g)
		return params, nil
	}
	loss, err := crossEntropy(z, node("labels", n.labels))
	if err != nil {
		return nil, err
	}
	G.Read(loss, &n.loss)
	if _, err := G.Grad(loss, params...); err != nil {
		return nil, err
	}
	n.machine = G.NewTapeMachine(g, G.BindDualValues(params...))
	return params, nil
}

// Model returns the parameters, for a solver's Step: c1, c2, w, b.
func (c *Conv) Model() []G.ValueGrad { return G.NodesToValueGrads(c.params) }

// Run predicts a batch, Pixels numbers and a label for each image, and adds the
// gradient of its loss to the model's gradients, which a solver's step zeroes.
func (c *Conv) Run(images []float32, labels []byte) error {
	n := &c.training
	pixels, oneHot := n.images.Float32s(), n.labels.Float32s()
	if len(images) != len(pixels) || len(labels)*Classes != len(oneHot) {
		return fmt.Errorf("mnist: a batch of %d pixels and %d labels; the network was made for %d and %d", len(images), len(labels), len(pixels), len(oneHot)/Classes)
	}
	copy(pixels, images)
	clear(oneHot)
	for i, l := range labels {
		if l >= Classes {
			return fmt.Errorf("mnist: label %d of the batch is %d; labels are 0 to %d", i, l, Classes-1)
		}
		oneHot[i*Classes+int(l)] = 1
	}
	return n.forward()
}

func (n *convolution) forward() error {
	defer n.machine.Reset()
	if err := n.machine.RunAll(); err != nil {
		return fmt.Errorf("mnist: running the convnet: %w", err)
	}
	return nil
}

// Loss returns the mean cross-entropy, in nats, of the batch that Run was given
// last. Call Run first.
func (c *Conv) Loss() float64 { return float64(c.training.loss.Data().(float32)) }

// Correct returns how many of these labels, which are those of the batch that Run was
// given last, the network predicted.
func (c *Conv) Correct(labels []byte) int { return c.training.correct(labels) }

// Evaluate returns the fraction of a data set, rotated by an angle in degrees, that
// the network reads correctly. An empty data set is an error.
func (c *Conv) Evaluate(data *Dataset, angle float64) (accuracy float64, err error) {
	if data.Len() == 0 {
		return 0, errors.New("mnist: a data set without images cannot be read")
	}
	n, rotation, correct := &c.reading, NewRotation(angle), 0
	images := n.images.Float32s()
	for first := 0; first < data.Len(); first += evaluationBatch {
		labels := data.Labels[first:min(first+evaluationBatch, data.Len())]
		for k := range labels {
			rotation.Apply(images[k*Pixels:][:Pixels], data.Image(first+k))
		}
		if err := n.forward(); err != nil {
			return 0, err
		}
		correct += n.correct(labels)
	}
	return float64(correct) / float64(data.Len()), nil
}

// Close frees what Gorgonia's machines hold.
func (c *Conv) Close() error {
	var errs []error
	for _, n := range []*convolution{&c.training, &c.reading} {
		errs = append(errs, n.machine.Close())
		runtime.SetFinalizer(n.machine, nil) // as MLP's Close explains
	}
	return errors.Join(errs...)
}
