package kernel

// UpdateAugmented goes s times as far as from theta to target, where the
// augmented solver would go, and writes the way back, unscaled, to descent.
func UpdateAugmented[T Float](theta, target, descent []T, s T) {
	for i := range theta {
		descent[i] = theta[i] - target[i]            // −Δ
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
