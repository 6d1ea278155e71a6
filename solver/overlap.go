package solver

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seed1e560811/funnel/solver/internal/access"
	"github.com/seed1e560811/funnel/solver/internal/kernel"
)

// extent is where in memory a value or a gradient is, as its List says.
type extent struct {
	from, to uintptr
	position int // of the parameter in the model
	gradient bool
}

func extentOf[T kernel.Float](l *access.List[T]) extent {
	from, to := l.Extent()
	return extent{from: from, to: to}
}

// overlap finds two extents that have memory in common. It sorts them.
func overlap(extents []extent) (position int, err error) {
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Compare(a.from, b.from) })
	var last extent // the one that reaches furthest
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

func shared(a, b extent) error {
	if a.position > b.position {
		a, b = b, a
	}
	switch {
	case a.position == b.position:
		return fmt.Errorf("%w: its value and its gradient are in one place", ErrShared)
	case a.gradient && b.gradient:
		return fmt.Errorf("%w: its gradient is in one place with number %d's; make the machine with gorgonia.BindDualValues(params...), so that each has its own", ErrShared, a.position+1)
	}
	return fmt.Errorf("%w: it is in one place with number %d; give each its own tensor", ErrShared, a.position+1)
}
