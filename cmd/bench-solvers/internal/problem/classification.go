package problem

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
)

// logisticOnline is logistic regression, one example a step. Most gradients are
// small; the few large ones come from misclassified examples. Score: the
// cross-entropy on a test set, minus that of the true weights.
func logisticOnline(inputs int) func(*Task) {
	return func(t *Task) {
		const held = 2000
		x, xs := t.input("x", 1, inputs)
		y, ys := t.input("y", 1, 1)
		w, b := t.param("w", func() float64 { return 0.1 }, inputs, 1), t.param("b", zeros, 1, 1)
		t.loss = logistic(affine(x, w, b), y)

		truth := t.vector(inputs, 1)
		floats.Scale(math.Sqrt(float64(inputs))/floats.Norm(truth, 2), truth)
		t.next = func(int) {
			t.gaussian(xs, nil)
			ys[0] = t.label(dot(xs, truth))
		}
		test := make([]float32, held*inputs)
		t.gaussian(test, nil)
		t.every = 20
		t.score = func() float64 {
			sum := 0.0
			weights, bias := numbers(w), numbers(b)[0]
			for i := range held {
				row := test[i*inputs:][:inputs]
				want := dot(row, truth)
				p := sigmoid(want)
				sum += binaryEntropy(dot(row, weights)+bias, p) - binaryEntropy(want, p)
			}
			return sum / held
		}
	}
}

// sparseFeatures is logistic regression on 2,000 features that are 0 or 1, a few of
// them common and most of them rare. Score: the cross-entropy of each batch before
// it is learned from.
func sparseFeatures(t *Task) {
	const inputs, batch = 2000, 32
	x, xs := t.input("x", batch, inputs)
	y, ys := t.input("y", batch, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	t.loss = logistic(affine(x, w, b), y)

	truth := t.vector(inputs, 1.5)
	t.next = func(int) {
		for i := range batch {
			row := xs[i*inputs:][:inputs]
			for j := range row {
				row[j] = 0
				if t.rng.Float64() < 0.3*math.Min(0.5, 20/float64(j+1)) {
					row[j] = 1
				}
			}
			ys[i] = t.label(dot(row, truth))
		}
	}
}

// rarePositives is logistic regression where about one label in a hundred is 1.
// Score: the cross-entropy on a test set, minus that of the true weights.
func rarePositives(t *Task) {
	const inputs, batch, held = 10, 16, 2000
	x, xs := t.input("x", batch, inputs)
	y, ys := t.input("y", batch, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	t.loss = logistic(affine(x, w, b), y)

	truth := t.vector(inputs, 0.5)
	const offset = -5.5
	t.next = func(int) {
		t.gaussian(xs, nil)
		for i := range batch {
			ys[i] = t.label(dot(xs[i*inputs:][:inputs], truth) + offset)
		}
	}
	test := make([]float32, held*inputs)
	t.gaussian(test, nil)
	t.every = 20
	t.score = func() float64 {
		sum := 0.0
		weights, bias := numbers(w), numbers(b)[0]
		for i := range held {
			row := test[i*inputs:][:inputs]
			want := dot(row, truth) + offset
			p := sigmoid(want)
			sum += binaryEntropy(dot(row, weights)+bias, p) - binaryEntropy(want, p)
		}
		return sum / held
	}
}

// fewBatchesLogistic is fewBatchesSquare with labels 0 or 1 and the logistic loss.
func fewBatchesLogistic(t *Task) {
	fewBatches(t, logistic, func(z float64) float64 { return float64(t.label(2 * z)) }, binaryEntropy,
		func(z, y float64) (slope, curvature float64) { p := sigmoid(z); return p - y, p * (1 - p) })
}

// fewBatches goes through the same 144 examples again and again, in nine batches
// that are drawn anew every epoch. value is the loss of a prediction z, and
// derivatives its first two in z, which newton needs. Score: the loss over all
// examples, minus the least possible.
func fewBatches(t *Task, loss func(z, y *G.Node) *G.Node, target func(z float64) float64,
	value func(z, y float64) float64, derivatives func(z, y float64) (slope, curvature float64)) {
	const batches, batch, inputs = 9, 16, 8
	x, xs := t.input("x", batch, inputs)
	y, ys := t.input("y", batch, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	t.loss = loss(affine(x, w, b), y)

	truth, rows, targets := t.vector(inputs, 1), make([][]float32, batches*batch), make([]float64, batches*batch)
	for i := range rows {
		rows[i] = make([]float32, inputs)
		t.gaussian(rows[i], nil)
		targets[i] = target(dot(rows[i], truth) + 0.5*t.rng.NormFloat64())
	}
	var order []int
	t.next = func(step int) {
		k := step % batches
		if k == 0 {
			order = t.rng.Perm(len(rows))
		}
		for i, j := range order[k*batch:][:batch] {
			copy(xs[i*inputs:], rows[j])
			ys[i] = float32(targets[j])
		}
	}
	mean := func(w []float64) float64 {
		sum := 0.0
		for i, row := range rows {
			sum += value(dot(row, w)+w[inputs], targets[i])
		}
		return sum / float64(len(rows))
	}
	least := mean(newton(rows, targets, derivatives))
	t.every = 10
	t.score = func() float64 { return mean(append(numbers(w), numbers(b)[0])) - least }
}

// newton returns the weights, intercept last, that minimize the sum of a convex
// loss.
func newton(rows [][]float32, targets []float64, derivatives func(z, y float64) (slope, curvature float64)) []float64 {
	n := len(rows[0])
	w := make([]float64, n+1)
	for range 30 {
		gradient, hessian := mat.NewVecDense(n+1, nil), mat.NewSymDense(n+1, nil)
		for i, row := range rows {
			slope, curvature := derivatives(dot(row, w)+w[n], targets[i])
			x := mat.NewVecDense(n+1, nil)
			for j, v := range row {
				x.SetVec(j, float64(v))
			}
			x.SetVec(n, 1)
			gradient.AddScaledVec(gradient, slope, x)
			hessian.SymRankOne(hessian, curvature, x)
		}
		var step mat.VecDense
		if err := step.SolveVec(hessian, gradient); err != nil {
			panic(err) // the rows do not span the inputs
		}
		for j := range w {
			w[j] -= step.AtVec(j)
		}
	}
	return w
}

// label draws a label: 1 with probability sigmoid(z), else 0.
func (t *Task) label(z float64) float32 {
	if t.rng.Float64() < sigmoid(z) {
		return 1
	}
	return 0
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// binaryEntropy is log(1+exp z) − pz, the cross-entropy of a logit z for a label
// that is 1 with probability p.
func binaryEntropy(z, p float64) float64 {
	return math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - p*z
}
