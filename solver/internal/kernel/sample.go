package kernel

// Sample is a fixed share of a parameter's elements. The step average is kept of a
// sample, because the cosine of two long vectors is known well enough from some
// thousand of their elements, and an average of all would make a step slower by half
// (measured).
//
// A parameter is cut into periods, and one run of each is in the sample. Which one
// changes from period to period, so that no row or column of a matrix is left out
// because of its length. The state of solvers depends on it: it can never change.
type Sample struct {
	n              int // elements of the parameter
	length, period int // of a run, of a period: powers of 2; a block is whole periods
}

const (
	runLength    = 256     // long enough that calls cost little
	leastSample  = 1 << 11 // elements; up to twice as many are all in the sample
	largestShare = 32      // of so many elements at least one is
)

// SampleOf is that of a parameter of n elements.
func SampleOf(n int) Sample {
	share := 1
	for share < largestShare && n >= 2*share*leastSample {
		share *= 2
	}
	if share == 1 {
		return Sample{n, Block, Block}
	}
	return Sample{n, runLength, share * runLength}
}

// Size is the number of elements in the sample.
func (s Sample) Size() int {
	if s.n == 0 {
		return 0
	}
	_, end := s.periods(0, s.n)
	return s.run(end - 1).inTo
}

// periods is the numbers of the periods of elements from to to, which are a block.
func (s Sample) periods(from, to int) (first, end int) {
	return from / s.period, (to + s.period - 1) / s.period
}

// run is a run of elements of a parameter, and where they are in the sample.
type run struct{ from, to, in, inTo int }

// run is that of a period: a whole one, but for the parameter's end.
func (s Sample) run(period int) run {
	const step = 13 // odd, so that every place in a period has its turn
	place := period * step % (s.period / s.length)
	from := min(period*s.period+place*s.length, s.n)
	to := min(from+s.length, s.n)
	in := period * s.length
	return run{from, to, in, in + to - from}
}

// at is where element i of the sample is in the parameter.
func (s Sample) at(i int) int { return s.run(i/s.length).from + i%s.length }
