package mnist

// Synthetic handwriting: the strokes of a glyph are bent and jittered, drawn with a
// round pen, then scaled and centred as MNIST's digits are.

import (
	"math/rand/v2"
	"runtime"
	"sync"
)

// Synthetic returns n images of handwriting-like digits, made the way MNIST's
// are: white ink on black, no larger than 20×20 pixels, with the centre of mass
// in the middle of the image. Classes are drawn uniformly.
//
// Image i follows from seed and i alone, so a longer set begins with a shorter
// one of the same seed. The bytes are the same on every machine.
func Synthetic(n int, seed uint64) *Dataset {
	d := &Dataset{Images: make([]byte, n*Pixels), Labels: make([]byte, n)}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		from, to := n*w/workers, n*(w+1)/workers
		wg.Add(1)
		go func() {
			defer wg.Done()
			p := newPen()
			for i := from; i < to; i++ {
				h := newHand(seed, uint64(i))
				d.Labels[i] = byte(h.intN(Classes))
				p.draw(d.Image(i), &h, glyphs[d.Labels[i]])
			}
		}()
	}
	wg.Wait()
	return d
}

// mul is a product that is rounded before anything is added to it. Written
// plainly, x*y + z is fused into one operation on some architectures, and
// images would differ between them.
func mul(x, y float32) float32 { return float32(x * y) }

// lerp goes from x to y as t goes from 0 to 1.
func lerp(x, y, t float32) float32 { return x + mul(y-x, t) }

// A hand is the random source of one image. It uses neither math.Log nor math.Exp,
// whose last bit depends on the architecture.
type hand struct{ pcg rand.PCG }

func newHand(seed, image uint64) hand { return hand{*rand.NewPCG(seed, image)} }

// intN returns an integer in [0,n), for a small n.
func (h *hand) intN(n int) int { return int(h.pcg.Uint64() >> 32 * uint64(n) >> 32) }

// uniform returns a number between lo and hi.
func (h *hand) uniform(lo, hi float32) float32 {
	return lerp(lo, hi, float32(h.pcg.Uint64()>>40)/(1<<24))
}

// around returns a number with the given mean and standard deviation, never
// further than three deviations from the mean: the sum of three uniform ones.
func (h *hand) around(mean, deviation float32) float32 {
	sum := h.uniform(-1, 1) + h.uniform(-1, 1) + h.uniform(-1, 1)
	return mean + mul(deviation, sum)
}

// choose returns one of the glyphs, by weight.
func (h *hand) choose(variants []glyph) glyph {
	var total float32
	for _, g := range variants {
		total += g.weight
	}
	x := h.uniform(0, total)
	for _, g := range variants {
		if x -= g.weight; x < 0 {
			return g
		}
	}
	return variants[0]
}

// A warp is how a writer's hand bends a digit: both coordinates become
// polynomials of the two.
type warp struct{ x, y bend }

// A bend has the coefficients of u, v, uv and v², where u and v are a point's
// place in the digit, about -1 to 1.
type bend [4]float32

// Writers differ in aspect and slant (most lean to the right), in how much
// wider they write above than below, in how round their backs are; and in how
// their lines rise, fan out and stretch.
var (
	meanX, spreadX = bend{1, -0.12, 0, 0}, bend{0.2, 0.26, 0.12, 0.1}
	meanY, spreadY = bend{0, 1, 0, 0}, bend{0.12, 0, 0.1, 0.12}
)

func (h *hand) warp() (w warp) {
	for i := range w.x {
		w.x[i] = h.around(meanX[i], spreadX[i])
		w.y[i] = h.around(meanY[i], spreadY[i])
	}
	return w
}

func (w *warp) apply(p point) point {
	u, v := (p.x-30)/50, (p.y-50)/50
	return point{w.x.at(u, v), w.y.at(u, v)}
}

func (b *bend) at(u, v float32) float32 {
	return mul(b[0], u) + mul(b[1], v) + mul(b[2], mul(u, v)) + mul(b[3], mul(v, v))
}
