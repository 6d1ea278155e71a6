package distributed

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
)

// A rank's status is what it tells the others before a step. All ranks see the same statuses, so
// all draw the same conclusion.
const (
	faultCause    = iota // index in causes
	faultPosition        // of the parameter at fault
	faultElement         // counted from 1; 0 if no element is to blame
	stepsMade
	parameters // in the model
	layouts    // hash of their names, dtypes and shapes
	values     // hash of the values that are compared
	statusWords
)

// comparison says whose values are compared.
type comparison int

const (
	none comparison = iota
	ofNew
	all
)

// agree binds the model and returns an error, the same on all ranks, if they cannot make the step
// together. The caller releases the model.
func (s *Solver) agree(model []gorgonia.ValueGrad, gradients bool, compared comparison) error {
	own := s.bind(model, gradients)
	s.compose(compared)
	table, err := s.world.gather(s.status[:])
	if err != nil {
		return err
	}
	for rank := range s.world.Size() {
		if status := table[rank*statusWords:][:statusWords]; status[faultCause] != 0 {
			if rank != s.world.Rank() {
				own = blame(model, status)
			}
			return &RankError{rank, own}
		}
	}
	for rank := range s.world.Size() {
		if status := table[rank*statusWords:][:statusWords]; [4]uint64(status[stepsMade:]) != [4]uint64(table[stepsMade:]) {
			return s.difference(rank, [4]uint64(table[stepsMade:]), [4]uint64(status[stepsMade:]))
		}
	}
	for _, r := range s.known.Bound() {
		if compared != none {
			*r.compared() = true
		}
	}
	return nil
}

// bind finds the memory of every parameter. It enters an error into the status, and returns it.
func (s *Solver) bind(model []gorgonia.ValueGrad, gradients bool) error {
	s.status = [statusWords]uint64{}
	err := s.bindModel(model, gradients)
	if err == nil {
		return nil
	}
	s.status[faultCause] = numberOf(err)
	var e *solver.ParameterError
	if errors.As(err, &e) {
		s.status[faultPosition] = uint64(e.Position)
		if value, err := param.Value(model[e.Position]); err == nil && (len(e.Index) > 0 || errors.Is(e, solver.ErrNonFiniteGradient)) {
			s.status[faultElement] = uint64(param.Number(e.Index, value.Shape()) + 1)
		}
	}
	return err
}

func (s *Solver) bindModel(model []gorgonia.ValueGrad, gradients bool) error {
	if !gradients {
		return s.known.BindValues(model, newReplica)
	}
	if err := s.known.Bind(model, newReplica); err != nil {
		return err
	}
	for i, r := range s.known.Bound() {
		if err := r.checkGradient(); err != nil {
			return s.known.Blame(i, err)
		}
	}
	return nil
}

// compose fills in the rest of the status.
func (s *Solver) compose(compared comparison) {
	bound := s.known.Bound()
	s.status[stepsMade], s.status[parameters] = uint64(s.steps), uint64(len(bound))
	for _, r := range bound {
		s.status[layouts] = mix(s.status[layouts], r.layoutHash())
		if compared == all || compared == ofNew && !*r.compared() {
			s.status[values] = mix(s.status[values], r.valueHash())
		}
	}
}

// blame reconstructs another rank's error from its status.
func blame(model []gorgonia.ValueGrad, status []uint64) error {
	position, element := int(status[faultPosition]), int(status[faultElement])-1
	e := &solver.ParameterError{Position: position, Err: causes[status[faultCause]]}
	if position >= len(model) || param.IsNil(model[position]) {
		return e
	}
	e.Name = param.Name(model[position])
	if value, err := param.Value(model[position]); err == nil && element >= 0 && element < value.Shape().TotalSize() {
		e.Index = param.Coordinates(element, value.Shape())
	}
	return e
}

// difference says how a rank's status differs from rank 0's.
func (s *Solver) difference(rank int, first, other [4]uint64) error {
	switch {
	case first[0] != other[0]:
		return fmt.Errorf("distributed: %w: rank %d has made %d steps, and rank 0 %d", ErrDiffer, rank, other[0], first[0])
	case first[1] != other[1]:
		return fmt.Errorf("distributed: %w: rank %d has %d parameters, and rank 0 %d", ErrDiffer, rank, other[1], first[1])
	}
	i, layout, err := s.firstDifference(rank)
	if err != nil {
		return err
	}
	if i < 0 {
		return fmt.Errorf("distributed: %w: after step %d, rank %d compares other values than rank 0; CheckEvery must be the same on every rank, and so must the parameters stepped before", ErrDiffer, s.steps, rank)
	}
	if layout {
		return s.differentLayouts(i, rank)
	}
	advice := "start them from the same seed, or call Broadcast before the first step"
	if *s.known.Bound()[i].compared() {
		advice = "between steps, every rank must change the same, if anything"
	}
	return fmt.Errorf("distributed: %w: after step %d, parameter %s (number %d of the model) has other values on rank %d than on rank 0; %s",
		ErrDiffer, s.steps, s.known.Bound()[i].description(), s.known.Position(i)+1, rank, advice)
}

// firstDifference returns the first bound parameter that differs between a rank and rank 0, or -1.
func (s *Solver) firstDifference(rank int) (i int, layout bool, err error) {
	var hashes []uint64
	for _, r := range s.known.Bound() {
		hashes = append(hashes, r.layoutHash(), r.valueHash())
	}
	table, err := s.world.gather(hashes)
	if err != nil {
		return 0, false, err
	}
	for i := range hashes {
		if table[i] != table[rank*len(hashes)+i] {
			return i / 2, i%2 == 0, nil
		}
	}
	return -1, false, nil
}

// differentLayouts exchanges the descriptions, of 256 bytes at most.
func (s *Solver) differentLayouts(i, rank int) error {
	words := make([]uint64, 32)
	copy(bytesOf(words), s.known.Bound()[i].description())
	table, err := s.world.gather(words)
	if err != nil {
		return err
	}
	text := func(rank int) string {
		return strings.TrimRight(string(bytesOf(table[rank*len(words):][:len(words)])), "\x00")
	}
	return fmt.Errorf("distributed: %w: parameter number %d is %s on rank %d, and %s on rank 0; build the same model on every rank, and give its parameters in the same order",
		ErrDiffer, s.known.Position(i)+1, text(rank), rank, text(0))
}
