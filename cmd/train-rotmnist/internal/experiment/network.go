package experiment

import (
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/mnist"
	"gorgonia.org/gorgonia"
)

// Network reads digits and makes the gradients that a solver learns from. A
// network of another kind needs nothing but these methods.
type Network interface {
	// Run predicts a batch of rotated images, mnist.Pixels numbers from 0 to 1 and
	// a label for each, and adds the gradient of its loss to the model's gradients.
	Run(images []float32, labels []byte) error

	// Loss is the mean loss of the batch that Run was given last.
	Loss() float64

	// Correct is how many of these labels, those of the batch that Run was given last,
	// the network predicted.
	Correct(labels []byte) int

	// Evaluate is the fraction of a data set, rotated by an angle in degrees, that
	// the network reads correctly.
	Evaluate(data *mnist.Dataset, angle float64) (accuracy float64, err error)

	// Model is the float32 parameters, in a fixed order.
	Model() []gorgonia.ValueGrad

	// Close frees what the network holds.
	Close() error
}

// NewNetwork makes a network for training batches of so many images. Networks
// that were made with one seed have the same initial weights.
type NewNetwork func(batch int, seed uint64) (Network, error)

// NetworkOf makes the networks of a protocol.
func NetworkOf(p *results.Protocol) NewNetwork {
	if p.Network == results.Conv {
		return func(batch int, seed uint64) (Network, error) { return mnist.NewConv(batch, seed) }
	}
	return MLP(p.Hidden)
}

// MLP makes multilayer perceptrons with hidden layers of these sizes.
func MLP(hidden []int, opts ...mnist.MLPOption) NewNetwork {
	return func(batch int, seed uint64) (Network, error) { return mnist.NewMLP(hidden, batch, seed, opts...) }
}
