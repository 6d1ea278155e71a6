package problem

import (
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rosenbrock is Rosenbrock's function of 20 numbers, a bent and narrow valley:
// Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)². There is no noise. Score: its value; the least is 0.
func rosenbrock(t *Task) {
	const n = 20
	x := t.param("x", func() float64 { return -0.5 + 0.05*t.rng.NormFloat64() }, n)
	here := G.Must(G.Slice(x, tensor.S(0, n-1)))
	next := G.Must(G.Slice(x, tensor.S(1, n)))
	valley := G.Must(G.Sum(G.Must(G.Square(G.Must(G.Sub(next, G.Must(G.Square(here))))))))
	ones, hundred := G.NewConstant(tensor.Ones(tensor.Float32, n-1)), G.NewConstant(float32(100))
	slope := G.Must(G.Sum(G.Must(G.Square(G.Must(G.Sub(ones, here))))))
	t.loss = G.Must(G.Add(G.Must(G.Mul(valley, hundred)), slope))
	t.next = func(int) {}
}

// onlineSine fits a sine with a tanh network, one noisy example a step. Score: the mean
// square of prediction minus sine over the interval.
func onlineSine(t *Task) {
	const points = 64
	x, xs := t.input("x", 1, 1)
	y, ys := t.input("y", 1, 1)
	net := t.mlp(G.Tanh, 1, 32, 32, 1)
	var z *G.Node
	z, t.params = net.on(x)
	t.loss = meanSquare(z, y)
	t.next = func(int) {
		at := -3 + 6*t.rng.Float64()
		xs[0], ys[0] = float32(at), float32(math.Sin(2*at)+0.1*t.rng.NormFloat64())
	}
	rows := make([][]float32, points)
	for i := range rows {
		rows[i] = []float32{-3 + 6*float32(i)/(points-1)}
	}
	predict := t.predictor(net, rows)
	t.every = 10
	t.score = func() float64 {
		sum := 0.0
		for i, p := range predict() {
			sum += square(float64(p) - math.Sin(2*float64(rows[i][0])))
		}
		return sum / points
	}
}

// spirals tells three arms of a spiral apart with five tanh layers. Score: the
// cross-entropy of the next batch.
func spirals(t *Task) {
	const arms, batch = 3, 32
	x, xs := t.input("x", batch, 2)
	y, oneHot := t.input("y", batch, arms)
	var z *G.Node
	z, t.params = t.mlp(G.Tanh, 2, 32, 32, 32, 32, 32, arms).on(x)
	t.loss = crossEntropy(z, y)
	labels := make([]byte, batch)
	t.next = func(int) {
		for i := range batch {
			arm, r := t.rng.IntN(arms), t.rng.Float64()
			angle := 5*r + float64(arm)*2*math.Pi/arms + 0.15*t.rng.NormFloat64()
			xs[2*i], xs[2*i+1] = float32(2*r*math.Cos(angle)), float32(2*r*math.Sin(angle))
			labels[i] = byte(arm)
		}
		fillOneHot(oneHot, labels, arms)
	}
}
