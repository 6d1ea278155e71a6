package history

import (
	"encoding/json"
	"math"
	"math/bits"
	"slices"
)

// PerOctave is the number of a histogram's bins between a number and its double.
// They are equally wide on a logarithmic axis.
const PerOctave = 4

// Histogram counts the numbers in each bin. Bin 0 begins at 1. The counting is done
// in Bins, since most histograms are replaced before anybody reads them.
type Histogram struct {
	numbers []float64 // not negative; nil for a histogram that was read from JSON
	counted binned
}

type binned struct {
	First  int   `json:"first"`
	Counts []int `json:"counts"`
}

// Bins returns the lowest bin that has any numbers, and the counts from there on.
func (h *Histogram) Bins() (first int, counts []int) {
	b := h.counted
	if h.numbers != nil {
		b = count(h.numbers)
	}
	return b.First, b.Counts
}

// MarshalJSON writes the bins.
func (h Histogram) MarshalJSON() ([]byte, error) {
	first, counts := h.Bins()
	return json.Marshal(binned{first, counts})
}

// UnmarshalJSON reads the bins.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	h.numbers = nil
	return json.Unmarshal(b, &h.counted)
}

// The first and the last bin, at 2^±20, also count what lies beyond, and 0.
const (
	octaves = 20
	lowest  = -octaves * PerOctave
	bins    = 2*octaves*PerOctave + 1
)

const mantissaBits = 52

// mantissas are the lower ends of the bins of an octave, except the first.
var mantissas = [PerOctave - 1]uint64{mantissa(math.Exp2(0.25)), mantissa(math.Exp2(0.5)), mantissa(math.Exp2(0.75))}

func mantissa(x float64) uint64 { return math.Float64bits(x) & (1<<mantissaBits - 1) }

func count(xs []float64) binned {
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
	return binned{first + lowest, slices.Clone(counts[first : last+1])}
}

// bin finds a number's bin from its bits, without a branch that would be
// mispredicted. Logarithms would take longer than all the quantiles.
func bin(x float64) int {
	const bias = 1023
	octave := int(math.Float64bits(x)>>mantissaBits) - bias
	switch {
	case octave < -octaves:
		return lowest
	case octave >= octaves:
		return lowest + bins - 1
	}
	at := PerOctave*(octave+1) - 1
	for _, m := range mantissas {
		_, less := bits.Sub64(mantissa(x), m, 0)
		at -= int(less)
	}
	return at
}
