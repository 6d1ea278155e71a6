package mnist

// Rotation of images. The arithmetic on pixels is integer, and the only
// rounding is one division at the end: the same bits on every machine, results
// that cannot leave [0,1], and whole turns that are exactly the identity.

import "math"

const (
	subpixelBits = 8
	subpixel     = 1 << subpixelBits // positions are in 1/subpixel of a pixel
	unitBits     = 30
	unit         = 1 << unitBits // sines are in 1/unit

	// The source is read through a frame of zeros, so that an output pixel
	// whose four taps lie outside needs no case of its own. The width is a
	// power of two and large enough for columns -1 to Side+1.
	frameSide = 32
)

// Rotation turns images about their centre (13.5, 13.5) by one angle, with
// bilinear interpolation and zero outside.
//
// Any number of goroutines may call Apply at the same time, but none during Set.
type Rotation struct {
	taps [Pixels]tap
}

// A tap says where an output pixel is read from: the upper left of four
// neighbours in the frame, and how far towards the others, in 1/subpixel.
type tap struct {
	at     uint16
	fx, fy uint16
}

// NewRotation returns the rotation by an angle in degrees, counter-clockwise
// as seen on the screen. See [Rotation.Set].
func NewRotation(degrees float64) *Rotation {
	r := new(Rotation)
	r.Set(degrees)
	return r
}

// Set sets the angle, in degrees, counter-clockwise as seen on the screen. It does
// not allocate. Angles a whole number of turns apart are the same rotation, and
// multiples of 90 move pixels without changing them. The caller must check that
// degrees is finite; if not, images are meaningless.
func (r *Rotation) Set(degrees float64) {
	sin, cos := sinCosDegrees(degrees)
	s, c := int64(math.Round(sin*unit)), int64(math.Round(cos*unit))

	// Output pixel (x, y) comes from the point turned back, clockwise. As y
	// points down, turning back is (dx, dy) → (c·dx − s·dy, s·dx + c·dy).
	// Distances from the centre are doubled to be integers.
	const centre = Side - 1
	for y := range int64(Side) {
		dy := 2*y - centre
		for x := range int64(Side) {
			dx := 2*x - centre
			sx := framePosition(centre*unit + c*dx - s*dy)
			sy := framePosition(centre*unit + s*dx + c*dy)
			r.taps[y*Side+x] = tap{
				at: uint16(sy/subpixel*frameSide + sx/subpixel),
				fx: uint16(sx % subpixel),
				fy: uint16(sy % subpixel),
			}
		}
	}
}

// framePosition converts a doubled coordinate, in 1/unit, to a position in the
// frame, in 1/subpixel. Positions outside the frame, which see only zeros, are
// clamped to its edge.
func framePosition(doubled int64) int64 {
	const shift = unitBits + 1 - subpixelBits
	p := (doubled + 1<<(shift-1)) >> shift
	return min(max(p+subpixel, 0), (Side+1)*subpixel)
}

// Apply writes src, rotated, to dst: one image of Pixels bytes to Pixels
// values in [0,1], where 1 is byte 255.
func (r *Rotation) Apply(dst []float32, src []byte) {
	dst, src = dst[:Pixels], src[:Pixels]
	var frame [frameSide * frameSide]byte
	for y := range Side {
		copy(frame[(y+1)*frameSide+1:], src[y*Side:(y+1)*Side])
	}
	for i := range r.taps {
		t := &r.taps[i]
		// The mask changes no index; it lets the compiler drop the bounds checks.
		const mask = frameSide*frameSide - 1
		a, b := uint32(frame[t.at&mask]), uint32(frame[(t.at+1)&mask])
		c, d := uint32(frame[(t.at+frameSide)&mask]), uint32(frame[(t.at+frameSide+1)&mask])
		if a|b|c|d == 0 { // as most of an image is
			dst[i] = 0
			continue
		}
		fx, fy := uint32(t.fx), uint32(t.fy)
		top := a*(subpixel-fx) + b*fx
		bottom := c*(subpixel-fx) + d*fx
		// At most 255·2¹⁶ < 2²⁴, so float32 holds it exactly.
		sum := top*(subpixel-fy) + bottom*fy
		dst[i] = float32(int32(sum)) / (255 * subpixel * subpixel)
	}
}

// sinCosDegrees returns the sine and cosine of an angle in degrees, exact at
// multiples of 90. Unlike math.Sincos it gives the same bits on every
// architecture: each product is rounded before it is added to, so the compiler
// cannot fuse the two.
func sinCosDegrees(degrees float64) (sin, cos float64) {
	d := math.Mod(degrees, 360)
	quadrant := math.Round(d / 90)
	x := (d - float64(90*quadrant)) * (math.Pi / 180)
	x2 := float64(x * x)
	// Taylor series; |x| ≤ π/4, so the first terms left out are below 1e-17.
	sin, cos = 1, 1
	for k := 17.0; k >= 3; k -= 2 {
		sin = 1 - float64(x2/(k*(k-1))*sin)
		cos = 1 - float64(x2/((k-1)*(k-2))*cos)
	}
	sin *= x
	switch int(quadrant) & 3 {
	case 1:
		return cos, -sin
	case 2:
		return -sin, -cos
	case 3:
		return -cos, sin
	}
	return sin, cos
}
