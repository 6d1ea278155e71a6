package mnist

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// crossEntropy is the mean over the rows of −log softmax(z)·y. Each row's maximum
// is subtracted first, so that no exponential overflows. (Gorgonia's own softmax
// subtracts one maximum for the whole matrix, and a row far below it becomes NaN.)
func crossEntropy(z, y *G.Node) (*G.Node, error) {
	rows, columns := z.Shape()[0], z.Shape()[1]
	softmax := make([]float32, rows*columns) // for the gradient
	o := &op{name: "cross-entropy", shape: tensor.ScalarShape()}
	o.compute = func(loss []float32, inputs [][]float32) {
		total := 0.0
		for i := 0; i < len(softmax); i += columns {
			total += rowCrossEntropy(softmax[i:i+columns], inputs[0][i:i+columns], inputs[1][i:i+columns])
		}
		loss[0] = float32(total / float64(rows))
	}
	o.gradients = func(loss, gradient *G.Node) (G.Nodes, error) {
		d := &op{name: "gradient of cross-entropy", shape: z.Shape()}
		d.compute = func(dz []float32, inputs [][]float32) {
			y, mean := inputs[1], inputs[2][0]/float32(rows)
			for i, p := range softmax {
				dz[i] = (p - y[i]) * mean
			}
		}
		// The loss is an input so that it is computed first: it fills softmax.
		dz, err := d.apply(G.Nodes{loss, y, gradient})
		return G.Nodes{dz, nil}, err
	}
	return o.apply(G.Nodes{z, y}, true, false)
}

// rowCrossEntropy returns −log softmax(z)·y, and fills softmax.
func rowCrossEntropy(softmax, z, y []float32) float64 {
	highest := z[0]
	for _, v := range z {
		highest = max(highest, v)
	}
	sum, chosen := 0.0, 0.0
	for i, v := range z {
		shifted := float64(v - highest)
		e := exp(shifted)
		softmax[i] = float32(e)
		sum += e
		chosen += float64(shifted * float64(y[i]))
	}
	for i := range softmax {
		softmax[i] = float32(float64(softmax[i]) / sum)
	}
	return log(sum) - chosen
}

// exp and log are exact to about 1e-12 and have the same bits on every machine,
// which those of package math do not promise.

// exp is e^x for x ≤ 0; below −708 it is e^−708, as good as 0. With x = k ln 2 + r it
// is 2^k e^r, |r| ≤ ln(2)/2, by the Taylor series.
func exp(x float64) float64 {
	// ln 2 in two parts; the first has few bits, so that k·ln2High is exact.
	const ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	x = max(x, -708)
	k := math.RoundToEven(float64(x * (1 / math.Ln2)))
	r := x - float64(k*ln2High) - float64(k*ln2Low)
	e := 1. / 3628800
	for _, c := range [...]float64{1. / 362880, 1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2, 1, 1} {
		e = float64(e*r) + c
	}
	return e * math.Float64frombits(uint64(int64(k)+1023)<<52)
}

// log is the logarithm of x ≥ 1. With x = 2^k m it is k ln 2 + log m, where log m =
// 2 artanh s with s = (m−1)/(m+1), |s| < 0.172, by its series.
func log(x float64) float64 {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := (m - 1) / (m + 1)
	s2 := float64(s * s)
	sum := 0.0
	for n := 15.0; n > 0; n -= 2 {
		sum = float64(sum*s2) + 1/n
	}
	return float64(float64(k)*math.Ln2) + float64(2*float64(s*sum))
}
