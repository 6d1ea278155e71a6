//go:build !amd64 || purego

package kernel

func measure[T Float](value, gradient, velocity []T, o *Objective[T], p *partials) {
	measurePortable(value, gradient, velocity, o, p)
}

func update[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	updatePortable(value, gradient, velocity, average, gain, c)
}

func measureAdam[T Float](value, gradient, first, second []T, d *Direction[T], o *Objective[T], p *partials) {
	measureAdamPortable(value, gradient, first, second, d, o, p)
}

func updateAdam[T Float](value, gradient, first, second, gain []T, c *AdamCoefficients[T]) {
	updateAdamPortable(value, gradient, first, second, gain, c)
}
