package kernel

import "math"

// UpdateAugmented moves theta s times as far as the augmented solver, which would move it to
// target. It writes −Δ, unscaled, to descent or, if average is not nil, averages it there.
func UpdateAugmented[T Float](theta, target, descent []T, s T, average *AverageStep[T]) {
	for i := range theta {
		back := theta[i] - target[i] // −Δ
		if average != nil {
			back = average.of(descent[i], back)
		}
		descent[i] = back
		theta[i] = augmented(theta[i], target[i], s) // θ ← θ + s Δ
	}
}

// Likeness is cos⁴ of the angle between −Δ = theta − target and descent, over the sample; 0 where
// either is 0.
func Likeness[T Float](theta, target, descent []T, of Sample) float64 {
	var dot, squaredBack, squaredDescent float64
	for k, end := of.periods(0, of.n); k < end; k++ {
		r := of.run(k)
		for i := r.from; i < r.to; i++ {
			back, d := float64(theta[i]-target[i]), float64(descent[i])
			dot += float64(back * d)
			squaredBack += float64(back * back)
			squaredDescent += float64(d * d)
		}
	}
	cosine := dot / (math.Sqrt(squaredBack) * math.Sqrt(squaredDescent))
	if math.IsNaN(cosine) {
		return 0
	}
	square := float64(cosine * cosine)
	return min(float64(square*square), 1)
}

// OverflowAugmented returns the index of the first element that UpdateAugmented would make
// non-finite, or -1.
func OverflowAugmented[T Float](theta, target []T, s T) int {
	for i := range theta {
		if !finite(theta[i]-target[i]) || !finite(augmented(theta[i], target[i], s)) {
			return i
		}
	}
	return -1
}

func augmented[T Float](theta, target, s T) T {
	if s == 1 {
		return target // to the bit
	}
	return theta - T(s*T(theta-target))
}
