package solver_test

import (
	"fmt"
	"log"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A recurrent network, the simplest there is, learns to add up sequences of any
// length. Each sequence has a graph of its own. The weights are two tensors that
// outlive the graphs, and what the solver learns belongs to them.
func Example_graphs() {
	one := func(x float64) *tensor.Dense {
		return tensor.New(tensor.WithShape(1, 1), tensor.WithBacking([]float64{x}))
	}
	old, fresh := one(0.5), one(0.2) // weights of the sum so far, and of the next number
	s := solver.NewFunnelAdam()
	for i := range 600 {
		g := gorgonia.NewGraph()
		matrix := func(name string, v *tensor.Dense) *gorgonia.Node {
			return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName(name), gorgonia.WithShape(1, 1), gorgonia.WithValue(v))
		}
		params := gorgonia.Nodes{matrix("old", old), matrix("fresh", fresh)}
		out, sum := matrix("start", one(0)), 0.0
		for k := range 1 + i%4 {
			x := float64((7*i+3*k)%5 - 2)
			sum += x
			next := gorgonia.Must(gorgonia.Mul(matrix(fmt.Sprint("x", k), one(x)), params[1]))
			out = gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mul(out, params[0])), next))
		}
		loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(out, matrix("sum", one(sum))))))))
		if _, err := gorgonia.Grad(loss, params...); err != nil {
			log.Fatal(err)
		}
		machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		if err := machine.RunAll(); err != nil {
			log.Fatal(err)
		}
		if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
			log.Fatal(err)
		}
		machine.Close()
	}
	fmt.Printf("sum = %.2f × old sum + %.2f × number\n", old.Float64s()[0], fresh.Float64s()[0])
	for _, a := range s.Adaptations() {
		fmt.Println(a.Name, "after", a.Steps, "steps")
	}
	// Output:
	// sum = 1.00 × old sum + 1.00 × number
	// old after 600 steps
	// fresh after 600 steps
}

// A batch that is too large for the memory is run in four parts. The machine adds
// up their gradients, and WithBatchSize divides the sum by four.
func Example_microBatches() {
	for _, parts := range []int{1, 4} {
		rows := 8 / parts
		g := gorgonia.NewGraph()
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithName("x"), gorgonia.WithShape(rows, 2))
		y := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("y"), gorgonia.WithShape(rows))
		w := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithShape(2),
			gorgonia.WithValue(tensor.New(tensor.WithBacking([]float64{0.1, 0.1}))))
		line := gorgonia.Must(gorgonia.Mul(x, w))
		loss := gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sub(line, y))))))
		params := gorgonia.Nodes{w}
		if _, err := gorgonia.Grad(loss, params...); err != nil {
			log.Fatal(err)
		}
		machine := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(params...))
		s := solver.NewFunnel(gorgonia.WithBatchSize(float64(parts)))
		for range 500 {
			for part := range parts {
				var xs, ys []float64
				for i := part * rows; i < (part+1)*rows; i++ {
					xs = append(xs, 1, float64(i)/4)
					ys = append(ys, 3+float64(i)/2)
				}
				if err := gorgonia.Let(x, tensor.New(tensor.WithShape(rows, 2), tensor.WithBacking(xs))); err != nil {
					log.Fatal(err)
				}
				if err := gorgonia.Let(y, tensor.New(tensor.WithShape(rows), tensor.WithBacking(ys))); err != nil {
					log.Fatal(err)
				}
				if err := machine.RunAll(); err != nil {
					log.Fatal(err)
				}
				machine.Reset()
			}
			if err := s.Step(gorgonia.NodesToValueGrads(params)); err != nil {
				log.Fatal(err)
			}
		}
		machine.Close()
		fmt.Printf("in %d part(s): %.2f\n", parts, w.Value().Data())
	}
	// Output:
	// in 1 part(s): [3.00 2.00]
	// in 4 part(s): [3.00 2.00]
}
