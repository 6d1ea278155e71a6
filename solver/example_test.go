package solver_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A line through noisy points. The solver was gorgonia.NewAdamSolver(); that
// line is all that changed. README.md has the same program.
func Example() {
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(5),
		gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{0, 1, 2, 3, 4}))))
	y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(5),
		gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{1.1, 2.9, 5.2, 6.8, 9.0}))))
	slope := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("slope"), gorgonia.WithValue(0.0))
	offset := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("offset"), gorgonia.WithValue(0.0))

	line := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mul(x, slope)), offset))
	loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(line, y))))))
	params := gorgonia.Nodes{slope, offset}
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		log.Fatal(err)
	}

	machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer machine.Close()
	s := solver.NewFunnelAdam() // was gorgonia.NewAdamSolver()
	for range 1000 {
		if err := machine.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
			log.Fatal(err)
		}
		machine.Reset()
	}
	fmt.Printf("slope %.2f, offset %.2f\n", slope.Value().Data(), offset.Value().Data())
	// Output: slope 1.97, offset 1.06
}

// A network with a hidden layer learns XOR, at a learn rate of 0.001 as at
// one a thousand times larger.
func Example_xor() {
	for _, learnRate := range []float64{0.001, 0.1, 1} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(4, 2),
			gorgonia.WithValue(tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{0, 0, 0, 1, 1, 0, 1, 1}))))
		y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(4, 1),
			gorgonia.WithValue(tensor.New(tensor.WithShape(4, 1), tensor.WithBacking([]float64{0, 1, 1, 0}))))
		// Fixed weights to start from, so that the example prints the same every time.
		weights := func(name string, rows, columns int) *gorgonia.Node {
			w := make([]float64, rows*columns)
			for i := range w {
				w[i] = math.Sin(float64(7*i + rows))
			}
			return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, columns),
				gorgonia.WithValue(tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(w))))
		}
		w1, b1, w2, b2 := weights("w1", 2, 8), weights("b1", 1, 8), weights("w2", 8, 1), weights("b2", 1, 1)
		params := gorgonia.Nodes{w1, b1, w2, b2}

		layer := func(x, w, b *gorgonia.Node) *gorgonia.Node {
			return gorgonia.Must(gorgonia.BroadcastAdd(gorgonia.Must(gorgonia.Mul(x, w)), b, nil, []byte{0}))
		}
		hidden := gorgonia.Must(gorgonia.Tanh(layer(x, w1, b1)))
		out := gorgonia.Must(gorgonia.Sigmoid(layer(hidden, w2, b2)))
		loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(out, y))))))
		if _, err := gorgonia.Grad(loss, params...); err != nil {
			log.Fatal(err)
		}
		var predicted gorgonia.Value
		gorgonia.Read(out, &predicted)

		machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		s := solver.NewFunnel(gorgonia.WithLearnRate(learnRate))
		for range 3000 {
			if err := machine.RunAll(); err != nil {
				log.Fatal(err)
			}
			if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
				log.Fatal(err)
			}
			machine.Reset()
		}
		machine.Close()
		fmt.Printf("learn rate %v: %.0f\n", learnRate, predicted.Data())
	}
	// Output:
	// learn rate 0.001: [0 1 1 0]
	// learn rate 0.1: [0 1 1 0]
	// learn rate 1: [0 1 1 0]
}

// distance is a parameter outside any graph. Its gradient is that of half the
// squared distance to a target.
type distance struct {
	value, gradient *tensor.Dense
	target          []float64
}

func newDistance(start, target []float64) *distance {
	return &distance{tensor.New(tensor.WithBacking(start)), tensor.New(tensor.WithBacking(make([]float64, len(start)))), target}
}

func (d *distance) Name() string          { return "weights" }
func (d *distance) Value() gorgonia.Value { return d.value }

func (d *distance) Grad() (gorgonia.Value, error) {
	for i, v := range d.value.Float64s() {
		d.gradient.Float64s()[i] = v - d.target[i]
	}
	return d.gradient, nil
}

// The learn rate, or any other hyperparameter, can change between steps. What
// has been learned stays, so that a tenth of the learn rate makes the next step a
// tenth as long.
func ExampleFunnel_Apply() {
	s := solver.NewFunnel(gorgonia.WithMomentum(0), solver.WithScaleWarmup(0, 1))
	d := newDistance([]float64{1, -2}, []float64{0, 0})
	for i := range 40 {
		if i == 20 {
			if err := s.Apply(gorgonia.WithLearnRate(0.0001)); err != nil { // it was 0.001
				log.Fatal(err)
			}
		}
		before := d.value.Float64s()[1]
		if err := s.Step([]gorgonia.ValueGrad{d}); err != nil {
			log.Fatal(err)
		}
		if i == 19 || i == 20 {
			fmt.Printf("step %d goes %.4f, with scale %.2f\n", i+1, d.value.Float64s()[1]-before, s.Adaptations()[0].Scale)
		}
	}
	fmt.Println(s.Apply(gorgonia.WithLearnRate(-1)))
	// Output:
	// step 20 goes 0.0327, with scale 14.02
	// step 21 goes 0.0033, with scale 14.26
	// solver: WithLearnRate: -1 is not allowed; it must be a finite number of at least 0
}

// What the solver has learned: a scale, and a gain for every coordinate. Here
// the first has a gradient that keeps its sign, the second one that flips.
func ExampleFunnel_Adaptations() {
	s := solver.NewFunnel()
	d := newDistance([]float64{1, -2}, []float64{10, 10})
	for range 20 {
		d.target[1] = -d.target[1]
		if err := s.Step([]gorgonia.ValueGrad{d}); err != nil {
			log.Fatal(err)
		}
	}
	for _, a := range s.Adaptations() {
		fmt.Printf("%s after %d steps: scale %.2f, gains %.2f\n", a.Name, a.Steps, a.Scale, a.Gain)
	}
	// Output: weights after 20 steps: scale 4.25, gains [1.55 0.90]
}

// A log of what is learned while it is learned: a row of CSV for every parameter,
// every ten steps.
func ExampleFunnel_Adaptations_csv() {
	s := solver.NewFunnel()
	d := newDistance([]float64{1, -2}, []float64{10, 10})
	w := csv.NewWriter(os.Stdout)
	w.Write([]string{"step", "parameter", "scale", "least gain", "greatest gain"})
	for step := 1; step <= 30; step++ {
		d.target[1] = -d.target[1]
		if err := s.Step([]gorgonia.ValueGrad{d}); err != nil {
			log.Fatal(err)
		}
		if step%10 > 0 {
			continue
		}
		for _, a := range s.Adaptations() {
			w.Write([]string{
				strconv.Itoa(step), a.Name, fmt.Sprintf("%.3f", a.Scale),
				fmt.Sprintf("%.3f", slices.Min(a.Gain)), fmt.Sprintf("%.3f", slices.Max(a.Gain)),
			})
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// step,parameter,scale,least gain,greatest gain
	// 10,weights,3.630,0.890,1.242
	// 20,weights,4.246,0.902,1.552
	// 30,weights,6.541,0.912,1.912
}

// FunnelAdam goes where gorgonia.NewAdamSolver() stood. Adam, whose steps are
// as long as the learn rate, would need 30,000 of 0.0001 for the way here.
func ExampleNewFunnelAdam() {
	for _, learnRate := range []float64{0.0001, 0.001, 0.01} {
		s := solver.NewFunnelAdam(gorgonia.WithLearnRate(learnRate))
		d := newDistance([]float64{1, -2}, []float64{0.5, 1})
		for range 500 {
			if err := s.Step([]gorgonia.ValueGrad{d}); err != nil {
				log.Fatal(err)
			}
		}
		fmt.Printf("learn rate %v: %.2f\n", learnRate, d.value.Float64s())
	}
	// Output:
	// learn rate 0.0001: [0.50 1.00]
	// learn rate 0.001: [0.50 1.00]
	// learn rate 0.01: [0.50 1.00]
}

// A batch with a NaN in it does no harm: the step is refused whole, the
// gradients are cleared, and training goes on with the next batch.
func ExampleZeroGrad() {
	s := solver.NewFunnel()
	d := newDistance([]float64{1, 2}, nil)
	model := []gorgonia.ValueGrad{d}
	for _, batch := range [][]float64{{0, 0}, {0, math.NaN()}, {0, 0}} {
		d.target = batch
		if err := s.Step(model); errors.Is(err, solver.ErrNonFiniteGradient) {
			fmt.Println(err)
			if err := solver.ZeroGrad(model); err != nil {
				log.Fatal(err)
			}
		} else if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(s.Adaptations()[0].Steps, "steps")
	// Output:
	// solver: parameter "weights" (number 1 of the model), at [1]: NaN or Inf in the gradient; ZeroGrad clears it, to skip the batch: NaN
	// 2 steps
}

// A training that is stopped, and goes on in another process to where it would
// have come to without that.
func ExampleSave() {
	train := func(s gorgonia.Solver, d *distance, steps int) {
		for range steps {
			if err := s.Step([]gorgonia.ValueGrad{d}); err != nil {
				log.Fatal(err)
			}
		}
	}
	file := filepath.Join(os.TempDir(), "example.safetensors")
	defer os.Remove(file)

	d := newDistance([]float64{4, -1}, []float64{1, 2})
	s := solver.NewFunnel(gorgonia.WithLearnRate(0.01))
	train(s, d, 10)
	if err := solver.Save(file, []gorgonia.ValueGrad{d}, s); err != nil {
		log.Fatal(err)
	}
	train(s, d, 10)

	resumed := newDistance([]float64{0, 0}, []float64{1, 2})
	t := solver.NewFunnel()
	if err := solver.Load(file, []gorgonia.ValueGrad{resumed}, t); err != nil {
		log.Fatal(err)
	}
	train(t, resumed, 10)
	fmt.Println(slices.Equal(resumed.value.Float64s(), d.value.Float64s()), t.Adaptations()[0].Steps)
	// Output: true 20
}

// A table of how often four texts use five words is a product of what is in a
// text and what is in a topic, none of which can be negative: a nonnegative
// matrix factorisation. The solver keeps both factors above 0 by itself.
func ExampleNewEGU() {
	g := gorgonia.NewGraph()
	matrix := func(name string, rows, columns int, x []float64) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(rows, columns),
			gorgonia.WithValue(tensor.New(tensor.WithShape(rows, columns), tensor.WithBacking(x))))
	}
	counts := matrix("counts", 4, 5, []float64{
		2, 1, 0, 0, 1,
		0, 0, 3, 1, 1,
		2, 1, 3, 1, 2,
		4, 2, 3, 1, 3,
	})
	texts := matrix("texts", 4, 2, []float64{1.1, 0.9, 0.9, 1.1, 1, 1, 1.1, 1})
	topics := matrix("topics", 2, 5, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1})

	product := gorgonia.Must(gorgonia.Mul(texts, topics))
	loss := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(product, counts))))))
	params := gorgonia.Nodes{texts, topics}
	if _, err := gorgonia.Grad(loss, params...); err != nil {
		log.Fatal(err)
	}
	var found gorgonia.Value
	gorgonia.Read(product, &found)

	machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
	defer machine.Close()
	s := solver.NewEGU(gorgonia.WithLearnRate(0.02))
	for range 2000 {
		if err := machine.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
			log.Fatal(err)
		}
		machine.Reset()
	}
	fmt.Printf("counts\n%.1f", found)
	fmt.Printf("words of each topic\n%.1f", topics.Value())
	// Output:
	// counts
	// ⎡2.0  1.0  0.0  0.0  1.0⎤
	// ⎢0.0  0.0  3.0  1.0  1.0⎥
	// ⎢2.0  1.0  3.0  1.0  2.0⎥
	// ⎣4.0  2.0  3.0  1.0  3.0⎦
	// words of each topic
	// ⎡2.2  1.1  0.0  0.0  1.1⎤
	// ⎣0.0  0.0  2.6  0.9  0.9⎦
}

// Gorgonia's RMSProp, with a learn rate far too small, alone and with a learned
// scale around it.
func ExampleAugment() {
	rate := gorgonia.WithLearnRate(1e-5)
	for _, s := range []gorgonia.Solver{
		gorgonia.NewRMSPropSolver(rate),
		solver.Augment(gorgonia.NewRMSPropSolver(rate)),
	} {
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(4, 2),
			gorgonia.WithValue(tensor.New(tensor.WithShape(4, 2), tensor.WithBacking([]float64{1, 0, 1, 1, 1, 2, 1, 3}))))
		y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(4),
			gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{1.1, 2.9, 5.2, 6.8}))))
		w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(2), gorgonia.WithInit(gorgonia.Zeroes()))

		line := gorgonia.Must(gorgonia.Mul(x, w))
		loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(line, y))))))
		params := gorgonia.Nodes{w}
		if _, err := gorgonia.Grad(loss, params...); err != nil {
			log.Fatal(err)
		}
		machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		for range 2000 {
			if err := machine.RunAll(); err != nil {
				log.Fatal(err)
			}
			if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
				log.Fatal(err)
			}
			machine.Reset()
		}
		machine.Close()
		fmt.Printf("%T: %.2f\n", s, w.Value().Data())
	}
	// Output:
	// *gorgonia.RMSPropSolver: [0.03 0.03]
	// *solver.Augmented: [1.09 1.94]
}
