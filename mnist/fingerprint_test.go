package mnist_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
)

// fingerprint is the SHA-256 of all losses of 300 steps of training on digits that
// turn, and of the weights at the end. It comes out on every machine and in every
// build, as make fingerprint shows.
const fingerprint = "0fd3011d0aa4f7c97ad5bab4ee03d70613e1f3ff222681c8cec7d2fb6193fb62"

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
	s, h := solver.NewFunnelAdam(), sha256.New()
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
