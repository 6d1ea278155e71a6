package mnist

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// reader is a network that reads digits: what an MLP and a Conv have in common.
type reader struct {
	training *network
	reading  *network  // for Evaluate: shares the weights, has no gradients
	rotated  []float32 // the images that Evaluate reads at once
}

// network is one graph for batches of one size.
type network struct {
	batch        int
	machine      G.VM
	params       G.Nodes
	images       *G.Node
	labels       *tensor.Dense // one-hot
	logits, loss G.Value
}

// evaluationBatch is how many images Evaluate reads at once.
const evaluationBatch = 500

// building is held while a graph is made. All graphs share Gorgonia's constants, and
// the first graph that uses one writes its hash into it.
var building sync.Mutex

// newReader builds both graphs. layers sets a network's parameters and images, and
// returns its output.
func newReader(batch int, layers func(*network, *G.ExprGraph) (*G.Node, error), crossEntropy func(z, y *G.Node) (*G.Node, error)) (*reader, error) {
	if batch < 1 {
		return nil, fmt.Errorf("mnist: batches of %d images; there must be at least 1", batch)
	}
	building.Lock()
	defer building.Unlock()
	r := &reader{training: &network{batch: batch}, reading: &network{batch: evaluationBatch}, rotated: make([]float32, evaluationBatch*Pixels)}
	for _, n := range []*network{r.training, r.reading} {
		g := G.NewGraph()
		z, err := layers(n, g)
		if err != nil {
			return nil, err
		}
		G.Read(z, &n.logits)
		if n == r.reading {
			n.machine = G.NewTapeMachine(g)
		} else if err := n.train(g, z, crossEntropy); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// train adds the loss and the gradients.
func (n *network) train(g *G.ExprGraph, z *G.Node, crossEntropy func(z, y *G.Node) (*G.Node, error)) error {
	n.labels = tensor.New(tensor.WithShape(n.batch, Classes), tensor.Of(tensor.Float32))
	loss, err := crossEntropy(z, G.NewMatrix(g, G.Float32, G.WithName("labels"), G.WithShape(n.batch, Classes), G.WithValue(n.labels)))
	if err != nil {
		return err
	}
	G.Read(loss, &n.loss)
	if _, err := G.Grad(loss, n.params...); err != nil {
		return err
	}
	n.machine = G.NewTapeMachine(g, G.BindDualValues(n.params...))
	return nil
}

// Model returns the parameters, for a solver's Step.
func (r *reader) Model() []G.ValueGrad { return G.NodesToValueGrads(r.training.params) }

// Run predicts a batch, which has a label and Pixels numbers from 0 to 1 for each image,
// and adds the gradient of its loss to the model's gradients, which a solver's
// step zeroes. A batch of another size than the network was made for, or a label that is
// not below Classes, is an error, and changes nothing.
func (r *reader) Run(images []float32, labels []byte) error {
	n := r.training
	if len(images) != n.batch*Pixels || len(labels) != n.batch {
		return fmt.Errorf("mnist: a batch of %d pixels and %d labels; the network was made for %d and %d", len(images), len(labels), n.batch*Pixels, n.batch)
	}
	oneHot := n.labels.Float32s()
	clear(oneHot)
	for i, l := range labels {
		if l >= Classes {
			return fmt.Errorf("mnist: label %d of the batch is %d; labels are 0 to %d", i, l, Classes-1)
		}
		oneHot[i*Classes+int(l)] = 1
	}
	return n.run(images)
}

// run runs the graph on images, without copying them.
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
func (r *reader) Loss() float64 { return float64(r.training.loss.Data().(float32)) }

// Correct returns how many of these labels the network predicted. They must be those
// of the batch that Run was given last.
func (r *reader) Correct(labels []byte) int { return r.training.correct(labels) }

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

// argmax returns the index of the largest number, or -1 if one of them is NaN.
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
func (r *reader) Evaluate(data *Dataset, angle float64) (accuracy float64, err error) {
	if data.Len() == 0 {
		return 0, errors.New("mnist: a data set without images cannot be read")
	}
	rotation, correct := NewRotation(angle), 0
	for first := 0; first < data.Len(); first += evaluationBatch {
		labels := data.Labels[first:min(first+evaluationBatch, data.Len())]
		for k := range labels {
			rotation.Apply(r.rotated[k*Pixels:][:Pixels], data.Image(first+k))
		}
		if err := r.reading.run(r.rotated); err != nil {
			return 0, err
		}
		correct += r.reading.correct(labels)
	}
	return float64(correct) / float64(data.Len()), nil
}

// Close frees what Gorgonia's machines hold.
func (r *reader) Close() error {
	var errs []error
	for _, n := range []*network{r.training, r.reading} {
		errs = append(errs, n.machine.Close())
		// Gorgonia gives its machines a finalizer. They are parts of cycles, and Go
		// never frees a cycle with a finalizer.
		runtime.SetFinalizer(n.machine, nil)
	}
	return errors.Join(errs...)
}
