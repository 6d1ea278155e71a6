package experiment

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/blas"
	"gorgonia.org/gorgonia"
)

const (
	quietBatch = 64
	quietJumps = 9
	never      = 2 // an accuracy that is not reached
)

// The longer a network reads digits that stay as they are, the longer it takes to learn
// turned ones. Its weights are why: from the same weights, a solver that knows nothing of
// the past is hardly faster. FUNNEL_SOAK is the number of quiet steps, with which the log has
// Gorgonia's solvers, too, and FUNNEL_MNIST the directory of real digits.
func TestAfterALongQuietAShiftIsLearnedAboutAsFastAsByANewSolver(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	quiet, list := 1000, "funnel,funneladam"
	if text := os.Getenv("FUNNEL_SOAK"); text != "" {
		var err error
		if quiet, err = strconv.Atoi(text); err != nil {
			t.Fatalf("FUNNEL_SOAK=%s is not a number", text)
		}
		list += ",adam:lr=0.001,adam:lr=0.002,momentum:lr=0.02"
	}
	specs, err := spec.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	data := mnist.Synthetic(10_000, 1)
	if dir := os.Getenv("FUNNEL_MNIST"); dir != "" {
		if data, _, err = mnist.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	gorgonia.Use(blas.Implementation{})
	for _, one := range specs {
		network, err := mnist.NewMLP([]int{128, 64}, quietBatch, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, file := one.New(), filepath.Join(t.TempDir(), one.Name)
		stepsToRead(t, network, s, data, never, 0, quiet, 1)
		if err := solver.Save(file, network.Model(), s); err != nil {
			t.Fatal(err)
		}
		goesOn, begins := 0, 0
		for seed := range uint64(quietJumps) {
			if err := solver.Load(file, network.Model(), s); err != nil {
				t.Fatal(err)
			}
			goesOn += stepsToRead(t, network, s, data, 0.9, 90, 600, 100+seed)
			if err := solver.Load(file, network.Model(), nil); err != nil {
				t.Fatal(err)
			}
			begins += stepsToRead(t, network, one.New(), data, 0.9, 90, 600, 100+seed)
		}
		if err := network.Close(); err != nil {
			t.Fatal(err)
		}
		said := fmt.Sprintf("%s: after %d quiet steps %d shifts take %d steps, with a new solver %d", one.Text, quiet, quietJumps, goesOn, begins)
		t.Log(said)
		if _, ours := one.New().(solver.Adaptive); ours && float64(goesOn) > 1.5*float64(begins) {
			t.Error(said)
		}
	}
}

// stepsToRead trains a network on digits at an angle until ten batches in a row are
// read with an accuracy, or for some steps. It returns how many it took.
func stepsToRead(t *testing.T, network *mnist.MLP, s gorgonia.Solver, data *mnist.Dataset, accuracy, angle float64, steps int, seed uint64) int {
	t.Helper()
	schedule, err := mnist.Jumps([]float64{angle}, steps)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := mnist.NewStream(data, schedule, quietBatch, seed)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var correct []int
	for step := range steps {
		b := stream.Next()
		if err := network.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		correct = append(correct, network.Correct(b.Labels))
		if err := s.Step(network.Model()); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, c := range correct[max(0, step-9):] {
			sum += c
		}
		if step >= 9 && float64(sum) >= accuracy*10*quietBatch {
			return step + 1
		}
	}
	return steps
}
