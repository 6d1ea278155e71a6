package mnist_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/blas"
	G "gorgonia.org/gorgonia"
)

func TestFP(t *testing.T) {
	G.Use(blas.Implementation{})
	data := mnist.Synthetic(600, 1)
	h := sha256.New()
	h.Write(data.Images)
	fmt.Printf("digits %x\n", h.Sum(nil)[:4])
	sched, _ := mnist.Jumps([]float64{0, 37}, 150)
	st, err := mnist.NewStream(data, sched, 16, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	m, err := mnist.NewMLP([]int{16, 12}, 16, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := solver.NewFunnelAdam()
	hi, hl, hw := sha256.New(), sha256.New(), sha256.New()
	n := 0
	for b := st.Next(); b != nil; b = st.Next() {
		for _, x := range b.Images {
			hi.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
		}
		if err := m.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		hl.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(m.Loss())))
		for _, v := range m.Model() {
			g, _ := v.Grad()
			for _, x := range g.Data().([]float32) {
				hw.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
			}
		}
		if n < 5 || n == 299 {
			fmt.Printf("step %d: images %x loss %x %v gradients %x\n", n, hi.Sum(nil)[:4], hl.Sum(nil)[:4], m.Loss(), hw.Sum(nil)[:4])
		}
		if err := s.Step(m.Model()); err != nil {
			t.Fatal(err)
		}
		n++
	}
}
