//go:build !amd64 || purego

package kernel

func fastMeasure[T Float](theta, gradient, d []T, o *Objective[T], sums *partialSums) {
	tunedMeasure(theta, gradient, d, o, sums)
}

func fastMeasureAdam[T Float](theta, gradient, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	tunedMeasureAdam(theta, gradient, m, v, last, o, sums)
}

func fastUpdateFunnel[T Float](theta, gradient, nu, m, p []T, c *FunnelStep[T]) {
	tunedUpdateFunnel(theta, gradient, nu, m, p, c)
}

func fastUpdateAdam[T Float](theta, gradient, m, v, p []T, c *AdamStep[T]) {
	tunedUpdateAdam(theta, gradient, m, v, p, c)
}

func fastFlush[T Float](x, y []T) { flush(x, y) }

func fastMeasureAverage[T Float](theta, gradient, mean, d []T, o *Objective[T], sums *partialSums) {
	tunedMeasureAverage(theta, gradient, mean, d, o, sums)
}

func fastMeasureAverageAdam[T Float](theta, gradient, mean, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	tunedMeasureAverageAdam(theta, gradient, mean, m, v, last, o, sums)
}

func fastUpdateAverage[T Float](mean, d []T, c *AverageStep[T]) { updateAverage(mean, d, c) }
