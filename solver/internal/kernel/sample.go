package kernel

// Sample is a fixed subset of a parameter's elements, over which the step average is kept: some
// thousand elements determine the cosine of two long vectors well enough, and an average of all
// would slow a step down by half (measured).
//
// A parameter is cut into periods, and one run of each is in the sample. Its place changes from
// period to period, so that no row or column of a matrix is left out because of its length. Solver
// state depends on the sample: it can never change.
type Sample struct {
	n              int // elements of the parameter
	length, period int // of a run and of a period, powers of 2; a block is a whole number of periods
}

const (
	runLength    = 256     // long enough to make the cost of calls small
	leastSample  = 1 << 11 // elements; a parameter of fewer than twice as many is sampled whole
	largestShare = 32      // one in largestShare elements at least is sampled
)

// SampleOf returns the sample of a parameter of n elements.
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

// periods returns the numbers of the periods of elements from to to, which must be a block.
func (s Sample) periods(from, to int) (first, end int) {
	return from / s.period, (to + s.period - 1) / s.period
}

// run is the elements from to to of a parameter, which are in to inTo of the sample.
type run struct{ from, to, in, inTo int }

// run returns a period's run, which the parameter's end may cut short.
func (s Sample) run(period int) run {
	const step = 13 // odd, so that every place in a period has its turn
	place := period * step % (s.period / s.length)
	from := min(period*s.period+place*s.length, s.n)
	to := min(from+s.length, s.n)
	in := period * s.length
	return run{from, to, in, in + to - from}
}

// at returns where element i of the sample is in the parameter.
func (s Sample) at(i int) int { return s.run(i/s.length).from + i%s.length }
