package kernel

// UpdateEGU makes a step of the exponentiated-gradient update, and zeroes the
// gradient.
func UpdateEGU[T Float](theta, gradient []T, learnRate T, o *Objective[T]) {
	for i := range theta {
		theta[i] = egu(theta[i], gradient[i], learnRate, o)
		gradient[i] = 0
	}
}

// OverflowEGU returns the index of the first element that UpdateEGU would make non-finite, or -1.
func OverflowEGU[T Float](theta, gradient []T, learnRate T, o *Objective[T]) int {
	for i := range theta {
		if !finite(egu(theta[i], gradient[i], learnRate, o)) {
			return i
		}
	}
	return -1
}

func egu[T Float](theta, gradient, learnRate T, o *Objective[T]) T {
	g := o.Gradient(gradient, theta)
	return theta * Exp(-learnRate*g) // θ ← θ ⊙ exp(−η g)
}
