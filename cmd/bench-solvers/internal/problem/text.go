package problem

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	G "gorgonia.org/gorgonia"
)

// alphabet is every character of the text.
const alphabet = "abcdefghijklmnopqrstuvwxyz ,."

// passage returns a text of at least length characters, in which verbs agree with
// their subjects across the words between them.
func passage(rng *rand.Rand, length int) string {
	pick := func(words string) string { w := strings.Fields(words); return w[rng.IntN(len(w))] }
	var b strings.Builder
	phrase := func(plural bool) {
		noun := pick("sailor river window garden letter mountain teacher engine shadow orchard")
		if plural {
			noun += "s"
			b.WriteString(pick("the some many few these"))
		} else {
			b.WriteString(pick("the one every this"))
		}
		if rng.IntN(2) == 0 {
			b.WriteString(" " + pick("quiet old yellow distant careful narrow broken early"))
		}
		b.WriteString(" " + noun)
	}
	for b.Len() < length {
		plural := rng.IntN(2) == 0
		phrase(plural)
		if rng.IntN(2) == 0 {
			b.WriteString(" " + pick("near behind above under beside") + " ")
			phrase(rng.IntN(2) == 0)
		}
		verb := pick("follow remember cross mend paint cover answer")
		if !plural {
			verb += "s"
		}
		b.WriteString(" " + verb + " ")
		phrase(rng.IntN(2) == 0)
		b.WriteString(pick(". . , ") + " ")
	}
	return b.String()
}

// mostRows is the most rows that Concat may make. Its gradient is slices, and
// Gorgonia takes two slices for one if their bounds differ by a multiple of 256.
const mostRows = 256

// characters makes the inputs for reading text, one-hot: xs has a row for each text
// of the batch at each position, and y the next characters, position after position.
func (t *Task) characters(length, batch int) (xs []*G.Node, y *G.Node) {
	const v = len(alphabet)
	if length*batch > mostRows {
		panic(fmt.Sprintf("%d rows of text; there can be %d", length*batch, mostRows))
	}
	text := passage(t.rng, 30000)
	inputs := make([][]float32, length)
	for k := range length {
		x, data := t.input(fmt.Sprintf("x%d", k), batch, v)
		xs, inputs[k] = append(xs, x), data
	}
	y, next := t.input("y", length*batch, v)
	set := func(oneHot []float32, row int, c byte) { oneHot[row*v+strings.IndexByte(alphabet, c)] = 1 }
	t.next = func(int) {
		clear(next)
		for k := range inputs {
			clear(inputs[k])
		}
		for i := range batch {
			from := t.rng.IntN(len(text) - length)
			for k := range length {
				set(inputs[k], i, text[from+k])
				set(next, k*batch+i, text[from+k+1])
			}
		}
	}
	return xs, y
}

// recurrent predicts the next character with a tanh recurrent network.
func recurrent(t *Task) {
	const length, batch, width, v = 16, 16, 48, len(alphabet)
	xs, y := t.characters(length, batch)
	embed, b := t.param("embed", t.normal(0.1), v, width), t.param("b", zeros, 1, width)
	w := t.param("w", t.normal(1/math.Sqrt(width)), width, width)
	out, c := t.param("out", t.normal(1/math.Sqrt(width)), width, v), t.param("c", zeros, 1, v)
	h, _ := t.input("h0", batch, width)
	var hs []*G.Node
	for _, x := range xs {
		h = G.Must(G.Tanh(addRow(G.Must(G.Add(G.Must(G.Mul(x, embed)), G.Must(G.Mul(h, w)))), b)))
		hs = append(hs, h)
	}
	t.loss = crossEntropy(affine(G.Must(G.Concat(0, hs...)), out, c), y)
}

// lstm predicts the next character with a long short-term memory.
func lstm(t *Task) {
	const length, batch, width, v = 16, 16, 32, len(alphabet)
	xs, y := t.characters(length, batch)
	type gate struct{ x, h, b *G.Node }
	gates := map[string]gate{}
	for _, name := range []string{"input", "forget", "output", "cell"} {
		gates[name] = gate{
			t.param(name+"-x", t.normal(0.1), v, width),
			t.param(name+"-h", t.normal(1/math.Sqrt(width)), width, width),
			t.param(name+"-b", zeros, 1, width),
		}
	}
	out, c := t.param("out", t.normal(1/math.Sqrt(width)), width, v), t.param("c", zeros, 1, v)
	h, _ := t.input("h0", batch, width)
	cell, _ := t.input("cell0", batch, width)
	var hs []*G.Node
	for _, x := range xs {
		open := func(name string, f func(*G.Node) (*G.Node, error)) *G.Node {
			g := gates[name]
			return G.Must(f(addRow(G.Must(G.Add(G.Must(G.Mul(x, g.x)), G.Must(G.Mul(h, g.h)))), g.b)))
		}
		enters := G.Must(G.HadamardProd(open("input", G.Sigmoid), open("cell", G.Tanh)))
		cell = G.Must(G.Add(G.Must(G.HadamardProd(open("forget", G.Sigmoid), cell)), enters))
		h = G.Must(G.HadamardProd(open("output", G.Sigmoid), G.Must(G.Tanh(cell))))
		hs = append(hs, h)
	}
	t.loss = crossEntropy(affine(G.Must(G.Concat(0, hs...)), out, c), y)
}
