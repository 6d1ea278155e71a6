package kernel

// UpdateAugmented goes s times as far as from theta to target, where the
// augmented solver would go. The way back, unscaled, it writes to descent or, where
// average is not nil, averages there.
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

// OverflowAugmented returns the index of the first element of which
// UpdateAugmented would make a number that is not finite, or -1.
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
