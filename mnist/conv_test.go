package mnist

import (
	"math"
	"runtime"
	"testing"

	G "gorgonia.org/gorgonia"
)

func newTestConv(t testing.TB, batch int, seed uint64) *Conv {
	t.Helper()
	c, err := NewConv(batch, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// upright are the first images of a data set, not rotated.
func upright(data *Dataset, n int) []float32 {
	xs := make([]float32, n*Pixels)
	for i := range xs {
		xs[i] = float32(data.Images[i]) / 255
	}
	return xs
}

func TestTheConvnetHasTheParametersItShould(t *testing.T) {
	made := 0
	for _, p := range newTestConv(t, 2, 1).training.params {
		made += p.Shape().TotalSize()
	}
	if made != ConvParameters || ConvParameters != 5362 {
		t.Errorf("%d parameters, and ConvParameters is %d; want 5362", made, ConvParameters)
	}
}

func TestTheConvnetStartsFromItsSeed(t *testing.T) {
	first := func(seed uint64) float32 {
		return newTestConv(t, 2, seed).training.params[1].Value().Data().([]float32)[0]
	}
	if first(1) != first(1) || first(1) == first(2) {
		t.Errorf("%v and %v of seed 1, %v of seed 2", first(1), first(1), first(2))
	}
}

// The network's gradient against a numeric derivative of its loss.
func TestTheConvnetsGradientIsTheDerivativeOfItsLoss(t *testing.T) {
	data := Synthetic(4, 1)
	images := upright(data, 4)
	c := newTestConv(t, 4, 3)
	loss := func() float64 {
		if err := c.Run(images, data.Labels); err != nil {
			t.Fatal(err)
		}
		return c.Loss()
	}
	loss()
	var gradients [][]float32 // of the first run, before others add to them
	for _, p := range c.training.params {
		g, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		gradients = append(gradients, append([]float32(nil), g.Data().([]float32)...))
	}
	for k, p := range c.training.params {
		gradient, largest := gradients[k], 0
		for i := range gradient {
			if math.Abs(float64(gradient[i])) > math.Abs(float64(gradient[largest])) {
				largest = i
			}
		}
		const h = 1e-2
		w := &p.Value().Data().([]float32)[largest]
		start := *w
		*w = start + h
		up := loss()
		*w = start - h
		down := loss()
		*w = start
		if got, want := float64(gradient[largest]), (up-down)/(2*h); math.Abs(got-want) > 0.03*math.Abs(want) {
			t.Errorf("%s[%d]: gradient %v, the loss says %v", p.Name(), largest, got, want)
		}
	}
}

func TestAConvnetLearnsDigitsAndEvaluateReadsWithWhatItLearned(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	data := Synthetic(1000, 1)
	c := newTestConv(t, 20, 1)
	before, err := c.Evaluate(data, 30)
	if err != nil {
		t.Fatal(err)
	}
	s, right := G.NewAdamSolver(G.WithLearnRate(0.005)), 0
	batches := stream(t, data, jumps(t, []float64{30}, 200), 20, 1)
	for b := batches.Next(); b != nil; b = batches.Next() {
		if err := c.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		if b.Step >= 175 {
			right += c.Correct(b.Labels)
		}
		if err := s.Step(c.Model()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := c.Evaluate(data, 30)
	if err != nil {
		t.Fatal(err)
	}
	if before > 0.3 || after < 0.85 || math.Abs(after-float64(right)/500) > 0.1 {
		t.Errorf("read %.2f before, %.2f after, and %.2f in the last batches", before, after, float64(right)/500)
	}
	if _, err := c.Evaluate(&Dataset{}, 0); err == nil {
		t.Error("no error for a data set without images")
	}
}

func TestABatchThatDoesNotFitAConvnetIsAnError(t *testing.T) {
	c := newTestConv(t, 2, 1)
	for name, b := range map[string]struct {
		pixels int
		labels []byte
	}{
		"too few pixels":  {Pixels, []byte{1, 2}},
		"too many labels": {2 * Pixels, []byte{1, 2, 3}},
		"a label of 10":   {2 * Pixels, []byte{1, 10}},
	} {
		if err := c.Run(make([]float32, b.pixels), b.labels); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewConv(0, 1); err == nil {
		t.Error("no error for a batch of 0")
	}
}

func TestAConvnetDoesNotGrowAndIsFreedWhenClosed(t *testing.T) {
	inUse := func() int64 {
		runtime.GC()
		runtime.GC() // what finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	images, labels := make([]float32, 32*Pixels), make([]byte, 32)
	s := G.NewVanillaSolver()
	start := inUse()
	c, err := NewConv(32, 1)
	if err != nil {
		t.Fatal(err)
	}
	run := func(steps int) {
		for range steps {
			if err := c.Run(images, labels); err != nil {
				t.Fatal(err)
			}
			if err := s.Step(c.Model()); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(5)
	few := inUse()
	run(25)
	if many := inUse(); many > few+1<<20 {
		t.Errorf("%d kB in use after 5 steps, %d kB after 30", few>>10, many>>10)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = nil
	if end := inUse(); end > start+2<<20 {
		t.Errorf("%d kB in use before, %d kB after it was closed", start>>10, end>>10)
	}
}

func BenchmarkConvRun(b *testing.B) {
	c := newTestConv(b, 128, 1)
	data := Synthetic(128, 1)
	images := upright(data, 128)
	for b.Loop() {
		if err := c.Run(images, data.Labels); err != nil {
			b.Fatal(err)
		}
	}
}
