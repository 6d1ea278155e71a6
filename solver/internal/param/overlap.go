package param

import (
	"cmp"
	"fmt"
	"slices"
)

// Extent is the memory range of a value or a gradient.
type Extent struct {
	from, to uintptr
	position int // of the parameter in the model
	gradient bool
}

// OfValue returns the extent, marked as the value of the parameter at this position in a model.
func (e Extent) OfValue(position int) Extent {
	e.position = position
	return e
}

// OfGradient is OfValue for the gradient.
func (e Extent) OfGradient(position int) Extent {
	e.position, e.gradient = position, true
	return e
}

// Overlap returns an error if two extents overlap, with the position of the later parameter. It
// sorts the extents.
func Overlap(extents []Extent) (position int, err error) {
	slices.SortFunc(extents, func(a, b Extent) int { return cmp.Compare(a.from, b.from) })
	var last Extent // the one so far that ends last
	for _, e := range extents {
		if e.from < e.to && e.from < last.to {
			return max(e.position, last.position), shared(e, last)
		}
		if e.to > last.to {
			last = e
		}
	}
	return 0, nil
}

func shared(a, b Extent) error {
	if a.position > b.position {
		a, b = b, a
	}
	switch {
	case a.position == b.position:
		return fmt.Errorf("%w: its value and its gradient are in one place", ErrShared)
	case a.gradient && b.gradient:
		return fmt.Errorf("%w: its gradient is in one place with number %d's; make the machine with gorgonia.BindDualValues(params...), so that each has its own", ErrShared, a.position+1)
	}
	return fmt.Errorf("%w: it is in one place with number %d; %s", ErrShared, a.position+1, shareAdvice)
}

const shareAdvice = "give each its own tensor, or use one node for both"
