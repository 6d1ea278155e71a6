package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// v1 has a run that the first version of this program wrote:
//
//	train-rotmnist -steps 40 -angles 0,60 -batch 16 -seed 3 -hidden 1 -on-nonfinite skip \
//		-checkpoint run -checkpoint-every 40 -csv run.csv -solvers ...
//
// run/ is its checkpoint after 40 of 80 steps, run.csv is the whole CSV, and
// end.json what the run came to at step 80. No test writes these files: a
// version that cannot go on from them to the same bits breaks its users' runs.
const v1 = "../../testdata/checkpoints/v1/train-rotmnist"

// ending is what a run came to. Digests maps each solver to the SHA-256 of its
// weights and of what it had learned.
type ending struct {
	Arithmetic string               // SHA-256 of weights that Gorgonia's solvers made
	Digests    map[string]string    // by solver
	HeldOut    map[string][]float64 // accuracies, by solver
}

func TestARunOfTheFirstVersionGoesOnToTheSameBits(t *testing.T) {
	long(t)
	var want ending
	if err := json.Unmarshal(readFile(t, filepath.Join(v1, "end.json")), &want); err != nil {
		t.Fatal(err)
	}
	csv := readFile(t, filepath.Join(v1, "run.csv"))
	copyV1(t)
	read := readEnding(t)
	if len(read.Digests) != len(want.Digests) {
		t.Fatalf("%d solvers were read, of %d", len(read.Digests), len(want.Digests))
	}
	// Gradients, and the steps of Gorgonia's solvers, have another last bit on
	// another processor, with another BLAS, or with GOAMD64=v3.
	if probe(t) != want.Arithmetic {
		t.Skip("the checkpoint was read; what it goes on to is not compared, since Gorgonia's arithmetic has other bits here than where it was written")
	}
	if status, _, errs := invoke("-resume", "run", "-quiet"); status != 0 || errs != "" {
		t.Fatalf("status %d\n%s", status, errs)
	}
	if got := readFile(t, "run.csv"); !bytes.Equal(got, csv) {
		t.Errorf("the CSV differs from byte %d on", firstDifference(got, csv))
	}
	got := readEnding(t)
	for name, digest := range want.Digests {
		if got.Digests[name] != digest {
			t.Errorf("%s ends with other weights, gains or scales", name)
		}
		if a, b := got.HeldOut[name], want.HeldOut[name]; len(a) != 2 || len(b) != 2 || a[0] != b[0] || a[1] != b[1] {
			t.Errorf("%s has the held-out accuracies %v, and had %v", name, a, b)
		}
	}
}

// copyV1 copies the run to a directory of its own, with a CSV that is longer
// than at the checkpoint, and goes there.
func copyV1(t *testing.T) {
	t.Helper()
	source, err := filepath.Abs(v1)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("run", os.DirFS(filepath.Join(source, "run"))); err != nil {
		t.Fatal(err)
	}
	csv := readFile(t, filepath.Join(source, "run.csv"))
	if err := os.WriteFile("run.csv", csv[:len(csv)/2+2000], 0o666); err != nil {
		t.Fatal(err)
	}
}

// readEnding reads the newest checkpoint in run/.
func readEnding(t *testing.T) *ending {
	t.Helper()
	dir, err := checkpoint.Open("run")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	record, err := dir.Newest()
	if err != nil {
		t.Fatal(err)
	}
	c := compareV1(t, record.Flags["solvers"])
	if _, err := dir.Load(c.Runs(), func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	e := &ending{Digests: map[string]string{}, HeldOut: map[string][]float64{}}
	for _, run := range c.Runs() {
		e.Digests[run.Name], e.HeldOut[run.Name] = learned(t, run), run.HeldOut
	}
	return e
}

// compareV1 makes runs with the network of the run in v1.
func compareV1(t *testing.T, list string) *experiment.Comparison {
	t.Helper()
	specs, err := spec.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := mnist.Jumps([]float64{0, 60}, 40)
	if err != nil {
		t.Fatal(err)
	}
	c := experiment.New(&experiment.Setup{
		Train: mnist.Synthetic(64, 3), Test: mnist.Synthetic(16, 4), Schedule: schedule, Batch: 16, NewNetwork: experiment.MLP([]int{1}, mnist.GorgoniaOperations()), Seed: 3,
	})
	t.Cleanup(c.Close)
	for _, s := range specs {
		if _, err := c.Add(s.Text, s.New()); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// probe trains with solvers of Gorgonia alone, and returns the digests of what
// came of it.
func probe(t *testing.T) string {
	t.Helper()
	c := compareV1(t, "vanilla:lr=0.1,adam")
	if err := c.Train(t.Context(), func([]*experiment.Step) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return learned(t, c.Runs()[0]) + learned(t, c.Runs()[1])
}

// learned is the SHA-256 of a run's weights, gains and scales.
func learned(t *testing.T, run *experiment.Run) string {
	t.Helper()
	h := sha256.New()
	add := func(x any) {
		if err := binary.Write(h, binary.LittleEndian, x); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range run.Model() {
		add(p.Value().Data())
	}
	for _, a := range spec.Adaptations(run.Solver()) {
		add(a.Scale)
		add(a.Gain)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
