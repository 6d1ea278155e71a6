package experiment

import (
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Policy is what a run does about numbers that are NaN or infinite.
type Policy int

const (
	// Stop ends the run, with an error that says where they are.
	Stop Policy = iota

	// Skip drops a batch if its loss or its gradients are not finite, or if the
	// solver refuses its step, and counts it. Where a step has made the values
	// not finite, nothing can be learned any more, and the run ends as with Stop.
	Skip

	// Freeze stops learning at the first loss that is not finite, or step that the
	// solver refuses for such numbers, and goes on scoring what the weights predict. It
	// checks neither gradients nor values.
	Freeze
)

// ErrNonFinite is NaN or Inf in a loss, a gradient or a value.
var ErrNonFinite = errors.New("numbers that are not finite")

// learnOrFreeze makes the solver's step, unless the run has diverged.
func (r *Run) learnOrFreeze(step int, loss float64) error {
	if r.DivergedAt == 0 && !finite(loss) {
		r.DivergedAt = step + 1
	}
	if r.DivergedAt > 0 {
		return nil
	}
	err := r.solve(step)
	if spec.Refused(err) {
		r.DivergedAt = step + 1
		return nil
	}
	return err
}

// checkBatch checks the loss and the gradients of a batch. With several ranks the
// solver's step checks the gradients, and all ranks get its error.
func (r *Run) checkBatch(loss float64) error {
	at := ""
	if r.setup.ranks() == 1 {
		at = find("gradient", r.model, gorgonia.ValueGrad.Grad)
	}
	switch {
	case finite(loss) && at == "":
		return nil
	case at == "":
		return fmt.Errorf("%w: the loss is %v", ErrNonFinite, loss)
	default:
		return fmt.Errorf("%w: the loss is %v, and %s", ErrNonFinite, loss, at)
	}
}

// checkValues checks the values after a step, which Gorgonia's solvers do not.
func (r *Run) checkValues() error {
	at := find("value", r.model, func(vg gorgonia.ValueGrad) (gorgonia.Value, error) { return vg.Value(), nil })
	if at == "" {
		return nil
	}
	return fmt.Errorf("the solver's step has made %w: %s; try a smaller learning rate", ErrNonFinite, at)
}

// find returns where the first number is that is not finite; "" if all are.
func find(what string, model []gorgonia.ValueGrad, of func(gorgonia.ValueGrad) (gorgonia.Value, error)) string {
	for _, vg := range model {
		v, err := of(vg)
		if err != nil {
			continue // the solver's step returns this error
		}
		d, ok := v.(*tensor.Dense)
		if !ok {
			continue
		}
		xs := d.Data().([]float32)
		if allFinite(xs) {
			continue
		}
		for i, x := range xs {
			if !finite(float64(x)) {
				place, _ := tensor.Itol(i, d.Shape(), d.Strides())
				return fmt.Sprintf("the %s of %s is %v at %d", what, vg.(gorgonia.Namer).Name(), x, place)
			}
		}
	}
	return ""
}

// allFinite is fast, since every step calls it: x·0 is 0 for a finite x and NaN for
// any other, and the four sums do not depend on each other.
func allFinite(xs []float32) bool {
	var a, b, c, d float32
	for ; len(xs) >= 4; xs = xs[4:] {
		a += xs[0] * 0
		b += xs[1] * 0
		c += xs[2] * 0
		d += xs[3] * 0
	}
	for _, x := range xs {
		a += x * 0
	}
	return a+b+c+d == 0
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
