package mnist

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operations make the parts of a network's graph.
type operations struct {
	layer        func(number int, x, w, b *G.Node, rectifies bool) (*G.Node, error)
	crossEntropy func(z, y *G.Node) (*G.Node, error)
}

// An MLPOption is an option of NewMLP.
type MLPOption func(*operations)

// GorgoniaOperations makes the network of Gorgonia's own operations. They are
// several times as slow, and the last bits of their results depend on the processor
// and the BLAS. They are for resuming a training that began with them.
func GorgoniaOperations() MLPOption {
	return func(o *operations) { *o = operations{gorgoniaLayer, gorgoniaCrossEntropy} }
}

func gorgoniaLayer(_ int, x, w, b *G.Node, rectifies bool) (*G.Node, error) {
	xw, err := G.Mul(x, w)
	if err != nil {
		return nil, err
	}
	z, err := G.BroadcastAdd(xw, b, nil, []byte{0})
	if err != nil || !rectifies {
		return z, err
	}
	return G.Rectify(z)
}

func gorgoniaCrossEntropy(z, y *G.Node) (loss *G.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // from G.Must
			loss, err = nil, fmt.Errorf("mnist: building the loss: %v", r)
		}
	}()
	rows := z.Shape()[0]
	highest := G.Must(G.Reshape(G.Must(G.Max(z, 1)), tensor.Shape{rows, 1}))
	shifted := G.Must(G.BroadcastSub(z, highest, nil, []byte{1}))
	normalizer := G.Must(G.Log(G.Must(G.Sum(G.Must(G.Exp(shifted)), 1))))
	chosen := G.Must(G.Sum(G.Must(G.HadamardProd(shifted, y)), 1))
	return G.Mean(G.Must(G.Sub(normalizer, chosen)))
}
