package history

import "math"

// PerOctave is how many bins of a histogram there are from a number to its
// double; they are equally wide on a logarithmic axis.
const PerOctave = 4

// Histogram is how many numbers there are in each bin. Bin 0 begins at 1.
type Histogram struct {
	First  int   `json:"first"` // the lowest bin that has any
	Counts []int `json:"counts"`
}

// The bins at the ends, at 2^±20, hold what lies beyond, and 0.
const (
	octaves = 20
	lowest  = -octaves * PerOctave
	bins    = 2*octaves*PerOctave + 1
)

// Where the bins of an octave begin, after the first.
var edges = [PerOctave - 1]float64{math.Exp2(0.25), math.Exp2(0.5), math.Exp2(0.75)}

// histogramOf counts numbers that are not negative.
func histogramOf(xs []float64) Histogram {
	var counts [bins]int
	for _, x := range xs {
		counts[bin(x)-lowest]++
	}
	first, last := 0, bins-1
	for first < last && counts[first] == 0 {
		first++
	}
	for last > first && counts[last] == 0 {
		last--
	}
	return Histogram{first + lowest, append([]int(nil), counts[first:last+1]...)}
}

// bin is by the bits of a number, as a logarithm of each gain would take longer
// than all their quantiles.
func bin(x float64) int {
	const mantissaBits, bias = 52, 1023
	b := math.Float64bits(x)
	octave := int(b>>mantissaBits) - bias
	switch {
	case octave < -octaves:
		return lowest
	case octave >= octaves:
		return lowest + bins - 1
	}
	mantissa := math.Float64frombits(b&(1<<mantissaBits-1) | bias<<mantissaBits)
	at := PerOctave * octave
	for _, edge := range edges {
		if mantissa >= edge {
			at++
		}
	}
	return at
}
