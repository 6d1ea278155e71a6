package kernel

// This file has the step average ū, the running mean of the directions d, which forgets
// as much as the weight w of the warm-up says:
//
//	ū ← β (1−w) ū + a d,  a = 3 (1−β_u), of Augmented 2.2 (1−β_u)
//
// d is here ν of Funnel, −Δ of Augmented, averaged as ν is, and of FunnelAdam m, which
// AdamDirection makes the direction of.

// LastShare is how much more than in the average the last direction counts where the
// scale is adapted along both.
const LastShare = 0.3

// along is an element of what the scale is adapted along: ū + 0.3 d.
func along[T Float](mean, d T) T { return mean + T(LastShare*d) }

// AverageStep holds the numbers that bring the step average up to date.
type AverageStep[T Float] struct {
	Decay, Weight T // β (1−w), a
}

func (c *AverageStep[T]) of(mean, d T) T { return T(c.Decay*mean) + T(c.Weight*d) }

// UpdateAverage brings the step average of elements from to to of a parameter up to date.
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

// UpdateSampleAverage brings the average of an x that is itself of the sample up to date.
func UpdateSampleAverage[T Float](mean, x []T, c *AverageStep[T]) { fastUpdateAverage(mean, x, c) }

// Along makes what the scale is adapted along where the last direction counts q times:
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

// FlushAverage flushes it:
//
//	ū ← 0 where |ū| is below the smallest normal number
func FlushAverage[T Float](mean []T, of Sample, from, to int) {
	for k, end := of.periods(from, to); k < end; k++ {
		r := of.run(k)
		fastFlush(mean[r.in:r.inTo], mean[r.in:r.inTo])
	}
}

// MeasureAverage reads what the sample has of elements from to to of a parameter, along
// ū + 0.3 d, or along ū where d is nil. Of the Sums only those of the direction are of
// use: Dot and SquaredDirection.
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

// MeasureAverageAdam does what MeasureAverage does, as MeasureAdam makes d.
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
