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

// A curve is a function for a network to fit, of inputs from −reach to reach.
type curve struct {
	truth func(x []float32) float64
	reach float64
	batch int
	noise float64 // standard deviation
	sizes []int   // of the network's layers, input first, with tanh between them
}

func sine(factor float64) func([]float32) float64 {
	return func(x []float32) float64 { return math.Sin(factor * float64(x[0])) }
}

func product(x []float32) float64 { return float64(x[0]) * float64(x[1]) }

// fit fits a curve. Score: the mean squared error over a grid, against the curve
// without noise.
func fit(c curve) func(*Task) {
	return func(t *Task) {
		inputs := c.sizes[0]
		x, xs := t.input("x", c.batch, inputs)
		y, ys := t.input("y", c.batch, 1)
		net := t.mlp(G.Tanh, c.sizes...)
		var z *G.Node
		z, t.params = net.on(x)
		t.loss = meanSquare(z, y)
		t.next = func(int) {
			for i := range ys {
				row := xs[i*inputs:][:inputs]
				for j := range row {
					row[j] = float32(-c.reach + 2*c.reach*t.rng.Float64())
				}
				target := c.truth(row)
				if c.noise > 0 {
					target += c.noise * t.rng.NormFloat64()
				}
				ys[i] = float32(target)
			}
		}
		rows := grid(inputs, float32(c.reach))
		predict := t.predictor(net, rows)
		t.every = 10
		t.score = func() float64 {
			sum := 0.0
			for i, p := range predict() {
				sum += square(float64(p) - c.truth(rows[i]))
			}
			return sum / float64(len(rows))
		}
	}
}

// grid returns 64 points between −reach and reach in each of one or two inputs.
func grid(inputs int, reach float32) [][]float32 {
	side := 64
	if inputs == 2 {
		side = 8
	}
	rows := make([][]float32, 64)
	for i := range rows {
		rest := i
		for range inputs {
			rows[i] = append(rows[i], -reach+2*reach*float32(rest%side)/float32(side-1))
			rest /= side
		}
	}
	return rows
}

// spirals tells three arms of a spiral apart with five tanh layers. Score: the
// cross-entropy of each batch before it is learned from.
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
