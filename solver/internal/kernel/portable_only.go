//go:build !amd64 || purego

package kernel

func measure[T Float](value, gradient, velocity []T, o *Objective[T], p *partials) {
	measurePortable(value, gradient, velocity, o, p)
}

func update[T Float](value, gradient, velocity, average, gain []T, c *Coefficients[T]) {
	updatePortable(value, gradient, velocity, average, gain, c)
}
