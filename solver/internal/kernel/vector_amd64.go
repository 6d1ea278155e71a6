//go:build !purego

package kernel

import "unsafe"

// useAVX2 is whether the processor and the operating system have AVX2: chosen
// once. Tests compare both choices.
var useAVX2 = hasAVX2()

func hasAVX2() bool {
	const (
		osxsave, avx = 1 << 27, 1 << 28 // leaf 1, ecx
		avx2         = 1 << 5           // leaf 7, ebx
		xmm, ymm     = 1 << 1, 1 << 2   // saved by the operating system
	)
	if highest, _, _, _ := cpuid(0, 0); highest < 7 {
		return false
	}
	if _, _, ecx, _ := cpuid(1, 0); ecx&(osxsave|avx) != osxsave|avx {
		return false
	}
	if saved, _ := xgetbv(); saved&(xmm|ymm) != xmm|ymm {
		return false
	}
	_, ebx, _, _ := cpuid(7, 0)
	return ebx&avx2 != 0
}

// vectorized is how many of n elements the assembly does; the portable code
// does the rest.
func vectorized(n int) int {
	if !useAVX2 {
		return 0
	}
	return n &^ (lanes - 1)
}

func measure[T Float](value, gradient, velocity []T, o *Objective[T], p *partials) {
	n := vectorized(len(value))
	if n > 0 {
		if unsafe.Sizeof(T(0)) == 4 {
			measure32(start[float32](value), start[float32](gradient), start[float32](velocity), n, (*Objective[float32])(unsafe.Pointer(o)), p)
		} else {
			measure64(start[float64](value), start[float64](gradient), start[float64](velocity), n, (*Objective[float64])(unsafe.Pointer(o)), p)
		}
	}
	measurePortable(value[n:], gradient[n:], velocity[n:], o, p)
}

// start is the address of the first element of x, which is a []F.
func start[F, T Float](x []T) *F { return (*F)(unsafe.Pointer(unsafe.SliceData(x))) }

func measure32(value, gradient, velocity *float32, n int, o *Objective[float32], p *partials) {
	var maxima [16]uint32
	if o.plain() {
		measurePlain32AVX2(value, gradient, velocity, n, &o.L1, &p.dot[0], &maxima[0])
	} else {
		measure32AVX2(value, gradient, velocity, n, &o.L1, &p.dot[0], &maxima[0])
	}
	p.takeMaxima32(&maxima)
}

func measure64(value, gradient, velocity *float64, n int, o *Objective[float64], p *partials) {
	var maxima [8]uint64
	if o.plain() {
		measurePlain64AVX2(value, gradient, velocity, n, &o.L1, &p.dot[0], &maxima[0])
	} else {
		measure64AVX2(value, gradient, velocity, n, &o.L1, &p.dot[0], &maxima[0])
	}
	p.takeMaxima64(&maxima)
}

// takeMaxima32 takes over the largest magnitudes: of the gradient, then of the
// value.
func (p *partials) takeMaxima32(maxima *[16]uint32) {
	for i := range 8 {
		p.maxGradient = max(p.maxGradient, uint64(maxima[i]))
		p.maxValue = max(p.maxValue, uint64(maxima[8+i]))
	}
}

// takeMaxima64 is takeMaxima32 of float64.
func (p *partials) takeMaxima64(maxima *[8]uint64) {
	for i := range 4 {
		p.maxGradient = max(p.maxGradient, maxima[i])
		p.maxValue = max(p.maxValue, maxima[4+i])
	}
}

func measureAdam[T Float](value, gradient, first, second []T, d *Direction[T], o *Objective[T], p *partials) {
	n := vectorized(len(value))
	if n > 0 {
		if unsafe.Sizeof(T(0)) == 4 {
			measureAdam32(n, start[float32](value), start[float32](gradient), start[float32](first), start[float32](second), (*Direction[float32])(unsafe.Pointer(d)), (*Objective[float32])(unsafe.Pointer(o)), p)
		} else {
			measureAdam64(n, start[float64](value), start[float64](gradient), start[float64](first), start[float64](second), (*Direction[float64])(unsafe.Pointer(d)), (*Objective[float64])(unsafe.Pointer(o)), p)
		}
	}
	measureAdamPortable(value[n:], gradient[n:], first[n:], second[n:], d, o, p)
}

func measureAdam32(n int, value, gradient, first, second *float32, d *Direction[float32], o *Objective[float32], p *partials) {
	var maxima [16]uint32
	if o.plain() {
		measureAdamPlain32AVX2(value, gradient, first, second, n, &d.Correction, &o.L1, &p.dot[0], &maxima[0])
	} else {
		measureAdam32AVX2(value, gradient, first, second, n, &d.Correction, &o.L1, &p.dot[0], &maxima[0])
	}
	p.takeMaxima32(&maxima)
}

func measureAdam64(n int, value, gradient, first, second *float64, d *Direction[float64], o *Objective[float64], p *partials) {
	var maxima [8]uint64
	if o.plain() {
		measureAdamPlain64AVX2(value, gradient, first, second, n, &d.Correction, &o.L1, &p.dot[0], &maxima[0])
	} else {
		measureAdam64AVX2(value, gradient, first, second, n, &d.Correction, &o.L1, &p.dot[0], &maxima[0])
	}
	p.takeMaxima64(&maxima)
}

// chunk is how many elements are updated at a time where signals are raw: their
// factors stay in the nearest cache.
const chunk = 512

func update[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	n := vectorized(len(value))
	size := n
	if c.Gain.Raw {
		size = chunk
	}
	for i := 0; i < n; i += size {
		k := min(size, n-i)
		v, g, w, m, p := value[i:], gradient[i:], velocity[i:], average[i:], gain[i:]
		if unsafe.Sizeof(T(0)) == 4 {
			update32(k, start[float32](v), start[float32](g), start[float32](w), start[float32](m), start[float32](p), (*Coefficients[float32])(unsafe.Pointer(c)))
		} else {
			update64(k, start[float64](v), start[float64](g), start[float64](w), start[float64](m), start[float64](p), (*Coefficients[float64])(unsafe.Pointer(c)))
		}
	}
	updatePortable(value[n:], gradient[n:], velocity[n:], average[n:], gain[n:], c)
}

func update32(n int, value, gradient, velocity, average, gain *float32, c *Coefficients[float32]) {
	switch plain := c.plain(); {
	case c.Gain.Raw && plain:
		var factors [chunk]float32
		factorsPlain32AVX2(value, gradient, average, n, &c.L1, &factors[0])
		updateRawPlain32AVX2(value, gradient, velocity, average, gain, n, &c.L1, &factors[0])
	case c.Gain.Raw:
		var factors [chunk]float32
		factors32AVX2(value, gradient, average, n, &c.L1, &factors[0])
		updateRaw32AVX2(value, gradient, velocity, average, gain, n, &c.L1, &factors[0])
	case plain:
		updatePlain32AVX2(value, gradient, velocity, average, gain, n, &c.L1)
	default:
		update32AVX2(value, gradient, velocity, average, gain, n, &c.L1)
	}
}

func update64(n int, value, gradient, velocity, average, gain *float64, c *Coefficients[float64]) {
	switch plain := c.plain(); {
	case c.Gain.Raw && plain:
		var factors [chunk]float64
		factorsPlain64AVX2(value, gradient, average, n, &c.L1, &factors[0])
		updateRawPlain64AVX2(value, gradient, velocity, average, gain, n, &c.L1, &factors[0])
	case c.Gain.Raw:
		var factors [chunk]float64
		factors64AVX2(value, gradient, average, n, &c.L1, &factors[0])
		updateRaw64AVX2(value, gradient, velocity, average, gain, n, &c.L1, &factors[0])
	case plain:
		updatePlain64AVX2(value, gradient, velocity, average, gain, n, &c.L1)
	default:
		update64AVX2(value, gradient, velocity, average, gain, n, &c.L1)
	}
}

func updateAdam[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) {
	n := vectorized(len(value))
	size := n
	if c.Gain.Raw {
		size = chunk
	}
	for i := 0; i < n; i += size {
		k := min(size, n-i)
		w, g, m, v, p := value[i:], gradient[i:], first[i:], second[i:], gain[i:]
		if unsafe.Sizeof(T(0)) == 4 {
			updateAdam32(k, start[float32](w), start[float32](g), start[float32](m), start[float32](v), start[float32](p), (*AdamCoefficients[float32])(unsafe.Pointer(c)))
		} else {
			updateAdam64(k, start[float64](w), start[float64](g), start[float64](m), start[float64](v), start[float64](p), (*AdamCoefficients[float64])(unsafe.Pointer(c)))
		}
	}
	updateAdamPortable(value[n:], gradient[n:], first[n:], second[n:], gain[n:], c)
}

func updateAdam32(n int, value, gradient, first, second, gain *float32, c *AdamCoefficients[float32]) {
	switch plain := c.plain(); {
	case c.Gain.Raw && plain:
		var factors [chunk]float32
		factorsPlain32AVX2(value, gradient, first, n, &c.L1, &factors[0])
		updateAdamRawPlain32AVX2(value, gradient, first, second, gain, n, &c.L1, &factors[0])
	case c.Gain.Raw:
		var factors [chunk]float32
		factors32AVX2(value, gradient, first, n, &c.L1, &factors[0])
		updateAdamRaw32AVX2(value, gradient, first, second, gain, n, &c.L1, &factors[0])
	case plain:
		updateAdamPlain32AVX2(value, gradient, first, second, gain, n, &c.L1)
	default:
		updateAdam32AVX2(value, gradient, first, second, gain, n, &c.L1)
	}
}

func updateAdam64(n int, value, gradient, first, second, gain *float64, c *AdamCoefficients[float64]) {
	switch plain := c.plain(); {
	case c.Gain.Raw && plain:
		var factors [chunk]float64
		factorsPlain64AVX2(value, gradient, first, n, &c.L1, &factors[0])
		updateAdamRawPlain64AVX2(value, gradient, first, second, gain, n, &c.L1, &factors[0])
	case c.Gain.Raw:
		var factors [chunk]float64
		factors64AVX2(value, gradient, first, n, &c.L1, &factors[0])
		updateAdamRaw64AVX2(value, gradient, first, second, gain, n, &c.L1, &factors[0])
	case plain:
		updateAdamPlain64AVX2(value, gradient, first, second, gain, n, &c.L1)
	default:
		updateAdam64AVX2(value, gradient, first, second, gain, n, &c.L1)
	}
}
