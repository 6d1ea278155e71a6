package mnist

// Synthetic handwriting: a glyph's strokes, bent and jittered, drawn with a
// round pen, scaled and centred the way MNIST's digits are.

import (
	"math"
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
			var p pen
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

// A hand is one image's source of chance. It uses neither math.Log nor
// math.Exp, whose last bit depends on the architecture.
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

const (
	box          = 20  // pixels that MNIST scales a digit's ink to
	curveSteps   = 5   // lines between two points of a stroke
	pointJitter  = 4.5 // of each point, in hundredths of the height
	strokeJitter = 2   // of each stroke
	maxPressure  = 0.35
	edge         = 1.1 // pixels from full ink to none
)

// A dab is a place the pen passes, how wide it is there, and whether it is
// lifted afterwards.
type dab struct {
	point
	radius float32
	lift   bool
}

// A pen draws digits. It keeps its memory from one to the next.
type pen struct {
	points []point
	path   []dab
	ink    [box * box]float32
}

// draw writes one digit of a class to dst, which is blank.
func (p *pen) draw(dst []byte, h *hand, variants []glyph) {
	p.trace(h, h.choose(variants))
	p.fit(0.85 + mul(h.uniform(0, 1.4), h.uniform(0, 1)))
	p.fill()
	p.centre(dst)
}

// trace lays the strokes into path. Radii vary around 1, with the pressure.
func (p *pen) trace(h *hand, g glyph) {
	w := h.warp()
	pressure := h.uniform(0, maxPressure)
	p.path = p.path[:0]
	for _, stroke := range g.strokes {
		dx, dy := h.around(0, strokeJitter), h.around(0, strokeJitter)
		p.points = p.points[:0]
		for i, q := range stroke {
			if i > 0 && q == stroke[i-1] {
				p.points = append(p.points, p.points[i-1])
				continue
			}
			q.x += dx + h.around(0, pointJitter)
			q.y += dy + h.around(0, pointJitter)
			p.points = append(p.points, w.apply(q))
		}
		p.curve(h, pressure)
	}
}

// curve adds the Catmull-Rom spline through points to path.
func (p *pen) curve(h *hand, pressure float32) {
	q := p.points
	last := len(q) - 1
	from := h.around(1, pressure)
	for i := range last {
		to := h.around(1, pressure)
		a, b, c, d := q[max(i-1, 0)], q[i], q[i+1], q[min(i+2, last)]
		for step := range curveSteps {
			t := float32(step) / curveSteps
			p.path = append(p.path, dab{
				point:  point{catmullRom(a.x, b.x, c.x, d.x, t), catmullRom(a.y, b.y, c.y, d.y, t)},
				radius: lerp(from, to, t),
			})
		}
		from = to
	}
	p.path = append(p.path, dab{point: q[last], radius: from, lift: true})
}

// catmullRom goes from b to c as t goes from 0 to 1, in the directions that
// their neighbours a and d suggest.
func catmullRom(a, b, c, d, t float32) float32 {
	k1 := c - a
	k2 := mul(2, a) - mul(5, b) + mul(4, c) - d
	k3 := mul(3, b-c) + d - a
	return b + mul(mul(mul(mul(k3, t)+k2, t)+k1, t), 0.5)
}

// fit scales path to pixels, so that the ink of a pen of about this radius in
// pixels just fits the box.
func (p *pen) fit(radius float32) {
	_, size := p.bounds(0)
	radius = mul(radius, size/(box-2*radius)) // in path's own measure
	corner, size := p.bounds(radius)
	scale := box / size
	for i := range p.path {
		d := &p.path[i]
		d.x = mul(d.x-corner.x, scale)
		d.y = mul(d.y-corner.y, scale)
		d.radius = mul(mul(d.radius, radius), scale)
	}
}

// bounds returns the upper left corner of what a pen of some radius would ink,
// and the longer side.
func (p *pen) bounds(radius float32) (corner point, size float32) {
	lo, hi := p.path[0].point, p.path[0].point
	for _, d := range p.path {
		r := mul(d.radius, radius)
		lo = point{min(lo.x, d.x-r), min(lo.y, d.y-r)}
		hi = point{max(hi.x, d.x+r), max(hi.y, d.y+r)}
	}
	return lo, max(hi.x-lo.x, hi.y-lo.y)
}

// fill inks what path covers. Where lines overlap, the one that covers a pixel
// most decides: adding them up, as area rasterizers do, would put beads on the
// edge wherever two lines of a curve meet.
func (p *pen) fill() {
	clear(p.ink[:])
	for i, d := range p.path {
		if !d.lift {
			p.line(d, p.path[i+1])
		}
	}
}

// line inks the pixels near the line from a to b, by their distance from it.
func (p *pen) line(a, b dab) {
	reach := max(a.radius, b.radius) + edge/2
	x0, x1 := inBox(min(a.x, b.x)-reach), inBox(max(a.x, b.x)+reach)
	y0, y1 := inBox(min(a.y, b.y)-reach), inBox(max(a.y, b.y)+reach)
	dx, dy := b.x-a.x, b.y-a.y
	length2 := max(mul(dx, dx)+mul(dy, dy), 1e-9) // a corner's line has none
	for y := y0; y <= y1; y++ {
		py := float32(y) + 0.5 - a.y
		for x := x0; x <= x1; x++ {
			px := float32(x) + 0.5 - a.x
			t := min(max((mul(px, dx)+mul(py, dy))/length2, 0), 1)
			ex, ey := px-mul(t, dx), py-mul(t, dy)
			distance := float32(math.Sqrt(float64(mul(ex, ex) + mul(ey, ey))))
			ink := 0.5 + (lerp(a.radius, b.radius, t)-distance)/edge
			at := &p.ink[y*box+x]
			*at = max(*at, min(ink, 1))
		}
	}
}

// inBox returns the row or column of the box nearest to a coordinate.
func inBox(v float32) int { return min(max(int(v), 0), box-1) }

// centre copies the ink to an image, moved by whole pixels so that its centre
// of mass lies in the middle.
func (p *pen) centre(dst []byte) {
	var mass, mx, my float32
	for i, v := range p.ink {
		mass += v
		mx += mul(v, float32(i%box))
		my += mul(v, float32(i/box))
	}
	left := int(Side/2 - mx/mass + 0.5)
	top := int(Side/2 - my/mass + 0.5)
	for i, v := range p.ink {
		// Lopsided ink may reach beyond the image, as rarely as in MNIST.
		if x, y := left+i%box, top+i/box; x >= 0 && x < Side && y >= 0 && y < Side {
			dst[y*Side+x] = byte(mul(v, 255) + 0.5)
		}
	}
}
