package mnist_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/blas"
	G "gorgonia.org/gorgonia"
)

func TestStepTime(t *testing.T) {
	if os.Getenv("TIME") == "" {
		t.Skip()
	}
	if os.Getenv("BLAS") != "gonum" {
		G.Use(blas.Implementation{})
	}
	m, err := mnist.NewMLP([]int{128, 64}, 128, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := solver.NewFunnelAdam()
	images, labels := make([]float32, 128*mnist.Pixels), make([]byte, 128)
	for i := range images {
		images[i] = float32(i*7919%1000) / 1000
	}
	for i := range labels {
		labels[i] = byte(i % 10)
	}
	var run, step []time.Duration
	n := 4000
	for range n {
		start := time.Now()
		if err := m.Run(images, labels); err != nil {
			t.Fatal(err)
		}
		run = append(run, time.Since(start))
		start = time.Now()
		if err := s.Step(m.Model()); err != nil {
			t.Fatal(err)
		}
		step = append(step, time.Since(start))
	}
	slices.Sort(run)
	slices.Sort(step)
	fmt.Printf("run: min %v median %v; step: min %v median %v\n", run[0], run[n/2], step[0], step[n/2])
}
