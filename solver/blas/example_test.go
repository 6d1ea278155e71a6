package blas_test

import (
	"fmt"
	"log"

	"github.com/seed1e560811/funnel/solver/blas"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// From here on, whatever a graph multiplies is multiplied by this package.
func Example() {
	gorgonia.Use(blas.Implementation{})

	g := gorgonia.NewGraph()
	x := gorgonia.NodeFromAny(g, tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6})), gorgonia.WithName("x"))
	w := gorgonia.NodeFromAny(g, tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float32{1, 0, -1})), gorgonia.WithName("w"))
	y := gorgonia.Must(gorgonia.Mul(x, w))

	machine := gorgonia.NewTapeMachine(g)
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Value().Data())
	// Output: [-2 -2]
}
