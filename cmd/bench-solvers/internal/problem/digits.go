package problem

import (
	"sync"

	"github.com/seed1e560811/funnel/mnist"
	G "gorgonia.org/gorgonia"
)

// digits returns the synthetic images of a seed. Tasks share them.
func digits(seed uint64) *mnist.Dataset {
	made, _ := datasets.LoadOrStore(seed, sync.OnceValue(func() *mnist.Dataset { return mnist.Synthetic(10000, seed) }))
	return made.(func() *mnist.Dataset)()
}

var datasets sync.Map // from a seed to a function that makes its images once

// stream makes batches of digits: images x and one-hot labels y, and the labels as
// bytes. The angles divide the run into equal parts; so does white, the brightness
// of a white pixel.
func (t *Task) stream(angles []float64, batch int, white []float32) (x, y *G.Node, labels []byte) {
	schedule, err := mnist.Jumps(angles, t.steps/len(angles))
	if err != nil {
		panic(err)
	}
	s, err := mnist.NewStream(digits(t.seed), schedule, batch, t.seed)
	if err != nil {
		panic(err)
	}
	t.close = append(t.close, func() error { s.Close(); return nil })
	x, pixels := t.input("images", batch, mnist.Pixels)
	y, oneHot := t.input("labels", batch, mnist.Classes)
	labels = make([]byte, batch)
	t.next = func(step int) {
		b, white := s.Next(), white[step*len(white)/t.steps]
		for i, p := range b.Images {
			pixels[i] = p * white
		}
		copy(labels, b.Labels)
		fillOneHot(oneHot, labels, mnist.Classes)
	}
	return x, y, labels
}

func fillOneHot(oneHot []float32, labels []byte, classes int) {
	clear(oneHot)
	for i, l := range labels {
		oneHot[i*classes+int(l)] = 1
	}
}

// classify minimizes the cross-entropy of logits z. Its score is the error rate: the
// fraction of each batch that is predicted wrongly before it is learned from.
func (t *Task) classify(z, y *G.Node, labels []byte) {
	t.loss = crossEntropy(z, y)
	classes := y.Shape()[1]
	var logits G.Value
	G.Read(z, &logits)
	t.score = func() float64 {
		rows, wrong := logits.Data().([]float32), 0
		for i, l := range labels {
			row := rows[i*classes:][:classes]
			for k, v := range row {
				if k != int(l) && !(v < row[l]) { // NaN counts as wrong
					wrong++
					break
				}
			}
		}
		return float64(wrong) / float64(len(labels))
	}
}

// digitsMLP reads digits with a ReLU network that has these hidden layers.
func digitsMLP(angles []float64, batch int, white []float32, hidden ...int) func(*Task) {
	return func(t *Task) {
		x, y, labels := t.stream(angles, batch, white)
		sizes := append(append([]int{mnist.Pixels}, hidden...), mnist.Classes)
		var z *G.Node
		z, t.params = t.mlp(G.Rectify, sizes...).on(x)
		t.classify(z, y, labels)
	}
}

// convolution reads digits that turn by 90° halfway with two strided convolutions
// and a dense layer.
func convolution(t *Task) {
	const batch = 32
	x, y, labels := t.stream([]float64{0, 90}, batch, white)
	image := G.Must(G.Reshape(x, []int{batch, 1, mnist.Side, mnist.Side}))
	c1 := t.param("c1", t.glorot(25, 8*25), 8, 1, 5, 5)
	c2 := t.param("c2", t.glorot(8*9, 16*9), 16, 8, 3, 3)
	w := t.param("w", t.glorot(16*25, mnist.Classes), 16*25, mnist.Classes)
	b := t.param("b", zeros, 1, mnist.Classes)
	h := G.Must(G.Rectify(G.Must(G.Conv2d(image, c1, []int{5, 5}, []int{0, 0}, []int{2, 2}, []int{1, 1})))) // 12×12
	h = G.Must(G.Rectify(G.Must(G.Conv2d(h, c2, []int{3, 3}, []int{0, 0}, []int{2, 2}, []int{1, 1}))))      // 5×5
	t.classify(affine(G.Must(G.Reshape(h, []int{batch, 16 * 25})), w, b), y, labels)
}

// autoencoder squeezes digits through 16 units. Its outputs are sigmoids, which
// saturate when a step is too long and then have no gradient.
func autoencoder(t *Task) {
	x, _, _ := t.stream(turns[:1], 32, white)
	var z *G.Node
	z, t.params = t.mlp(G.Rectify, mnist.Pixels, 64, 16, 64, mnist.Pixels).on(x)
	t.loss = meanSquare(G.Must(G.Sigmoid(z)), x)
}

// fewDigits trains on 640 digits in ten batches, shuffled anew every epoch, until it
// has memorized them.
func fewDigits(t *Task) {
	const images, batch = 640, 64
	x, pixels := t.input("images", batch, mnist.Pixels)
	y, oneHot := t.input("labels", batch, mnist.Classes)
	data, order, labels := digits(t.seed), []int(nil), make([]byte, batch)
	t.next = func(step int) {
		k := step % (images / batch)
		if k == 0 {
			order = t.rng.Perm(images)
		}
		for i, j := range order[k*batch:][:batch] {
			labels[i] = data.Labels[j]
			for p, v := range data.Image(j) {
				pixels[i*mnist.Pixels+p] = float32(v) / 255
			}
		}
		fillOneHot(oneHot, labels, mnist.Classes)
	}
	var z *G.Node
	z, t.params = t.mlp(G.Rectify, mnist.Pixels, 32, mnist.Classes).on(x)
	t.loss = crossEntropy(z, y)
}
