package mnist

// Synthetic handwriting: a glyph's strokes, bent and jittered, drawn with a
// round pen, scaled and centred the way MNIST's digits are.

import (
	"image"
	"image/draw"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"golang.org/x/image/vector"
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
	curveSteps   = 5   // lines between two points of a stroke
	pointJitter  = 4.5 // of each point, in hundredths of the height
	strokeJitter = 2   // of each stroke
	maxPressure  = 0.35

	box   = 20         // pixels that MNIST scales a digit's ink to
	fine  = 4          // pixels of the paper along the edge of one of the box
	sheet = box * fine // pixels of the paper along its own edge
)

// halfCircle goes around the end of a line that points right. It is a table
// because math.Sincos may differ between architectures in the last bit.
var halfCircle = [...]point{
	{0, -1}, {0.38268343, -0.92387953}, {0.70710678, -0.70710678}, {0.92387953, -0.38268343},
	{1, 0}, {0.92387953, 0.38268343}, {0.70710678, 0.70710678}, {0.38268343, 0.92387953}, {0, 1},
}

// A dab is a place the pen passes, how wide it is there, and whether a stroke
// starts there.
type dab struct {
	point
	radius float32
	start  bool
}

// A pen draws digits. It keeps its memory from one to the next.
type pen struct {
	points []point
	path   []dab
	raster vector.Rasterizer
	paper  *image.Alpha
	ink    [box * box]byte
}

func newPen() *pen {
	return &pen{paper: image.NewAlpha(image.Rect(0, 0, sheet, sheet))}
}

// draw writes one digit of a class to dst, which is blank.
func (p *pen) draw(dst []byte, h *hand, variants []glyph) {
	p.trace(h, h.choose(variants))
	p.fit(0.85 + mul(h.uniform(0, 1.4), h.uniform(0, 1)))
	p.fill()
	p.shrink()
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
				start:  i+step == 0,
			})
		}
		from = to
	}
	p.path = append(p.path, dab{point: q[last], radius: from})
}

// catmullRom goes from b to c as t goes from 0 to 1, in the directions that
// their neighbours a and d suggest.
func catmullRom(a, b, c, d, t float32) float32 {
	k1 := c - a
	k2 := mul(2, a) - mul(5, b) + mul(4, c) - d
	k3 := mul(3, b-c) + d - a
	return b + mul(mul(mul(mul(k3, t)+k2, t)+k1, t), 0.5)
}

// fit scales path to the paper, so that the ink of a pen of about this radius,
// in MNIST's pixels, just fits it.
func (p *pen) fit(radius float32) {
	_, size := p.bounds(0)
	radius = mul(radius, size/(box-2*radius)) // in path's own measure
	corner, size := p.bounds(radius)
	scale := sheet / size
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

// fill inks what path covers: a line to every dab, from the one before it or,
// where a stroke starts, from the one after it.
func (p *pen) fill() {
	p.raster.Reset(sheet, sheet)
	for i, d := range p.path {
		if d.start {
			p.line(p.path[i+1], d)
		} else {
			p.line(p.path[i-1], d)
		}
	}
	p.raster.DrawOp = draw.Src
	p.raster.Draw(p.paper, p.paper.Rect, image.Opaque, image.Point{})
}

// line adds the line from a to b, which ends round, to the raster. All lines
// go around their ink in the same sense, so that ink over ink stays ink.
func (p *pen) line(a, b dab) {
	dx, dy := b.x-a.x, b.y-a.y
	length := max(float32(math.Sqrt(float64(mul(dx, dx)+mul(dy, dy)))), 1e-6)
	dx, dy = dx/length, dy/length
	p.raster.MoveTo(a.x-mul(dy, a.radius), a.y+mul(dx, a.radius))
	p.raster.LineTo(a.x+mul(dy, a.radius), a.y-mul(dx, a.radius))
	dx, dy = mul(dx, b.radius), mul(dy, b.radius)
	for _, c := range halfCircle {
		p.raster.LineTo(b.x+mul(c.x, dx)-mul(c.y, dy), b.y+mul(c.x, dy)+mul(c.y, dx))
	}
	p.raster.ClosePath()
}

// shrink scales the paper down to the box, by averages.
func (p *pen) shrink() {
	for i := range p.ink {
		corner := (i/box*sheet + i%box) * fine
		var sum int
		for y := range fine {
			for _, v := range p.paper.Pix[corner+y*sheet:][:fine] {
				sum += int(v)
			}
		}
		p.ink[i] = byte((sum + fine*fine/2) / (fine * fine))
	}
}

// centre copies the ink to an image, moved by whole pixels so that its centre
// of mass lies in the middle.
func (p *pen) centre(dst []byte) {
	var mass, mx, my int
	for i, v := range p.ink {
		mass += int(v)
		mx += int(v) * (i % box)
		my += int(v) * (i / box)
	}
	left, top := Side/2-(mx+mass/2)/mass, Side/2-(my+mass/2)/mass
	for i, v := range p.ink {
		// Lopsided ink may reach beyond the image, as rarely as in MNIST.
		if x, y := left+i%box, top+i/box; x >= 0 && x < Side && y >= 0 && y < Side {
			dst[y*Side+x] = v
		}
	}
}
