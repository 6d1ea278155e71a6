package kernel

// Rescale goes the way from value to target scale times as far, and notes the
// way back, unscaled, in descent. With a scale of 1 it goes to target, to the
// bit.
func Rescale[T Float](value, target, descent []T, scale T) {
	target, descent = target[:len(value)], descent[:len(value)]
	for i, v := range value {
		descent[i] = v - target[i]
		value[i] = rescaled(v, target[i], scale)
	}
}

// OverflowRescale is the place of the first element that Rescale would make
// non-finite, or -1.
func OverflowRescale[T Float](value, target []T, scale T) int {
	for i, v := range value {
		if t := target[i]; !finite(v-t) || !finite(rescaled(v, t, scale)) {
			return i
		}
	}
	return -1
}

func rescaled[T Float](value, target, scale T) T {
	if scale == 1 {
		return target
	}
	return value - T(scale*T(value-target))
}
