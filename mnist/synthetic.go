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

	box   = 20      // pixels that MNIST scales a digit's ink to
	sheet = 2 * box // pixels of the paper along its edge
)

// halfCircle goes around the end of a line that points right. It is a table
// because math.Sincos may differ between architectures in the last bit.
var halfCircle = [...]point{
	{0, -1}, {0.38268343, -0.92387953}, {0.70710678, -0.70710678}, {0.92387953, -0.38268343},
	{1, 0}, {0.92387953, 0.38268343}, {0.70710678, 0.70710678}, {0.38268343, 0.92387953}, {0, 1},
}

// A dab is a place the pen passes, and how wide it is there.
type dab struct {
	point
	radius float32
}

// A pen draws digits. It keeps its memory from one to the next.
type pen struct {
	points []point
	path   []dab
	ends   []int   // where each stroke ends in path
	back   []point // the way back along a ribbon
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
	p.path, p.ends = p.path[:0], p.ends[:0]
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
		p.ends = append(p.ends, len(p.path))
	}
}

// curve adds the Catmull-Rom spline through points to path.
func (p *pen) curve(h *hand, pressure float32) {
	q := p.points
	last := len(q) - 1
	from := h.around(1, pressure)
	for i := range last {
		if q[i] == q[i+1] {
			continue // a corner
		}
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
	p.path = append(p.path, dab{q[last], from})
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

// fill inks what path covers.
func (p *pen) fill() {
	p.raster.Reset(sheet, sheet)
	start := 0
	for _, end := range p.ends {
		p.stroke(p.path[start:end])
		start = end
	}
	p.raster.DrawOp = draw.Src
	p.raster.Draw(p.paper, p.paper.Rect, image.Opaque, image.Point{})
}

// stroke adds a stroke to the raster: a ribbon, or several where the pen turns
// too tightly for one.
func (p *pen) stroke(path []dab) {
	start, last := 0, len(path)-1
	for i := 1; i <= last; i++ {
		if i == last || tight(path[i-1], path[i], path[i+1]) {
			p.ribbon(path[start : i+1])
			start = i
		}
	}
}

// tight says whether the inner side of a ribbon through a, b and c would turn
// back at b, as at a corner.
func tight(a, b, c dab) bool {
	ux, uy, vx, vy := b.x-a.x, b.y-a.y, c.x-b.x, c.y-b.y
	u, v := norm(ux, uy), norm(vx, vy)
	cross, dot := mul(ux, vy)-mul(uy, vx), mul(ux, vx)+mul(uy, vy)
	// The direction at b is u + v. Where u meets it at an angle α, the inner side
	// loses radius·tan α of u, with tan α = |cross|/(u² + dot), and has half of u
	// to lose; and so with v.
	least := min(mul(u, mul(u, u)+dot), mul(v, mul(v, v)+dot))
	return mul(2*b.radius, max(cross, -cross)) >= least
}

// norm is the length of a vector, and not 0.
func norm(x, y float32) float32 {
	return max(float32(math.Sqrt(float64(mul(x, x)+mul(y, y)))), 1e-6)
}

// ribbon adds a line along path, round at both ends, to the raster. All ribbons
// go around their ink in the same sense, so that ink over ink stays ink.
func (p *pen) ribbon(path []dab) {
	last := len(path) - 1
	p.back = p.back[:0]
	for i, d := range path {
		a, b := path[max(i-1, 0)], path[min(i+1, last)]
		dx, dy := b.x-a.x, b.y-a.y
		scale := d.radius / norm(dx, dy)
		dx, dy = mul(dx, scale), mul(dy, scale)
		if i == 0 {
			p.raster.MoveTo(d.x-dy, d.y+dx)
			p.end(d, -dx, -dy)
		}
		p.raster.LineTo(d.x+dy, d.y-dx)
		p.back = append(p.back, point{d.x - dy, d.y + dx})
		if i == last {
			p.end(d, dx, dy)
		}
	}
	for i := last; i >= 0; i-- {
		p.raster.LineTo(p.back[i].x, p.back[i].y)
	}
}

// end goes around the end of a line at d that comes in the direction of dx and
// dy, which are as long as the radius.
func (p *pen) end(d dab, dx, dy float32) {
	for _, c := range halfCircle {
		p.raster.LineTo(d.x+mul(c.x, dx)-mul(c.y, dy), d.y+mul(c.x, dy)+mul(c.y, dx))
	}
}

// shrink scales the paper down to the box: every pixel is the mean of four.
func (p *pen) shrink() {
	for y := range box {
		upper, lower := p.paper.Pix[2*y*sheet:][:sheet], p.paper.Pix[(2*y+1)*sheet:][:sheet]
		for x := range box {
			sum := int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1])
			p.ink[y*box+x] = byte((sum + 2) / 4)
		}
	}
}

// centre copies the ink to an image, moved by whole pixels so that its centre
// of mass lies in the middle.
func (p *pen) centre(dst []byte) {
	var mass, mx, my int
	for y := range box {
		row := 0
		for x, v := range p.ink[y*box:][:box] {
			row += int(v)
			mx += int(v) * x
		}
		mass += row
		my += row * y
	}
	left, top := Side/2-(mx+mass/2)/mass, Side/2-(my+mass/2)/mass
	for y := range box {
		for x, v := range p.ink[y*box:][:box] {
			// Lopsided ink may reach beyond the image, as rarely as in MNIST.
			if x, y := left+x, top+y; x >= 0 && x < Side && y >= 0 && y < Side {
				dst[y*Side+x] = v
			}
		}
	}
}
