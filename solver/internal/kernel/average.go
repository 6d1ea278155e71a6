package kernel

// This file has the step average ū, the running mean of the directions d, which a warm-up of weight
// w makes forget:
//
//	ū ← β (1−w) ū + a d,  a = 3 (1−β_u), of Augmented 2.2 (1−β_u)
//
// d is Funnel's ν, Augmented's averaged −Δ, or FunnelAdam's m, which AdamDirection turns into a
// direction.

// LastShare is the extra weight of the last direction in the signal's direction ū + 0.3 d.
const LastShare = 0.3

// along returns an element of ū + 0.3 d.
func along[T Float](mean, d T) T { return mean + T(LastShare*d) }

// AverageStep holds the coefficients of an update of the step average.
type AverageStep[T Float] struct {
	Decay, Weight T // β (1−w), a
}

func (c *AverageStep[T]) of(mean, d T) T { return T(c.Decay*mean) + T(c.Weight*d) }

// UpdateAverage updates the step average of elements from to to of a parameter.
func UpdateAverage[T Float](mean, d []T, of Sample, from, to int, c *AverageStep[T]) {
	for k, end := of.periods(from, to); k < end; k++ {
		r := of.run(k)
		fastUpdateAverage(mean[r.in:r.inTo], d[r.from:r.to], c)
	}
}

func updateAverage[T Float](mean, d []T, c *AverageStep[T]) {
	for i := range mean {
		mean[i] = c.of(mean[i], d[i]) // ū ← β (1−w) ū + a d
	}
}

// UpdateSampleAverage updates the average of an x that has the elements of the sample only.
func UpdateSampleAverage[T Float](mean, x []T, c *AverageStep[T]) { fastUpdateAverage(mean, x, c) }

// Along computes the signal's direction where the last step counts q times:
//
//	e ← ū + 0.3 q d
func Along[T Float](e, mean, d []T, of Sample, q T) {
	share := T(LastShare * q)
	for k, end := of.periods(0, of.n); k < end; k++ {
		r := of.run(k)
		for i, x := range d[r.from:r.to] {
			e[r.in+i] = mean[r.in+i] + T(share*x)
		}
	}
}

// FlushAverage flushes the average of elements from to to:
//
//	ū ← 0 where |ū| is below the smallest normal number
func FlushAverage[T Float](mean []T, of Sample, from, to int) {
	for k, end := of.periods(from, to); k < end; k++ {
		r := of.run(k)
		fastFlush(mean[r.in:r.inTo], mean[r.in:r.inTo])
	}
}

// MeasureAverage measures the sampled elements from to to of a parameter along ū + 0.3 d, or along
// ū if d is nil. Only Dot and SquaredDirection of the result are valid.
func MeasureAverage[T Float](theta, gradient, mean, d []T, of Sample, from, to int, o *Objective[T]) Sums {
	var p partialSums
	for k, end := of.periods(from, to); k < end; k++ {
		r := of.run(k)
		if d == nil {
			fastMeasure(theta[r.from:r.to], gradient[r.from:r.to], mean[r.in:r.inTo], o, &p)
			continue
		}
		fastMeasureAverage(theta[r.from:r.to], gradient[r.from:r.to], mean[r.in:r.inTo], d[r.from:r.to], o, &p)
	}
	return sumsOf[T](&p)
}

func measureAverage[T Float](theta, gradient, mean, d []T, o *Objective[T], sums *partialSums) {
	for i := range theta {
		g := o.Gradient(gradient[i], theta[i])
		sums.addAlong(i, float64(along(mean[i], d[i])), float64(g))
	}
}

// MeasureAverageAdam is MeasureAverage with d computed as in MeasureAdam.
func MeasureAverageAdam[T Float](theta, gradient, mean, m, v []T, of Sample, from, to int, last *AdamDirection[T], o *Objective[T]) Sums {
	var p partialSums
	for k, end := of.periods(from, to); k < end; k++ {
		r := of.run(k)
		fastMeasureAverageAdam(theta[r.from:r.to], gradient[r.from:r.to], mean[r.in:r.inTo], m[r.from:r.to], v[r.from:r.to], last, o, &p)
	}
	return sumsOf[T](&p)
}

func measureAverageAdam[T Float](theta, gradient, mean, m, v []T, last *AdamDirection[T], o *Objective[T], sums *partialSums) {
	for i := range theta {
		g := o.Gradient(gradient[i], theta[i])
		sums.addAlong(i, float64(last.Of(along(mean[i], m[i]), v[i])), float64(g))
	}
}
