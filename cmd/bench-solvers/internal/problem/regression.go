package problem

import (
	"math"

	G "gorgonia.org/gorgonia"
)

// illConditioned is least squares whose inputs differ thirtyfold in size, and whose
// true weights are larger for smaller inputs. Score: the expected squared error,
// without the noise.
func illConditioned(t *Task) {
	const inputs, batch = 50, 16
	x, xs := t.input("x", batch, inputs)
	y, ys := t.input("y", batch, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	t.loss = meanSquare(affine(x, w, b), y)

	size, truth := make([]float64, inputs), make([]float64, inputs)
	for j := range inputs {
		size[j] = math.Pow(10, -1.5*float64(j)/(inputs-1))
		truth[j] = 0.3 * t.rng.NormFloat64() / size[j]
	}
	t.next = func(int) {
		for i := range batch {
			row := xs[i*inputs:][:inputs]
			t.gaussian(row, size)
			ys[i] = float32(dot(row, truth) + 1 + 0.1*t.rng.NormFloat64())
		}
	}
	t.score = func() float64 {
		sum := square(numbers(b)[0] - 1)
		for j, v := range numbers(w) {
			sum += square((v - truth[j]) * size[j])
		}
		return sum
	}
}

// heavyTails is regression on the absolute error, one example a step, where one
// target in ten is far off.
func heavyTails(t *Task) {
	pinball(t, 5, 0.5, 0, func() float64 {
		if t.rng.Float64() < 0.1 {
			return 30 * t.rng.NormFloat64()
		}
		return t.rng.NormFloat64()
	})
}

// quantile is regression of the 0.9-quantile, one example a step. Gradients are as
// large at the end as at the beginning.
func quantile(t *Task) {
	const normal90 = 1.2815515655446004 // the standard normal distribution's 0.9-quantile
	pinball(t, 5, 0.9, normal90, t.rng.NormFloat64)
}

// pinball is regression of the quantile q, with the loss max(qr, (q−1)r), r = y − z.
// offset is the q-quantile of the noise. Score: the mean of the bias's absolute
// error and the weights' mean absolute error.
func pinball(t *Task, inputs int, q, offset float64, noise func() float64) {
	x, xs := t.input("x", 1, inputs)
	y, ys := t.input("y", 1, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	r := G.Must(G.Sub(y, affine(x, w, b)))
	// max(qr, (q−1)r) = |r|/2 + (q−½)r
	half, slope := G.NewConstant(float32(0.5)), G.NewConstant(float32(q-0.5))
	t.loss = G.Must(G.Add(G.Must(G.Mul(G.Must(G.Mean(G.Must(G.Abs(r)))), half)), G.Must(G.Mul(G.Must(G.Mean(r)), slope))))

	truth := t.vector(inputs, 1)
	t.next = func(int) {
		t.gaussian(xs, nil)
		ys[0] = float32(dot(xs, truth) + noise())
	}
	t.score = func() float64 {
		sum := 0.0
		for j, v := range numbers(w) {
			sum += math.Abs(v - truth[j])
		}
		return (sum/float64(inputs) + math.Abs(numbers(b)[0]-offset)) / 2
	}
}

// poisson is regression of counts. The rate is exp(x·w + b), so a step that is too
// long is punished exponentially. Score: the mean Kullback–Leibler divergence of the
// predicted rates from the true ones, on a test set.
func poisson(t *Task) {
	const inputs, batch, held = 10, 16, 500
	x, xs := t.input("x", batch, inputs)
	y, ys := t.input("y", batch, 1)
	w, b := t.param("w", zeros, inputs, 1), t.param("b", zeros, 1, 1)
	z := affine(x, w, b)
	t.loss = G.Must(G.Mean(G.Must(G.Sub(G.Must(G.Exp(z)), G.Must(G.HadamardProd(y, z))))))

	truth := t.vector(inputs, 0.3)
	rate := func(row []float32) float64 { return math.Exp(dot(row, truth) + 0.5) }
	t.next = func(int) {
		t.gaussian(xs, nil)
		for i := range batch {
			ys[i] = float32(t.count(rate(xs[i*inputs:][:inputs])))
		}
	}
	test := make([]float32, held*inputs)
	t.gaussian(test, nil)
	t.every = 10
	t.score = func() float64 {
		sum := 0.0
		for i := range held {
			row := test[i*inputs:][:inputs]
			is, want := dot(row, numbers(w))+numbers(b)[0], rate(row)
			sum += math.Exp(is) - want - want*(is-math.Log(want))
		}
		return sum / held
	}
}

// count draws from the Poisson distribution.
func (t *Task) count(rate float64) int {
	n := 0
	for p := t.rng.Float64(); p > math.Exp(-rate); p *= t.rng.Float64() {
		n++
	}
	return n
}

// fewBatchesSquare is least squares on nine batches an epoch, drawn anew from the
// same examples: consecutive gradients point apart however short the steps are.
func fewBatchesSquare(t *Task) {
	fewBatches(t, meanSquare, func(z float64) float64 { return z },
		func(z, y float64) float64 { return square(z - y) },
		func(z, y float64) (slope, curvature float64) { return 2 * (z - y), 2 })
}

// numbers copies the current values of a parameter.
func numbers(param *G.Node) []float64 {
	v := param.Value().Data().([]float32)
	x := make([]float64, len(v))
	for i, f := range v {
		x[i] = float64(f)
	}
	return x
}

// vector returns n Gaussian numbers.
func (t *Task) vector(n int, deviation float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = deviation * t.rng.NormFloat64()
	}
	return v
}

// gaussian fills x with Gaussian numbers of these standard deviations; nil means 1
// for each.
func (t *Task) gaussian(x []float32, deviations []float64) {
	for j := range x {
		v := t.rng.NormFloat64()
		if deviations != nil {
			v *= deviations[j]
		}
		x[j] = float32(v)
	}
}

func dot(x []float32, w []float64) float64 {
	sum := 0.0
	for j, v := range x {
		sum += float64(v) * w[j]
	}
	return sum
}

func square(x float64) float64 { return x * x }
