package history

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// Series stores any number of values in order, in a bounded number of points. When
// there would be too many, each two neighbouring points become one, which has the
// mean, the least and the greatest of their values, so that no dip is lost.
type Series struct {
	Width  int     `json:"width"`  // values in a point; the last one may still have fewer
	Values int     `json:"values"` // in all
	Mean   Numbers `json:"mean"`   // of each point; NaN if none of its values is finite
	Min    Numbers `json:"min,omitempty"`
	Max    Numbers `json:"max,omitempty"` // like Min, nil while Width is 1, where they would equal Mean
	Last   int     `json:"last"`          // finite values in the last point
}

// add adds the next value. There are never more points than the limit, which is
// even. A value that is not finite takes its place and counts for nothing else.
func (s *Series) add(x float64, limit int) {
	if s.Width == 0 {
		s.Width = 1
	}
	if s.Values == limit*s.Width {
		s.halve()
	}
	if s.Values%s.Width == 0 {
		s.append(math.NaN())
	}
	s.Values++
	if !math.IsInf(x, 0) && !math.IsNaN(x) {
		s.take(x)
	}
}

func (s *Series) append(x float64) {
	s.Last = 0
	s.Mean = append(s.Mean, x)
	if s.Width > 1 {
		s.Min = append(s.Min, x)
		s.Max = append(s.Max, x)
	}
}

// take adds a finite value to the last point.
func (s *Series) take(x float64) {
	s.Last++
	end := len(s.Mean) - 1
	if s.Last == 1 {
		s.Mean[end] = x
	} else {
		s.Mean[end] += (x - s.Mean[end]) / float64(s.Last)
	}
	if s.Width > 1 {
		s.Min[end] = either(s.Min[end], x, math.Min)
		s.Max[end] = either(s.Max[end], x, math.Max)
	}
}

// halve makes one point of every two. All points are full.
func (s *Series) halve() {
	least, greatest := s.Min, s.Max
	if s.Width == 1 {
		least, greatest = s.Mean, s.Mean
	}
	s.Min, s.Max = pairs(least, math.Min), pairs(greatest, math.Max)
	s.Mean = pairs(s.Mean, func(x, y float64) float64 { return x + (y-x)/2 })
	s.Width *= 2
}

func pairs(xs Numbers, of func(x, y float64) float64) Numbers {
	ys := make(Numbers, len(xs)/2, len(xs))
	for i := range ys {
		ys[i] = either(xs[2*i], xs[2*i+1], of)
	}
	return ys
}

// either returns of(x, y), or the one that is not NaN.
func either(x, y float64, of func(x, y float64) float64) float64 {
	switch {
	case math.IsNaN(x):
		return y
	case math.IsNaN(y):
		return x
	}
	return of(x, y)
}

// sound tells whether add can have made this series.
func (s *Series) sound(limit int) bool {
	if s.Values == 0 {
		return len(s.Mean)+len(s.Min)+len(s.Max) == 0
	}
	if s.Width < 1 || s.Values < 0 || s.Values > math.MaxInt-s.Width || s.Last < 0 || s.Last > s.Width {
		return false
	}
	points := (s.Values + s.Width - 1) / s.Width
	extremes := points
	if s.Width == 1 {
		extremes = 0
	}
	return points <= limit && len(s.Mean) == points && len(s.Min) == extremes && len(s.Max) == extremes
}

func (s *Series) clone() Series {
	c := *s
	c.Mean, c.Min, c.Max = slices.Clone(s.Mean), slices.Clone(s.Min), slices.Clone(s.Max)
	return c
}

// Numbers are finite or NaN. In JSON they are exact, and NaN is null.
type Numbers []float64

// MarshalJSON writes each number so that it is read back as it was.
func (ns Numbers) MarshalJSON() ([]byte, error) { return ns.Append(nil, -1), nil }

// Append appends the numbers in JSON with so many significant digits; with -1, as
// many as they need to be read back as they were.
func (ns Numbers) Append(b []byte, digits int) []byte {
	b = append(b, '[')
	for i, x := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, x, 'g', digits, 64)
		}
	}
	return append(b, ']')
}

// UnmarshalJSON reads null as NaN.
func (ns *Numbers) UnmarshalJSON(b []byte) error {
	var read []*float64
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	*ns = nil
	for _, x := range read {
		if x == nil {
			*ns = append(*ns, math.NaN())
		} else {
			*ns = append(*ns, *x)
		}
	}
	return nil
}
