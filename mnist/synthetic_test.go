package mnist

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"runtime"
	"testing"
)

func sameDataset(a, b *Dataset) bool {
	return bytes.Equal(a.Images, b.Images) && bytes.Equal(a.Labels, b.Labels)
}

func TestSyntheticFollowsFromTheSeed(t *testing.T) {
	const n = 301
	want := Synthetic(n, 7)
	if !sameDataset(Synthetic(n, 7), want) {
		t.Error("the same seed gives different digits")
	}
	if other := Synthetic(n, 8); bytes.Equal(other.Images, want.Images) || bytes.Equal(other.Labels, want.Labels) {
		t.Error("different seeds give the same digits")
	}
	for _, short := range []int{0, 1, 2, 100} {
		prefix := &Dataset{Images: want.Images[:short*Pixels], Labels: want.Labels[:short]}
		if !sameDataset(Synthetic(short, 7), prefix) {
			t.Errorf("%d digits are not the first of %d", short, n)
		}
	}
}

func TestSyntheticIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const n = 101
	runtime.GOMAXPROCS(1)
	want := Synthetic(n, 3)
	for _, procs := range []int{2, 7} {
		runtime.GOMAXPROCS(procs)
		if !sameDataset(Synthetic(n, 3), want) {
			t.Errorf("GOMAXPROCS=%d gives other digits than 1", procs)
		}
	}
}

// The digits of a seed are part of every result reported on them: whoever
// changes them does so knowingly, here. The sum must hold on every
// architecture, with and without fused multiply-add, and with the rasterizer's
// assembly as without it (-tags noasm).
func TestSyntheticBytesArePinned(t *testing.T) {
	const want = "303e55bb3692ecfa98b3ede75cb09686553cb3ce9ed55ddca8cdad41a490f47f"
	d := Synthetic(2000, 1)
	if got := fmt.Sprintf("%x", sha256.Sum256(append(d.Labels, d.Images...))); got != want {
		t.Errorf("SHA-256 of labels and images = %s, want %s", got, want)
	}
}

func TestSyntheticHasEveryClass(t *testing.T) {
	const n = 5000
	var count [Classes]int
	for _, label := range Synthetic(n, 1).Labels {
		count[label]++ // an index out of range is a wrong label
	}
	for class, got := range count {
		if math.Abs(float64(got)-n/Classes) > 120 { // 5.6 standard deviations
			t.Errorf("class %d: %d of %d images", class, got, n)
		}
	}
}

func TestSyntheticLooksLikeMNIST(t *testing.T) {
	d := Synthetic(5000, 2)
	var total float64
	for i := range d.Len() {
		ink := measure(d.Image(i))
		total += ink.mass
		if ink.mass < 15 || ink.mass > 350 {
			t.Errorf("image %d, a %d: mass %.1f", i, d.Labels[i], ink.mass)
		}
		if size := max(ink.width, ink.height); size < 19 || size > 20 {
			t.Errorf("image %d, a %d: ink of %d×%d pixels", i, d.Labels[i], ink.width, ink.height)
		}
		if math.Abs(ink.x-14) > 0.6 || math.Abs(ink.y-14) > 0.6 {
			t.Errorf("image %d, a %d: centre of mass (%.2f, %.2f)", i, d.Labels[i], ink.x, ink.y)
		}
	}
	// MNIST's mean over its training images is 102.
	if mean := total / float64(d.Len()); mean < 90 || mean > 115 {
		t.Errorf("mean mass %.1f", mean)
	}
}

// ink is what a digit's pixels amount to: their sum (white is 1), centre of
// mass, and extent.
type ink struct {
	mass, x, y    float64
	width, height int
}

func measure(img []byte) (k ink) {
	x0, x1, y0, y1 := Side, -1, Side, -1
	for i, b := range img {
		if b == 0 {
			continue
		}
		x, y, v := i%Side, i/Side, float64(b)/255
		k.mass += v
		k.x += v * float64(x)
		k.y += v * float64(y)
		x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
	}
	k.x /= k.mass
	k.y /= k.mass
	k.width, k.height = x1-x0+1, y1-y0+1
	return k
}

// Ribbons that turn, cross and lie on one another leave no holes: wherever the
// pen was, the paper is white within 0.6 of its radius.
func TestThePenLeavesInkWhereverItGoes(t *testing.T) {
	p, digit := newPen(), make([]byte, Pixels)
	for i := range uint64(500) {
		h := newHand(4, i)
		p.draw(digit, &h, glyphs[i%Classes])
		for _, d := range p.path {
			for y := range sheet {
				for x := range sheet {
					// To the pixel's furthest corner.
					dx, dy := math.Abs(float64(x)+0.5-float64(d.x))+0.5, math.Abs(float64(y)+0.5-float64(d.y))+0.5
					if v := p.paper.AlphaAt(x, y).A; v < 250 && math.Hypot(dx, dy) < 0.6*float64(d.radius) {
						t.Errorf("image %d, a %d: %d at (%d, %d), where the pen was at (%.1f, %.1f) with radius %.1f", i, i%Classes, v, x, y, d.x, d.y, d.radius)
					}
				}
			}
		}
	}
}

// What a typing error in the table would break: strokes have two points or
// more, a corner is a point given twice and not three times, and all lie near
// the digit.
func TestGlyphTable(t *testing.T) {
	for class, variants := range glyphs {
		for v, g := range variants {
			if g.weight <= 0 || len(g.strokes) == 0 {
				t.Errorf("%d, variant %d: weight %v, %d strokes", class, v, g.weight, len(g.strokes))
			}
			for s, stroke := range g.strokes {
				if len(stroke) < 2 {
					t.Errorf("%d, variant %d, stroke %d has %d points", class, v, s, len(stroke))
				}
				for i, p := range stroke {
					if p.x < 0 || p.x > 100 || p.y < 0 || p.y > 100 {
						t.Errorf("%d, variant %d, stroke %d: point %v", class, v, s, p)
					}
					if i >= 2 && p == stroke[i-1] && p == stroke[i-2] {
						t.Errorf("%d, variant %d, stroke %d: %v three times", class, v, s, p)
					}
				}
			}
		}
	}
}

func BenchmarkSynthetic(b *testing.B) {
	const n = 1000
	for b.Loop() {
		Synthetic(n, 1)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
}
