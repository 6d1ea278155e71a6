// Package quantile finds quantiles of many numbers without sorting them.
package quantile

import (
	"math"
	"math/bits"
	"slices"
	"sort"
)

// Of returns the empirical quantiles of all numbers in some lists: for each
// probability, from 0 to 1, the smallest number that at least that fraction of them
// does not exceed. All are NaN if there are no numbers, or if one of them is NaN.
func Of(probabilities []float64, lists ...[]float64) []float64 {
	quantiles := make([]float64, len(probabilities))
	keys, ok := keysOf(lists)
	if len(keys) == 0 || !ok {
		for i := range quantiles {
			quantiles[i] = math.NaN()
		}
		return quantiles
	}
	wanted := make([]rank, len(probabilities))
	for i, p := range probabilities {
		at := int(math.Ceil(p*float64(len(keys)))) - 1
		wanted[i] = rank{max(at, 0), &quantiles[i]}
	}
	slices.SortFunc(wanted, func(a, b rank) int { return a.at - b.at })
	find(keys, 0, wanted)
	return quantiles
}

// rank is a position in the sorted order, and where the number there is stored.
type rank struct {
	at     int
	number *float64
}

// keysOf returns integers that are ordered as the numbers are, and whether none of
// the numbers is NaN.
func keysOf(lists [][]float64) (keys []uint64, ok bool) {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	keys = make([]uint64, 0, n)
	for _, list := range lists {
		for _, x := range list {
			if x != x {
				return keys, false
			}
			b := math.Float64bits(x)
			keys = append(keys, b^(uint64(int64(b)>>63)|1<<63))
		}
	}
	return keys, true
}

// numberOf returns the number of a key.
func numberOf(key uint64) float64 {
	return math.Float64frombits(key ^ (^uint64(int64(key)>>63) | 1<<63))
}

const (
	few        = 64 // at most so many keys are sorted
	bucketBits = 11
)

// find finds the numbers at these ranks. The least of the keys has rank first. It
// counts the keys in buckets of equal width and goes on with those buckets that
// have a wanted rank. The width shrinks each time, so it ends on any input.
func find(keys []uint64, first int, wanted []rank) {
	lowest, highest := slices.Min(keys), slices.Max(keys)
	if lowest == highest || len(keys) <= few {
		slices.Sort(keys)
		for _, r := range wanted {
			*r.number = numberOf(keys[r.at-first])
		}
		return
	}
	shift := max(0, bits.Len64(highest-lowest)-bucketBits)
	var counts [1 << bucketBits]int
	for _, k := range keys {
		counts[(k-lowest)>>shift]++
	}
	for bucket, count := range counts {
		here := sort.Search(len(wanted), func(i int) bool { return wanted[i].at >= first+count })
		if here > 0 {
			find(between(keys, lowest+uint64(bucket)<<shift, 1<<shift, count), first, wanted[:here])
			if wanted = wanted[here:]; len(wanted) == 0 {
				return
			}
		}
		first += count
	}
}

// between returns the count keys that are at least lowest and less than width above
// it. There is no branch on a comparison, which would be mispredicted often.
func between(keys []uint64, lowest, width uint64, count int) []uint64 {
	found := make([]uint64, count+1)
	n := 0
	for _, k := range keys {
		found[n] = k
		_, less := bits.Sub64(k-lowest, width, 0)
		n += int(less)
	}
	return found[:count]
}
