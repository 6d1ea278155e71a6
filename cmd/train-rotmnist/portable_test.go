package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// ofAnotherMachine has a run that an amd64 processor with AVX-512 made:
//
//	train-rotmnist -steps 40 -angles 0,60 -batch 16 -seed 3 -hidden 2 \
//		-checkpoint run -checkpoint-every 40 -csv run.csv -solvers ...
//
// run/ is its checkpoint after 40 of 80 steps, and run.csv the whole CSV. No test
// writes these files.
const ofAnotherMachine = "../../testdata/checkpoints/portable/train-rotmnist"

// learnedThere is the SHA-256 of what each of its solvers had learned at the end.
var learnedThere = map[string]string{
	"funnel:paper-step=on:lr=0.01":      "18fc04712d74105e83e56678877b84dc83d2c8fee6ad934783ad5a49688d5905",
	"funneladam:paper-step=on:lr=0.001": "596ad2bfb093ec3f28499fa3a08b04b08e2713293edc06a8ab904fc06f4f0542",
	"eggain:lr=0.01":                    "ece46684c8e180af56e02ecf438e8550930ff924cb5cac7cc6bb33e6b266646d",
}

// make fingerprint runs this on every kind of machine.
func TestARunOfAnotherMachineGoesOnToTheSameBits(t *testing.T) {
	long(t)
	csv := readFile(t, filepath.Join(ofAnotherMachine, "run.csv"))
	source, err := filepath.Abs(ofAnotherMachine)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.CopyFS("run", os.DirFS(filepath.Join(source, "run"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("run.csv", csv, 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := invoke("-resume", "run", "-quiet"); status != 0 || errs != "" {
		t.Fatalf("status %d\n%s", status, errs)
	}
	if got := readFile(t, "run.csv"); !bytes.Equal(got, csv) {
		t.Errorf("the CSV differs from byte %d on", firstDifference(got, csv))
	}
	for _, run := range lastCheckpoint(t) {
		if got := learned(t, run); got != learnedThere[run.Name] {
			t.Errorf("%s ends with %s, not %s", run.Name, got, learnedThere[run.Name])
		}
	}
}

// lastCheckpoint loads the newest in run/.
func lastCheckpoint(t *testing.T) []*experiment.Run {
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
	specs, err := spec.Parse(record.Flags["solvers"])
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := mnist.Jumps([]float64{0, 60}, 40)
	if err != nil {
		t.Fatal(err)
	}
	c := experiment.New(&experiment.Setup{
		Train: mnist.Synthetic(64, 3), Test: mnist.Synthetic(16, 4), Schedule: schedule, Batch: 16, NewNetwork: experiment.MLP([]int{2}), Seed: 3,
	})
	t.Cleanup(c.Close)
	for _, s := range specs {
		if _, err := c.Add(s.Text, s.New()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dir.Load(c.Runs(), func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	return c.Runs()
}
