//go:build !purego

package kernel

import "unsafe"

// Wrappers of the assembly for either type of elements. They process the first n elements of each
// slice; n is a multiple of lanes.

func objectiveAVX2[T Float](n int, theta, gradient, g []T, o *Objective[T]) {
	if single[T]() {
		objective32AVX2(start[float32](theta), start[float32](gradient), start[float32](g), n, first[float32](o))
	} else {
		objective64AVX2(start[float64](theta), start[float64](gradient), start[float64](g), n, first[float64](o))
	}
}

func measureAVX2[T Float](n int, theta, gradient, g, d []T, sums *partialSums) {
	if single[T]() {
		var maxima [16]uint32
		measure32AVX2(start[float32](theta), start[float32](gradient), start[float32](g), start[float32](d), n, &sums.dot[0], &maxima[0])
		takeMaxima(sums, maxima[:8], maxima[8:])
	} else {
		var maxima [8]uint64
		measure64AVX2(start[float64](theta), start[float64](gradient), start[float64](g), start[float64](d), n, &sums.dot[0], &maxima[0])
		takeMaxima(sums, maxima[:4], maxima[4:])
	}
}

func measureAdamAVX2[T Float](n int, theta, gradient, g, m, v []T, last *AdamDirection[T], sums *partialSums) {
	if single[T]() {
		var maxima [16]uint32
		measureAdam32AVX2(start[float32](theta), start[float32](gradient), start[float32](g), start[float32](m), start[float32](v), n, first[float32](last), &sums.dot[0], &maxima[0])
		takeMaxima(sums, maxima[:8], maxima[8:])
	} else {
		var maxima [8]uint64
		measureAdam64AVX2(start[float64](theta), start[float64](gradient), start[float64](g), start[float64](m), start[float64](v), n, first[float64](last), &sums.dot[0], &maxima[0])
		takeMaxima(sums, maxima[:4], maxima[4:])
	}
}

func measureAverageAVX2[T Float](n int, g, mean, d []T, sums *partialSums) {
	if single[T]() {
		measureAverage32AVX2(start[float32](g), start[float32](mean), start[float32](d), n, &sums.dot[0])
	} else {
		measureAverage64AVX2(start[float64](g), start[float64](mean), start[float64](d), n, &sums.dot[0])
	}
}

func measureAverageAdamAVX2[T Float](n int, g, mean, m, v []T, last *AdamDirection[T], sums *partialSums) {
	if single[T]() {
		measureAverageAdam32AVX2(start[float32](g), start[float32](mean), start[float32](m), start[float32](v), n, first[float32](last), &sums.dot[0])
	} else {
		measureAverageAdam64AVX2(start[float64](g), start[float64](mean), start[float64](m), start[float64](v), n, first[float64](last), &sums.dot[0])
	}
}

func updateAverageAVX2[T Float](n int, mean, d []T, c *AverageStep[T]) {
	if single[T]() {
		updateAverage32AVX2(start[float32](mean), start[float32](d), n, first[float32](c))
	} else {
		updateAverage64AVX2(start[float64](mean), start[float64](d), n, first[float64](c))
	}
}

// takeMaxima merges the per-lane maxima of the assembly into sums.
func takeMaxima[U uint32 | uint64](sums *partialSums, gradient, theta []U) {
	for i := range gradient {
		sums.maxGradient = max(sums.maxGradient, uint64(gradient[i]))
		sums.maxValue = max(sums.maxValue, uint64(theta[i]))
	}
}

func rawGainsAVX2[T Float](n int, g, m, p []T, k *Gain[T]) {
	if single[T]() {
		rawGains32AVX2(start[float32](g), start[float32](m), start[float32](p), n, first[float32](k))
	} else {
		rawGains64AVX2(start[float64](g), start[float64](m), start[float64](p), n, first[float64](k))
	}
}

// updateFunnelAVX2 expects g in gradient and, for raw signals, the new gains in p: see firstAVX2.
func updateFunnelAVX2[T Float](n int, theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	switch {
	case single[T]() && c.Gain.Raw:
		updateFunnelRaw32AVX2(start[float32](theta), start[float32](gradient), start[float32](nu), start[float32](m), start[float32](p), n, first[float32](c))
	case single[T]():
		updateFunnel32AVX2(start[float32](theta), start[float32](gradient), start[float32](nu), start[float32](m), start[float32](p), n, first[float32](c))
	case c.Gain.Raw:
		updateFunnelRaw64AVX2(start[float64](theta), start[float64](gradient), start[float64](nu), start[float64](m), start[float64](p), n, first[float64](c))
	default:
		updateFunnel64AVX2(start[float64](theta), start[float64](gradient), start[float64](nu), start[float64](m), start[float64](p), n, first[float64](c))
	}
}

// updateAdamAVX2 expects the same as updateFunnelAVX2.
func updateAdamAVX2[T Float](n int, theta, gradient, m, v, p []T, c *AdamStep[T]) {
	switch {
	case single[T]() && c.Gain.Raw:
		updateAdamRaw32AVX2(start[float32](theta), start[float32](gradient), start[float32](m), start[float32](v), start[float32](p), n, first[float32](c))
	case single[T]():
		updateAdam32AVX2(start[float32](theta), start[float32](gradient), start[float32](m), start[float32](v), start[float32](p), n, first[float32](c))
	case c.Gain.Raw:
		updateAdamRaw64AVX2(start[float64](theta), start[float64](gradient), start[float64](m), start[float64](v), start[float64](p), n, first[float64](c))
	default:
		updateAdam64AVX2(start[float64](theta), start[float64](gradient), start[float64](m), start[float64](v), start[float64](p), n, first[float64](c))
	}
}

func flushAVX2[T Float](n int, x, y []T) {
	if single[T]() {
		flush32AVX2(start[float32](x), start[float32](y), n)
	} else {
		flush64AVX2(start[float64](x), start[float64](y), n)
	}
}

// single reports whether T is float32.
func single[T Float]() bool { return unsafe.Sizeof(T(0)) == 4 }

// start returns the address of the first element of x, a []F.
func start[F, T Float](x []T) *F { return (*F)(unsafe.Pointer(unsafe.SliceData(x))) }

// first returns the address of the first field of x, an F.
func first[F Float, S any](x *S) *F { return (*F)(unsafe.Pointer(x)) }
