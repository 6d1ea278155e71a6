package mnist

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// softmaxCrossEntropy is the loss and its gradient by the textbook, in float64.
func softmaxCrossEntropy(z []float32, label int) (loss float64, gradient []float64) {
	highest, sum := math.Inf(-1), 0.0
	for _, v := range z {
		highest = max(highest, float64(v))
	}
	for _, v := range z {
		sum += math.Exp(float64(v) - highest)
	}
	gradient = make([]float64, len(z))
	for i, v := range z {
		gradient[i] = math.Exp(float64(v)-highest) / sum
	}
	gradient[label]--
	return math.Log(sum) - (float64(z[label]) - highest), gradient
}

func TestCrossEntropyAndItsGradientAreRightForHugeLogits(t *testing.T) {
	rows := [][]float32{
		{1000, -1000, 0, 1, 2, 3, 4, 5, 6, 7},
		{-1000, -1000, -1000, -1000, -1000, -1000, -1000, -1000, -1000, -999},
		{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000},
		{0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 0.8, 0.9, -1},
	}
	labels := []int{1, 9, 3, 5}
	var logits, oneHot []float32
	for i, r := range rows {
		logits = append(logits, r...)
		y := make([]float32, Classes)
		y[labels[i]] = 1
		oneHot = append(oneHot, y...)
	}
	g := G.NewGraph()
	z := G.NewMatrix(g, G.Float32, G.WithName("z"), G.WithShape(4, Classes), G.WithValue(tensor.New(tensor.WithShape(4, Classes), tensor.WithBacking(logits))))
	y := G.NewMatrix(g, G.Float32, G.WithName("y"), G.WithShape(4, Classes), G.WithValue(tensor.New(tensor.WithShape(4, Classes), tensor.WithBacking(oneHot))))
	loss, err := crossEntropy(z, y)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := G.Grad(loss, z); err != nil {
		t.Fatal(err)
	}
	machine := G.NewTapeMachine(g, G.BindDualValues(z))
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	gradient, err := z.Grad()
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for i, r := range rows {
		l, d := softmaxCrossEntropy(r, labels[i])
		want += l / 4
		for k := range d {
			if got := float64(gradient.Data().([]float32)[i*Classes+k]); math.Abs(got-d[k]/4) > 1e-6 {
				t.Errorf("row %d: gradient[%d] = %v, want %v", i, k, got, d[k]/4)
			}
		}
	}
	if got := float64(loss.Value().Data().(float32)); math.Abs(got-want) > 1e-4*want {
		t.Errorf("loss %v, want %v", got, want)
	}
}

func newTestMLP(t testing.TB, hidden []int, batch int, seed uint64) *MLP {
	t.Helper()
	m, err := NewMLP(hidden, batch, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestAClosedMLPIsFreed(t *testing.T) {
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC() // what finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	images, labels := make([]float32, 128*Pixels), make([]byte, 128)
	before := inUse()
	for range 10 {
		m, err := NewMLP([]int{128, 64}, 128, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Run(images, labels); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// One has some 4 MB.
	if after := inUse(); after > before+10<<20 {
		t.Errorf("%d MB in use before ten networks, %d MB after", before>>20, after>>20)
	}
}

func TestTheMLPHasTheParametersItShould(t *testing.T) {
	for _, c := range []struct {
		hidden []int
		want   int
	}{{[]int{128, 64}, 109_386}, {nil, 7850}, {[]int{5}, 784*5 + 5 + 50 + 10}} {
		made := 0
		for _, p := range newTestMLP(t, c.hidden, 2, 1).training.params {
			made += p.Shape().TotalSize()
		}
		if n, err := Parameters(c.hidden); err != nil || n != c.want || made != c.want {
			t.Errorf("hidden %v: %d parameters, %d made, error %v; want %d", c.hidden, n, made, err, c.want)
		}
	}
}

func TestTheMLPStartsFromItsSeed(t *testing.T) {
	weights := func(seed uint64) []float32 {
		return newTestMLP(t, []int{8}, 2, seed).training.params[0].Value().Data().([]float32)
	}
	a, b, c := weights(1), weights(1), weights(2)
	same := true
	for i := range a {
		if a[i] != b[i] {
			t.Fatal("one seed, two networks")
		}
		same = same && a[i] == c[i]
	}
	if same {
		t.Error("two seeds, one network")
	}
}

// The network's loss and gradient against a numeric derivative.
func TestTheMLPsGradientIsTheDerivativeOfItsLoss(t *testing.T) {
	data := Synthetic(4, 1)
	images := make([]float32, 4*Pixels)
	for i := range images {
		images[i] = float32(data.Images[i]) / 255
	}
	m := newTestMLP(t, []int{6, 5}, 4, 3)
	loss := func() float64 {
		if err := m.Run(images, data.Labels); err != nil {
			t.Fatal(err)
		}
		return m.Loss()
	}
	loss()
	var gradients [][]float32 // of the first run, before others add to them
	for _, p := range m.training.params {
		g, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		gradients = append(gradients, append([]float32(nil), g.Data().([]float32)...))
	}
	for k, p := range m.training.params {
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
		if got, want := float64(gradient[largest]), (up-down)/(2*h); math.Abs(got-want) > 0.02*math.Abs(want) {
			t.Errorf("%s[%d]: gradient %v, the loss says %v", p.Name(), largest, got, want)
		}
	}
}

func TestTheOperationsAreGorgoniasToRounding(t *testing.T) {
	images, labels := make([]float32, 20*Pixels), make([]byte, 20)
	for i := range images {
		images[i] = float32(i*7919%1000) / 1000
	}
	for i := range labels {
		labels[i] = byte(i % Classes)
	}
	ours, err := NewMLP([]int{30, 20}, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := NewMLP([]int{30, 20}, 20, 1, GorgoniaOperations())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	for range 2 { // gradients add up
		for _, m := range []*MLP{ours, theirs} {
			if err := m.Run(images, labels); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a, b := ours.Loss(), theirs.Loss(); math.Abs(a-b) > 1e-5*b {
		t.Errorf("loss %v, with Gorgonia's operations %v", a, b)
	}
	for i, p := range ours.Model() {
		a, _ := p.Grad()
		b, _ := theirs.Model()[i].Grad()
		for k, x := range a.Data().([]float32) {
			if y := b.Data().([]float32)[k]; math.Abs(float64(x-y)) > 1e-5 {
				t.Fatalf("parameter %d: gradient[%d] = %v, with Gorgonia's operations %v", i, k, x, y)
			}
		}
	}
}

func TestAnMLPLearnsDigitsAndEvaluateReadsWithWhatItLearned(t *testing.T) {
	data := Synthetic(2000, 1)
	m := newTestMLP(t, []int{32}, 50, 1)
	before, err := m.Evaluate(data, 30)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := Jumps([]float64{30}, 200)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := NewStream(data, schedule, 50, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	s := G.NewAdamSolver(G.WithLearnRate(0.003))
	right := 0
	for b := stream.Next(); b != nil; b = stream.Next() {
		if err := m.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		if b.Step >= 190 {
			right += m.Correct(b.Labels)
		}
		if err := s.Step(m.Model()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := m.Evaluate(data, 30)
	if err != nil {
		t.Fatal(err)
	}
	if before > 0.3 || after < 0.85 || math.Abs(after-float64(right)/500) > 0.1 {
		t.Errorf("read %.2f before, %.2f after, and %.2f in the last batches", before, after, float64(right)/500)
	}
}

// The synthetic digits are like real ones: who learned from them alone reads
// MNIST's test set.
func TestWhoLearnedSyntheticDigitsReadsRealOnes(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	_, real, err := ReadDir(realMNIST(t))
	if err != nil {
		t.Fatal(err)
	}
	m := newTestMLP(t, []int{128, 64}, 128, 1)
	s := G.NewAdamSolver()
	const epochs = 1
	batches := stream(t, Synthetic(60_000, 1), jumps(t, []float64{0}, epochs*60_000/128), 128, 1)
	for b := batches.Next(); b != nil; b = batches.Next() {
		if err := m.Run(b.Images, b.Labels); err != nil {
			t.Fatal(err)
		}
		if err := s.Step(m.Model()); err != nil {
			t.Fatal(err)
		}
	}
	accuracy, err := m.Evaluate(real, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.2f%% of MNIST's test set after %d epoch(s)", 100*accuracy, epochs)
	if accuracy < 0.75 {
		t.Errorf("reads %.1f%% of MNIST's test set, want at least 75%%", 100*accuracy)
	}
}

func TestEvaluateCountsEveryImage(t *testing.T) {
	m := newTestMLP(t, []int{4}, 2, 1)
	data := Synthetic(evaluationBatch+1, 2)
	for i := range data.Len() { // label each image with what the network takes it for
		if _, err := m.Evaluate(&Dataset{data.Image(i), data.Labels[i : i+1]}, 0); err != nil {
			t.Fatal(err)
		}
		data.Labels[i] = byte(argmax(m.reading.logits.Data().([]float32)[:Classes]))
	}
	for _, n := range []int{1, evaluationBatch - 1, evaluationBatch, evaluationBatch + 1} {
		part := &Dataset{data.Images[:n*Pixels], append([]byte(nil), data.Labels[:n]...)}
		if accuracy, err := m.Evaluate(part, 0); err != nil || accuracy != 1 {
			t.Errorf("%d images: accuracy %v, error %v; want 1", n, accuracy, err)
		}
		part.Labels[n-1] = (part.Labels[n-1] + 1) % Classes
		if accuracy, err := m.Evaluate(part, 0); err != nil || accuracy != float64(n-1)/float64(n) {
			t.Errorf("%d images, the last misread: accuracy %v, error %v", n, accuracy, err)
		}
	}
	if _, err := m.Evaluate(&Dataset{}, 0); err == nil {
		t.Error("no error for a data set without images")
	}
}

func TestABatchThatDoesNotFitIsAnError(t *testing.T) {
	m := newTestMLP(t, nil, 2, 1)
	for name, c := range map[string]struct {
		pixels int
		labels []byte
	}{
		"too few pixels":  {Pixels, []byte{1, 2}},
		"too many labels": {2 * Pixels, []byte{1, 2, 3}},
		"a label of 10":   {2 * Pixels, []byte{1, 10}},
	} {
		if err := m.Run(make([]float32, c.pixels), c.labels); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnMLPThatCannotBeIsAnError(t *testing.T) {
	for _, c := range []struct {
		hidden []int
		batch  int
	}{{[]int{0}, 1}, {[]int{4, -1}, 1}, {nil, 0}, {[]int{math.MaxInt}, 1}, {[]int{1 << 20, 1 << 20}, 1}} {
		if _, err := NewMLP(c.hidden, c.batch, 1); err == nil {
			t.Errorf("hidden %v, batch %d: no error", c.hidden, c.batch)
		}
	}
}

func BenchmarkMLPRun(b *testing.B) {
	for _, hidden := range [][]int{{128, 64}} {
		b.Run(fmt.Sprint(hidden), func(b *testing.B) {
			m := newTestMLP(b, hidden, 128, 1)
			data := Synthetic(128, 1)
			images := make([]float32, 128*Pixels)
			for b.Loop() {
				if err := m.Run(images, data.Labels); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// With the race detector: what networks share must not show.
func TestNetworksAreMadeAndTrainedAtTheSameTime(t *testing.T) {
	images, labels := make([]float32, 4*Pixels), []byte{1, 2, 3, 4}
	var losses [4]float64
	var working sync.WaitGroup
	for k := range losses {
		working.Add(1)
		go func() {
			defer working.Done()
			m, err := NewMLP([]int{8}, 4, 1)
			if err != nil {
				t.Error(err)
				return
			}
			defer m.Close()
			s := G.NewAdamSolver()
			for range 20 {
				if err := errors.Join(m.Run(images, labels), s.Step(m.Model())); err != nil {
					t.Error(err)
				}
			}
			losses[k] = m.Loss()
		}()
	}
	working.Wait()
	for _, l := range losses {
		if l != losses[0] {
			t.Errorf("losses %v of equal networks", losses)
		}
	}
}
