package sweep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// LearningRates parses comma-separated learning rates, each a number or a range such
// as 1e-6..1: its first number times every power of ten, up to its second. It
// returns equal numbers as equal texts.
func LearningRates(text string) ([]string, error) {
	var lr []string
	for _, s := range strings.Split(text, ",") {
		low, high := ends(s)
		digits, from, err := scientific(low)
		same, to, err2 := scientific(high)
		switch {
		case err != nil || err2 != nil:
			return nil, fmt.Errorf("%q is not a number, nor two with .. between them", s)
		case strings.Trim(digits, "0.") == "":
			return nil, fmt.Errorf("%q: a learning rate must be above 0", s)
		case digits != same || to < from:
			return nil, fmt.Errorf("%q: the second number is not the first times a power of ten", s)
		}
		for e := from; e <= to; e++ {
			x, _ := strconv.ParseFloat(fmt.Sprintf("%se%d", digits, e), 64)
			lr = append(lr, strconv.FormatFloat(x, 'g', -1, 64))
		}
	}
	return lr, nil
}

// ends returns the ends of a range, low..high; a number is both.
func ends(text string) (low, high string) {
	low, high, ok := strings.Cut(text, "..")
	if !ok {
		high = low
	}
	return strings.TrimSpace(low), strings.TrimSpace(high)
}

// scientific splits a number into digits × 10^exponent.
func scientific(text string) (digits string, exponent int, err error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", 0, err
	}
	digits, after, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	exponent, err = strconv.Atoi(after) // fails for Inf and NaN
	return digits, exponent, err
}

// mostSeeds limits the length of a range of seeds, which may be a typing mistake.
const mostSeeds = 10_000

// Seeds reads comma-separated seeds, each a number or a range such as 1..5.
func Seeds(text string) ([]uint64, error) {
	var seeds []uint64
	for _, s := range strings.Split(text, ",") {
		low, high := ends(s)
		a, err := strconv.ParseUint(low, 10, 64)
		b, err2 := strconv.ParseUint(high, 10, 64)
		switch {
		case err != nil || err2 != nil || b < a:
			return nil, fmt.Errorf("%q is not a whole number of at least 0, nor two with .. between them", s)
		case b-a >= mostSeeds:
			return nil, fmt.Errorf("%q is more than %d numbers", s, mostSeeds)
		}
		for k := range b - a + 1 {
			if slices.Contains(seeds, a+k) {
				return nil, fmt.Errorf("%d is given twice", a+k)
			}
			seeds = append(seeds, a+k)
		}
	}
	return seeds, nil
}

// ParseShard reads i/n, i from 0 to n-1.
func ParseShard(text string) (i, n int, err error) {
	first, second, _ := strings.Cut(text, "/")
	i, err = strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if err != nil || err2 != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("%q is not i/n with i from 0 to n-1", text)
	}
	return i, n, nil
}
