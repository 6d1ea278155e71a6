package distributed

import (
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/solver"
)

// ErrDiffer says that the ranks do not hold the same model.
var ErrDiffer = errors.New("the ranks do not hold the same model")

// RankError says which rank could not make its step. Every rank returns it. It unwraps to a
// *solver.ParameterError, which has more detail on that rank.
type RankError struct {
	Rank int
	Err  error
}

func (e *RankError) Error() string { return fmt.Sprintf("distributed: rank %d: %v", e.Rank, e.Err) }

func (e *RankError) Unwrap() error { return e.Err }

// causes are the errors that a rank can report to the others, by number. 0 is none.
var causes = [...]error{nil, solver.ErrNonFiniteGradient, solver.ErrNoGradient, solver.ErrNoValue, solver.ErrMismatch, solver.ErrShared, solver.ErrUnsupported}

func numberOf(err error) uint64 {
	for i, cause := range causes {
		if i > 0 && errors.Is(err, cause) {
			return uint64(i)
		}
	}
	return uint64(len(causes) - 1)
}
