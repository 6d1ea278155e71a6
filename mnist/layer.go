package mnist

import (
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/solver/blas"
	gonum "gonum.org/v1/gonum/blas"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// layer is max(xw + b, 0), or xw + b if it does not rectify, where b is added to
// every row. number counts the layers from 1; the first needs no gradient of x.
func layer(number int, x, w, b *G.Node, rectifies bool) (*G.Node, error) {
	rows, in, out := x.Shape()[0], w.Shape()[0], w.Shape()[1]
	o := &op{name: fmt.Sprint("layer ", number), shape: tensor.Shape{rows, out}}
	o.compute = func(h []float32, inputs [][]float32) {
		x, w, b := inputs[0], inputs[1], inputs[2]
		for i := range rows {
			copy(h[i*out:][:out], b)
		}
		blas.Implementation{}.Sgemm(gonum.NoTrans, gonum.NoTrans, rows, out, in, 1, x, in, w, out, 1, h, out)
		if rectifies {
			rectify(h)
		}
	}
	o.gradients = func(h, dh *G.Node) (gradients G.Nodes, err error) {
		dz := dh
		if rectifies {
			if dz, err = rectified(number, h, dh); err != nil {
				return nil, err
			}
		}
		dx := (*G.Node)(nil)
		if number > 1 {
			if dx, err = product(fmt.Sprint("gradient of x", number), dz, w, gonum.NoTrans, gonum.Trans); err != nil {
				return nil, err
			}
		}
		dw, err := product(fmt.Sprint("gradient of w", number), x, dz, gonum.Trans, gonum.NoTrans)
		if err != nil {
			return nil, err
		}
		db, err := columnSums(fmt.Sprint("gradient of b", number), dz)
		return G.Nodes{dx, dw, db}, err
	}
	return o.apply(G.Nodes{x, w, b}, number > 1, true, true)
}

func rectify(x []float32) {
	for i, v := range x {
		x[i] = max(v, 0) // NaN stays
	}
}

// rectified is the gradient of z, given h = max(z, 0) and its gradient.
func rectified(number int, h, dh *G.Node) (*G.Node, error) {
	o := &op{name: fmt.Sprint("gradient of z", number), shape: h.Shape()}
	o.compute = func(dz []float32, inputs [][]float32) {
		h, dh := inputs[0][:len(dz)], inputs[1][:len(dz)]
		for i := range dz {
			// Without a branch: the signs are hard to predict.
			positive := -int32(math.Float32bits(h[i])) >> 31 // all bits, or none
			dz[i] = math.Float32frombits(math.Float32bits(dh[i]) & uint32(positive))
		}
	}
	return o.apply(G.Nodes{h, dh})
}

// product is ab, after a and b have been transposed as tA and tB say.
func product(name string, a, b *G.Node, tA, tB gonum.Transpose) (*G.Node, error) {
	lda, ldb := a.Shape()[1], b.Shape()[1]
	m, k := a.Shape()[0], a.Shape()[1]
	if tA == gonum.Trans {
		m, k = k, m
	}
	n := b.Shape()[1]
	if tB == gonum.Trans {
		n = b.Shape()[0]
	}
	o := &op{name: name, shape: tensor.Shape{m, n}}
	o.compute = func(c []float32, inputs [][]float32) {
		blas.Implementation{}.Sgemm(tA, tB, m, n, k, 1, inputs[0], lda, inputs[1], ldb, 0, c, n)
	}
	return o.apply(G.Nodes{a, b})
}

// columnSums is 1ᵀx, a matrix with one row.
func columnSums(name string, x *G.Node) (*G.Node, error) {
	rows, columns := x.Shape()[0], x.Shape()[1]
	ones := make([]float32, rows)
	for i := range ones {
		ones[i] = 1
	}
	o := &op{name: name, shape: tensor.Shape{1, columns}}
	o.compute = func(sums []float32, inputs [][]float32) {
		blas.Implementation{}.Sgemv(gonum.Trans, rows, columns, 1, inputs[0], columns, ones, 1, 0, sums, 1)
	}
	return o.apply(G.Nodes{x})
}
