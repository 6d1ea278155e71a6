package mnist

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is an operation on float32 for Gorgonia's graph. Its results have the same bits
// on every machine, which not all of Gorgonia's have, and reuse their memory.
type op struct {
	name    string // unique in the graph
	shape   tensor.Shape
	compute func(result []float32, inputs [][]float32)
	// gradients returns the gradients of the inputs, given the output's; nil for an
	// input that needs none.
	gradients func(output, gradient *G.Node) (G.Nodes, error)

	inputs []tensor.Shape
	needs  []bool // which inputs need gradients
	result *tensor.Dense
}

var _ G.SDOp = (*op)(nil)

// apply adds the operation to the graph of its inputs. needs says which need
// gradients.
func (o *op) apply(inputs G.Nodes, needs ...bool) (*G.Node, error) {
	for _, n := range inputs {
		o.inputs = append(o.inputs, n.Shape())
	}
	o.needs = needs
	o.result = tensor.New(tensor.WithShape(o.shape...), tensor.Of(tensor.Float32))
	return G.ApplyOp(o, inputs...)
}

// Do computes the result.
func (o *op) Do(inputs ...G.Value) (G.Value, error) {
	data := make([][]float32, len(inputs))
	for i, v := range inputs {
		switch v := v.(type) {
		case *G.F32:
			data[i] = []float32{float32(*v)}
		case *tensor.Dense:
			data[i] = v.Float32s()
		}
		if len(data[i]) != o.inputs[i].TotalSize() {
			return nil, fmt.Errorf("mnist: input %d of %s is a %T of shape %v; it was made for shape %v", i, o, v, v.Shape(), o.inputs[i])
		}
	}
	o.compute(o.result.Float32s(), data)
	return o.result, nil
}

// SymDiff adds the gradients of the inputs to the graph.
func (o *op) SymDiff(_ G.Nodes, output, gradient *G.Node) (G.Nodes, error) {
	return o.gradients(output, gradient)
}

func (o *op) DiffWRT(int) []bool                             { return o.needs }
func (o *op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape, nil }
func (o *op) Arity() int                                     { return len(o.inputs) }
func (o *op) OverwritesInput() int                           { return -1 }
func (o *op) ReturnsPtr() bool                               { return false }
func (o *op) CallsExtern() bool                              { return false }
func (o *op) String() string                                 { return o.name }

func (o *op) Type() hm.Type {
	var types []hm.Type
	for _, s := range append(o.inputs[:len(o.inputs):len(o.inputs)], o.shape) {
		if s.IsScalar() {
			types = append(types, G.Float32)
		} else {
			types = append(types, G.TensorType{Dims: s.Dims(), Of: G.Float32})
		}
	}
	return hm.NewFnType(types...)
}

// WriteHash writes the unique name: Gorgonia merges operations with equal hashes.
func (o *op) WriteHash(h hash.Hash) { fmt.Fprint(h, o.name) }

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}
