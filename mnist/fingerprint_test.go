package mnist_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
)

// fingerprint is the SHA-256 of all losses of 300 steps of training on digits that
// turn, and of the weights at the end. It comes out on every machine and in every
// build, as make fingerprint shows.
const fingerprint = "c1f6019dda9bffc61dc5e14cf798793598fbdf795fd549ed6313a9a737d9838a"

func TestTrainingHasTheSameBitsOnEveryMachine(t *testing.T) {
	schedule, err := mnist.Jumps([]float64{0, 37, 74}, 100)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := mnist.NewStream(mnist.Synthetic(600, 1), schedule, 16, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	network, err := mnist.NewMLP([]int{18, 13}, 16, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	// A step that does not change with the defaults.
	s, h := solver.NewFunnelAdam(solver.WithPaperStep(), gorgonia.WithLearnRate(0.001)), sha256.New()
	for b := stream.Next(); b != nil; b = stream.Next() {
		if err := network.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(network.Loss())))
		if err := s.Step(network.Model()); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range network.Model() {
		for _, w := range p.Value().Data().([]float32) {
			h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(w)))
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != fingerprint {
		t.Errorf("%s, not %s", got, fingerprint)
	}
}
