//go:build !purego

package kernel

// useAVX2 says whether the processor and the operating system support AVX2 and FMA.
var useAVX2 = hasAVX2()

func hasAVX2() bool {
	const (
		osxsave, avx, fma = 1 << 27, 1 << 28, 1 << 12 // leaf 1, ecx
		avx2              = 1 << 5                    // leaf 7, ebx
		xmm, ymm          = 1 << 1, 1 << 2            // saved by the operating system
	)
	if highest, _, _, _ := cpuid(0, 0); highest < 7 {
		return false
	}
	if _, _, ecx, _ := cpuid(1, 0); ecx&(osxsave|avx|fma) != osxsave|avx|fma {
		return false
	}
	if saved, _ := xgetbv(); saved&(xmm|ymm) != xmm|ymm {
		return false
	}
	_, ebx, _, _ := cpuid(7, 0)
	return ebx&avx2 != 0
}

// vectorized returns how many of n elements the assembly processes. The tuned functions do the
// rest, which is all without AVX2.
func vectorized(n int) int {
	if !useAVX2 {
		return 0
	}
	return n &^ (lanes - 1)
}

// chunk is how many elements the assembly processes at a time where it makes several passes: few
// enough for the first cache.
const chunk = 512

func fastMeasure[T Float](theta, gradient, d []T, o *Objective[T], sums *partialSums) {
	n := vectorized(len(theta))
	switch {
	case n == 0:
	case o.plain():
		measureAVX2(n, theta, gradient, gradient, d, sums)
	default:
		var g [chunk]T
		for i := 0; i < n; i += chunk {
			k := min(chunk, n-i)
			objectiveAVX2(k, theta[i:], gradient[i:], g[:], o)
			measureAVX2(k, theta[i:], gradient[i:], g[:], d[i:], sums)
		}
	}
	tunedMeasure(theta[n:], gradient[n:], d[n:], o, sums)
}

func fastMeasureAdam[T Float](theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	n := vectorized(len(theta))
	switch {
	case n == 0:
	case o.plain():
		measureAdamAVX2(n, theta, gradient, gradient, m, v, last, sums)
	default:
		var g [chunk]T
		for i := 0; i < n; i += chunk {
			k := min(chunk, n-i)
			objectiveAVX2(k, theta[i:], gradient[i:], g[:], o)
			measureAdamAVX2(k, theta[i:], gradient[i:], g[:], m[i:], v[i:], last, sums)
		}
	}
	tunedMeasureAdam(theta[n:], gradient[n:], m[n:], v[n:], last, o, sums)
}

func fastMeasureAverage[T Float](theta, gradient, mean, d []T, o *Objective[T], sums *partialSums) {
	n := vectorized(len(theta))
	switch {
	case n == 0:
	case o.plain():
		measureAverageAVX2(n, gradient, mean, d, sums)
	default:
		var g [chunk]T
		for i := 0; i < n; i += chunk {
			k := min(chunk, n-i)
			objectiveAVX2(k, theta[i:], gradient[i:], g[:], o)
			measureAverageAVX2(k, g[:], mean[i:], d[i:], sums)
		}
	}
	tunedMeasureAverage(theta[n:], gradient[n:], mean[n:], d[n:], o, sums)
}

func fastMeasureAverageAdam[T Float](theta, gradient, mean, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	n := vectorized(len(theta))
	switch {
	case n == 0:
	case o.plain():
		measureAverageAdamAVX2(n, gradient, mean, m, v, last, sums)
	default:
		var g [chunk]T
		for i := 0; i < n; i += chunk {
			k := min(chunk, n-i)
			objectiveAVX2(k, theta[i:], gradient[i:], g[:], o)
			measureAverageAdamAVX2(k, g[:], mean[i:], m[i:], v[i:], last, sums)
		}
	}
	tunedMeasureAverageAdam(theta[n:], gradient[n:], mean[n:], m[n:], v[n:], last, o, sums)
}

func fastUpdateAverage[T Float](mean, d []T, c *AverageStep[T]) {
	n := vectorized(len(mean))
	if n > 0 {
		updateAverageAVX2(n, mean, d, c)
	}
	updateAverage(mean[n:], d[n:], c)
}

func fastUpdateFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	n := vectorized(len(theta))
	size := chunkOf(n, &c.Objective, &c.Gain)
	for i := 0; i < n; i += size {
		k := min(size, n-i)
		firstAVX2(k, theta[i:], gradient[i:], m[i:], p[i:], &c.Objective, &c.Gain)
		updateFunnelAVX2(k, theta[i:], gradient[i:], nu[i:], m[i:], p[i:], c)
	}
	tunedUpdateFunnel(theta[n:], gradient[n:], nu[n:], m[n:], p[n:], c)
}

func fastUpdateAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) {
	n := vectorized(len(theta))
	size := chunkOf(n, &c.Objective, &c.Gain)
	for i := 0; i < n; i += size {
		k := min(size, n-i)
		firstAVX2(k, theta[i:], gradient[i:], m[i:], p[i:], &c.Objective, &c.Gain)
		updateAdamAVX2(k, theta[i:], gradient[i:], m[i:], v[i:], p[i:], c)
	}
	tunedUpdateAdam(theta[n:], gradient[n:], m[n:], v[n:], p[n:], c)
}

func fastFlush[T Float](x, y []T) {
	n := vectorized(len(x))
	if n > 0 {
		flushAVX2(n, x, y)
	}
	flush(x[n:], y[n:])
}

// chunkOf returns how many of n elements an update processes at a time: all where firstAVX2 has
// nothing to do.
func chunkOf[T Float](n int, o *Objective[T], k *Gain[T]) int {
	if o.plain() && !k.Raw {
		return n
	}
	return chunk
}

// firstAVX2 does the passes that most steps do not need and the update's assembly leaves out: it
// replaces gradient by g, and puts the gains of raw signals in p.
func firstAVX2[T Float](n int, theta, gradient, m, p []T, o *Objective[T], k *Gain[T]) {
	if !o.plain() {
		objectiveAVX2(n, theta, gradient, gradient, o)
	}
	if k.Raw {
		rawGainsAVX2(n, gradient, m, p, k)
	}
}
