package mnist

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func noiseImage(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	img := make([]byte, Pixels)
	for i := range img {
		img[i] = byte(rng.Uint32())
	}
	return img
}

// paint renders f, a function of the distance from the centre in pixels, y up.
func paint(f func(x, y float64) float64) []byte {
	const centre = (Side - 1) / 2.0
	img := make([]byte, Pixels)
	for i := range img {
		x, y := float64(i%Side)-centre, centre-float64(i/Side)
		img[i] = byte(math.Round(255 * min(max(f(x, y), 0), 1)))
	}
	return img
}

func rotated(degrees float64, src []byte) []float32 {
	dst := make([]float32, Pixels)
	NewRotation(degrees).Apply(dst, src)
	return dst
}

func toBytes(img []float32) []byte {
	out := make([]byte, len(img))
	for i, v := range img {
		out[i] = byte(math.Round(float64(v) * 255))
	}
	return out
}

func TestRotationByQuadrantsPermutesPixels(t *testing.T) {
	const last = Side - 1
	src := noiseImage(1)
	// Where the output pixel (x, y) comes from, y pointing down.
	quadrants := []func(x, y int) (int, int){
		func(x, y int) (int, int) { return x, y },
		func(x, y int) (int, int) { return last - y, x },
		func(x, y int) (int, int) { return last - x, last - y },
		func(x, y int) (int, int) { return y, last - x },
	}
	for turns := -9; turns <= 9; turns++ {
		got := rotated(float64(90*turns), src)
		from := quadrants[turns&3]
		for i, v := range got {
			x, y := from(i%Side, i/Side)
			if want := float32(src[y*Side+x]) / 255; v != want {
				t.Fatalf("%d°: pixel (%d,%d) = %v, want %v", 90*turns, i%Side, i/Side, v, want)
			}
		}
	}
}

func TestRotationIsCounterClockwise(t *testing.T) {
	// A spot right of the centre, and where it must go.
	right := paint(func(x, y float64) float64 { return 2.5 - math.Hypot(x-9, y) })
	for _, degrees := range []float64{0, 30, 90, 135, 180, 200, 270, 315, -45, 1e6} {
		var mass, mx, my float64
		for i, v := range rotated(degrees, right) {
			mass += float64(v)
			mx += float64(v) * (float64(i%Side) - 13.5)
			my += float64(v) * (13.5 - float64(i/Side))
		}
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		if x, y := mx/mass, my/mass; math.Hypot(x-9*cos, y-9*sin) > 0.02 {
			t.Errorf("%v°: the spot is at (%.3f, %.3f), want (%.3f, %.3f)", degrees, x, y, 9*cos, 9*sin)
		}
	}
}

func TestRotationWholeTurnsAreTheSame(t *testing.T) {
	src := noiseImage(2)
	for _, degrees := range []float64{0, 12.5, 37, 123.0625, -90, -37} {
		want := rotated(degrees, src)
		for _, turns := range []float64{-2, -1, 1, 2, 1000} {
			if !slices.Equal(rotated(degrees+360*turns, src), want) {
				t.Errorf("%v° and %v° differ", degrees, degrees+360*turns)
			}
		}
	}
}

func TestRotationKeepsMass(t *testing.T) {
	disc := paint(func(x, y float64) float64 { return 10.5 - math.Hypot(x, y) })
	var want float64
	for _, v := range disc {
		want += float64(v) / 255
	}
	for degrees := -360.0; degrees <= 360; degrees += 7.3 {
		var got float64
		for _, v := range rotated(degrees, disc) {
			got += float64(v)
		}
		if math.Abs(got/want-1) > 0.005 {
			t.Errorf("%v°: mass %v, want %v", degrees, got, want)
		}
	}
}

func TestRotationThereAndBack(t *testing.T) {
	smooth := paint(func(x, y float64) float64 {
		return math.Exp(-(x*x+y*y)/40) * (0.7 + 0.3*math.Sin(x/3+y/4))
	})
	for _, degrees := range []float64{1, 17, 37, 45, 60, 88, 133, 250} {
		back := rotated(-degrees, toBytes(rotated(degrees, smooth)))
		for i, v := range back {
			if want := float64(smooth[i]) / 255; math.Abs(float64(v)-want) > 0.03 {
				t.Fatalf("%v°: pixel %d = %v, want about %v", degrees, i, v, want)
			}
		}
	}
}

func TestRotationStaysInRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	white := bytes.Repeat([]byte{255}, Pixels)
	for range 300 {
		degrees := 2000 * (rng.Float64() - 0.5)
		for i, v := range rotated(degrees, white) {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%v°: pixel %d = %v", degrees, i, v)
			}
		}
		if centre := rotated(degrees, white)[14*Side+14]; centre != 1 {
			t.Fatalf("%v°: centre of a white image = %v", degrees, centre)
		}
	}
}

func TestRotationSetIsNewRotation(t *testing.T) {
	src := noiseImage(4)
	r, got := NewRotation(5), make([]float32, Pixels)
	for _, degrees := range []float64{10, 33.3, 90, -200} {
		r.Set(degrees)
		r.Apply(got, src)
		if !slices.Equal(got, rotated(degrees, src)) {
			t.Errorf("Set(%v) differs from NewRotation(%v)", degrees, degrees)
		}
	}
	if n := testing.AllocsPerRun(10, func() { r.Set(41); r.Apply(got, src) }); n != 0 {
		t.Errorf("Set and Apply allocate %v times", n)
	}
}

// The sum must hold on every architecture, with and without fused multiply-add.
func TestRotationBitsArePinned(t *testing.T) {
	const want = "3022f46d111c398aceff7062ada5d887664d5f6f7b7146fc498447cf14c87588"
	src, sum := noiseImage(6), sha256.New()
	for degrees := -400.0; degrees < 400; degrees += 0.7 {
		binary.Write(sum, binary.LittleEndian, rotated(degrees, src))
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want {
		t.Errorf("SHA-256 of the images = %s, want %s", got, want)
	}
}

func TestSinCosDegrees(t *testing.T) {
	for degrees := -800.0; degrees < 800; degrees += 0.375 {
		sin, cos := sinCosDegrees(degrees)
		wantSin, wantCos := math.Sincos(degrees * math.Pi / 180)
		if math.Abs(sin-wantSin) > 1e-14 || math.Abs(cos-wantCos) > 1e-14 {
			t.Fatalf("%v°: (%v, %v), want (%v, %v)", degrees, sin, cos, wantSin, wantCos)
		}
	}
}

func BenchmarkRotation(b *testing.B) {
	digits := Synthetic(1000, 1)
	for _, degrees := range []float64{0, 37} {
		b.Run(fmt.Sprintf("%v°", degrees), func(b *testing.B) {
			r, dst, i := NewRotation(degrees), make([]float32, Pixels), 0
			for b.Loop() {
				r.Apply(dst, digits.Image(i%1000))
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

func BenchmarkRotationSet(b *testing.B) {
	r := new(Rotation)
	for b.Loop() {
		r.Set(37)
	}
}
