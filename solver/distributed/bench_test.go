//go:build mpi && cgo

package distributed_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
	"gorgonia.org/gorgonia"
)

// networks are of 109,386 and of five million parameters.
var networks = []struct {
	parameters int
	hidden     []int
}{{109386, []int{128, 64}}, {5033866, []int{2048, 1664}}}

// BenchmarkTraining trains with a batch of 128, divided among the ranks, and
// tells the medians of a step: all of it, what the network computes, what
// averaging takes, what the inner solver takes, and what part of it averaging is.
func BenchmarkTraining(b *testing.B) {
	for _, n := range networks {
		for size := 1; size <= 2; size++ {
			b.Run(fmt.Sprintf("parameters=%d/ranks=%d", n.parameters, size), func(b *testing.B) {
				output, err := mpirun(b, size, fmt.Sprint("measure", n.parameters))
				if err != nil {
					b.Fatalf("%v\n%s", err, output)
				}
				var all, compute, average, inner float64
				var cores int
				if _, err := fmt.Sscanf(output[strings.Index(output, "step"):], "step %g %g %g %g %d", &all, &compute, &average, &inner, &cores); err != nil {
					b.Fatalf("%v\n%s", err, output)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(all, "ms/step")
				b.ReportMetric(compute, "ms-computing")
				b.ReportMetric(average, "ms-averaging")
				b.ReportMetric(inner, "ms-inner")
				b.ReportMetric(100*average/all, "%averaging")
				b.ReportMetric(float64(cores), "cores/rank")
			})
		}
	}
}

// timed is a solver that knows how long its last step took.
type timed struct {
	gorgonia.Solver
	took time.Duration
}

func (s *timed) Step(m []gorgonia.ValueGrad) error {
	start := time.Now()
	defer func() { s.took = time.Since(start) }()
	return s.Solver.Step(m)
}

func measure(w *distributed.World, hidden []int) error {
	share := 128 / w.Size()
	network, err := mnist.NewMLP(hidden, share, 1)
	if err != nil {
		return err
	}
	images, labels := make([]float32, share*mnist.Pixels), make([]byte, share)
	inner := &timed{Solver: solver.NewFunnel()}
	s := distributed.New(inner, w)
	var all, computing, averaging, stepping []float64
	for began := time.Now(); ; {
		draw(images, labels)
		start := time.Now()
		if err := network.Run(images, labels); err != nil {
			return err
		}
		computed := time.Now()
		more := []float64{1} // all ranks are here, and rank 0 decides
		if w.Rank() == 0 && time.Since(began) > 8*time.Second {
			more[0] = -100
		}
		if err := distributed.AllReduce(w, more); err != nil {
			return err
		}
		if more[0] < 0 {
			break
		}
		together := time.Now()
		if err := s.Step(network.Model()); err != nil {
			return err
		}
		took := time.Since(together)
		all = append(all, milliseconds(time.Since(start)))
		computing = append(computing, milliseconds(computed.Sub(start)))
		averaging = append(averaging, milliseconds(took-inner.took))
		stepping = append(stepping, milliseconds(inner.took))
	}
	if w.Rank() == 0 {
		fmt.Println("step", median(all), median(computing), median(averaging), median(stepping), runtime.NumCPU())
	}
	return nil
}

// draw makes a batch from which nothing can be learned: gradients that vanish
// would be slow to compute with.
func draw(images []float32, labels []byte) {
	for i := range images {
		images[i] = rand.Float32()
	}
	for i := range labels {
		labels[i] = byte(rand.IntN(mnist.Classes))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

func init() {
	for _, n := range networks {
		roles[fmt.Sprint("measure", n.parameters)] = func(w *distributed.World) error { return measure(w, n.hidden) }
	}
}
