package solver_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Programs with one graph.

// convnet tells horizontal bars, vertical bars and crosses in noise apart.
func convnet(t *testing.T, seed uint64) session {
	const batch, size, filters, classes = 16, 8, 6, 3
	rng, dt := rand.New(rand.NewPCG(seed, 1)), tensor.Float32
	g := G.NewGraph()
	x := G.NewTensor(g, dt, 4, G.WithName("x"), G.WithShape(batch, 1, size, size))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, classes))
	w0 := input(g, "w0", weights(rng, dt, filters, 1, 3, 3))
	w1 := input(g, "w1", weights(rng, dt, filters*size*size/4, 24))
	w2 := input(g, "w2", weights(rng, dt, 24, classes))

	h := G.Must(G.Rectify(G.Must(G.Conv2d(x, w0, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))))
	h = G.Must(G.MaxPool2D(h, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	h = G.Must(G.Reshape(h, tensor.Shape{batch, filters * size * size / 4}))
	h = G.Must(G.Rectify(G.Must(G.Mul(h, w1))))
	h = G.Must(G.Dropout(h, 0.5))
	cost := crossEntropy(G.Must(G.Mul(h, w2)), y)

	return onTape(t, g, cost, G.Nodes{w0, w1, w2}, func() {
		pixels, labels := make([]float64, batch*size*size), make([]float64, batch*classes)
		for i := range batch {
			class, row, column := rng.IntN(classes), rng.IntN(size), rng.IntN(size)
			labels[i*classes+class] = 1
			image := pixels[i*size*size : (i+1)*size*size]
			for k := range image {
				image[k] = 0.3 * rng.NormFloat64()
			}
			for k := range size {
				if class != 1 {
					image[row*size+k]++
				}
				if class != 0 {
					image[k*size+column]++
				}
			}
		}
		let(t, x, pixels)
		let(t, y, labels)
	})
}

// autoencoder decodes with the transpose of the weights that it encodes with.
func autoencoder(t *testing.T, seed uint64) session {
	const batch, size, hidden, causes = 16, 16, 5, 4
	rng, dt := rand.New(rand.NewPCG(seed, 2)), tensor.Float32
	g := G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, size))
	w := input(g, "w", weights(rng, dt, size, hidden))
	b := input(g, "b", numbers(dt, make([]float64, hidden), 1, hidden))
	c := input(g, "c", numbers(dt, make([]float64, size), 1, size))
	code := G.Must(G.Sigmoid(layer(x, w, b)))
	out := G.Must(G.Sigmoid(layer(code, G.Must(G.Transpose(w)), c)))

	causesOf := random(rng, causes*size)
	return onTape(t, g, meanSquare(out, x), G.Nodes{w, b, c}, func() {
		pixels := make([]float64, batch*size)
		for i := range batch {
			z := random(rng, causes)
			for k := range size {
				sum := 0.0
				for j := range z {
					sum += z[j] * causesOf[j*size+k]
				}
				pixels[i*size+k] = 1 / (1 + math.Exp(-sum))
			}
		}
		let(t, x, pixels)
	})
}

// surface is n points of the plane and a noisy height at each.
func surface(rng *rand.Rand, n int) (points, heights []float64) {
	for range n {
		a, b := 2*rng.Float64()-1, 2*rng.Float64()-1
		points = append(points, a, b)
		heights = append(heights, math.Sin(3*a)+a*b+0.1*rng.NormFloat64())
	}
	return points, heights
}

// surfaceNetwork is a network of the hidden layers' sizes that learns the surface
// from batches of n points.
func surfaceNetwork(t *testing.T, rng *rand.Rand, dt tensor.Dtype, n int, hidden ...int) (g *G.ExprGraph, cost *G.Node, params G.Nodes, feed func()) {
	g = G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(n, 2))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(n, 1))
	h, in := x, 2
	for i, out := range append(hidden, 1) {
		if i > 0 {
			h = G.Must(G.Tanh(h))
		}
		w := input(g, fmt.Sprint("w", i), weights(rng, dt, in, out))
		b := input(g, fmt.Sprint("b", i), numbers(dt, make([]float64, out), 1, out))
		params = append(params, w, b)
		h, in = layer(h, w, b), out
	}
	return g, meanSquare(h, y), params, func() {
		points, heights := surface(rng, n)
		let(t, x, points)
		let(t, y, heights)
	}
}

func deepNetwork(t *testing.T, seed uint64) session {
	g, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 3)), tensor.Float64, 32, 16, 16, 16, 16)
	return onTape(t, g, cost, params, feed)
}

// cooling fits a(t) = a e^{−kt} + c, whose numbers are of very unlike size.
func cooling(t *testing.T, seed uint64) session {
	const n = 50
	rng := rand.New(rand.NewPCG(seed, 24))
	times, heights := make([]float64, n), make([]float64, n)
	for i := range times {
		times[i] = 4 * float64(i)
		heights[i] = 1000*math.Exp(-0.02*times[i]) + 50 + 3*rng.NormFloat64()
	}
	g, dt := G.NewGraph(), tensor.Float64
	x, y := input(g, "x", numbers(dt, times, n)), input(g, "y", numbers(dt, heights, n))
	a := G.NewScalar(g, dt, G.WithName("a"), G.WithValue(900.0))
	k := G.NewScalar(g, dt, G.WithName("k"), G.WithValue(0.03))
	c := G.NewScalar(g, dt, G.WithName("c"), G.WithValue(30.0))
	out := G.Must(G.Add(G.Must(G.Mul(G.Must(G.Exp(G.Must(G.Neg(G.Must(G.Mul(x, k)))))), a)), c))
	return onTape(t, g, meanSquare(out, y), G.Nodes{a, k, c}, func() {})
}

// unlike learns the surface from inputs of a size, and heights near a level, at which the
// last bias begins.
func unlike(size, level float64) func(*testing.T, uint64) session {
	return func(t *testing.T, seed uint64) session {
		const n, hidden = 16, 16
		rng, dt := rand.New(rand.NewPCG(seed, 25)), tensor.Float32
		g := G.NewGraph()
		x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(n, 2))
		y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(n, 1))
		w0, b0 := input(g, "w0", weights(rng, dt, 2, hidden)), input(g, "b0", numbers(dt, make([]float64, hidden), 1, hidden))
		w1, b1 := input(g, "w1", weights(rng, dt, hidden, 1)), input(g, "b1", numbers(dt, []float64{level}, 1, 1))
		out := layer(G.Must(G.Tanh(layer(x, w0, b0))), w1, b1)
		return onTape(t, g, meanSquare(out, y), G.Nodes{w0, b0, w1, b1}, func() {
			points, heights := surface(rng, n)
			for i := range points {
				points[i] *= size
			}
			for i := range heights {
				heights[i] += level
			}
			let(t, x, points)
			let(t, y, heights)
		})
	}
}

// curve fits a decay, a exp(−b x) + c, to noisy points. Its parameters are scalars.
func curve(dt tensor.Dtype) func(*testing.T, uint64) session {
	return func(t *testing.T, seed uint64) session {
		const n = 20
		rng := rand.New(rand.NewPCG(seed, 4))
		scalar := func(x float64) any {
			if dt == tensor.Float32 {
				return float32(x)
			}
			return x
		}
		g := G.NewGraph()
		x := G.NewVector(g, dt, G.WithName("x"), G.WithShape(n))
		y := G.NewVector(g, dt, G.WithName("y"), G.WithShape(n))
		a := G.NewScalar(g, dt, G.WithName("a"), G.WithValue(scalar(1)))
		b := G.NewScalar(g, dt, G.WithName("b"), G.WithValue(scalar(1)))
		c := G.NewScalar(g, dt, G.WithName("c"), G.WithValue(scalar(0.1)))
		decay := G.Must(G.Exp(G.Must(G.Neg(G.Must(G.Mul(x, b))))))
		out := G.Must(G.Add(G.Must(G.Mul(decay, a)), c))
		return onTape(t, g, meanSquare(out, y), G.Nodes{a, b, c}, func() {
			xs, ys := make([]float64, n), make([]float64, n)
			for i := range xs {
				xs[i] = 3 * rng.Float64()
				ys[i] = 2*math.Exp(-1.5*xs[i]) + 0.5 + 0.05*rng.NormFloat64()
			}
			let(t, x, xs)
			let(t, y, ys)
		})
	}
}

// lispMachine makes a machine for every step, as such machines go back through
// the graph once.
func lispMachine(t *testing.T, seed uint64) session {
	_, cost, params, feed := surfaceNetwork(t, rand.New(rand.NewPCG(seed, 5)), tensor.Float32, 16, 16, 16)
	return func(s G.Solver) (float64, error) {
		feed()
		vm := G.NewLispMachine(cost.Graph())
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			return 0, err
		}
		return floats(cost.Value())[0], s.Step(G.NodesToValueGrads(params))
	}
}

// mergedBias has two hidden layers of one size whose biases have one name. They
// are one node, and that is in the model twice.
func mergedBias(t *testing.T, seed uint64) session {
	const batch, hidden = 32, 12
	rng, dt := rand.New(rand.NewPCG(seed, 6)), tensor.Float64
	g := G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, 2))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, 1))
	var params G.Nodes
	h := x
	for i, in := range []int{2, hidden} {
		w := input(g, fmt.Sprint("weights", i), weights(rng, dt, in, hidden))
		b := G.NewMatrix(g, dt, G.WithName("bias"), G.WithShape(1, hidden), G.WithInit(G.Zeroes()))
		params = append(params, w, b)
		h = G.Must(G.Tanh(layer(h, w, b)))
	}
	out := input(g, "weights2", weights(rng, dt, hidden, 1))
	params = append(params, out)
	if params[1] != params[3] {
		t.Fatal("Gorgonia did not merge the biases")
	}
	return onTape(t, g, meanSquare(G.Must(G.Mul(h, out)), y), params, func() {
		points, heights := surface(rng, batch)
		let(t, x, points)
		let(t, y, heights)
	})
}

// views has all its weights in one tensor, which is easy to copy and to send,
// and each layer's is a slice of it.
func views(t *testing.T, seed uint64) session {
	const batch, hidden = 32, 16
	rng, dt := rand.New(rand.NewPCG(seed, 7)), tensor.Float64
	all := weights(rng, dt, 2+hidden, hidden)
	rows := func(from, to int) *tensor.Dense {
		v, err := all.Slice(G.S(from, to))
		if err != nil {
			t.Fatal(err)
		}
		return v.(*tensor.Dense)
	}
	g := G.NewGraph()
	x := G.NewMatrix(g, dt, G.WithName("x"), G.WithShape(batch, 2))
	y := G.NewMatrix(g, dt, G.WithName("y"), G.WithShape(batch, 1))
	w0 := input(g, "w0", rows(0, 2))
	w1 := input(g, "w1", rows(2, 2+hidden))
	w2 := input(g, "w2", weights(rng, dt, hidden, 1))
	h := G.Must(G.Tanh(G.Must(G.Mul(x, w0))))
	h = G.Must(G.Tanh(G.Must(G.Mul(h, w1))))
	return onTape(t, g, meanSquare(G.Must(G.Mul(h, w2)), y), G.Nodes{w0, w1, w2}, func() {
		points, heights := surface(rng, batch)
		let(t, x, points)
		let(t, y, heights)
	})
}
