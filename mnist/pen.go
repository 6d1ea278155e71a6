package mnist

// How a digit is written: strokes into ribbons, ribbons into pixels.

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

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

// A pen draws digits. It reuses its memory from one to the next.
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

// norm is the length of a vector, at least 1e-6 so that it can divide.
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
