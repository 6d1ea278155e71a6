package distributed

import (
	"errors"

	"github.com/seed1e560811/funnel/solver/internal/param"
	"gorgonia.org/gorgonia"
)

var _ gorgonia.Solver = (*Solver)(nil)

// Solver is any gorgonia.Solver that steps with the gradients averaged over all
// ranks:
//
//	g ← (g_0 + g_1 + … + g_{n−1}) / n
//
// Make one with New. With one rank Step is the inner solver's.
//
// Before a parameter's first step, and every CheckEvery steps, the ranks compare their models:
// names, dtypes, shapes, and hashes of values. If they differ, every rank returns the same error,
// which unwraps to ErrDiffer.
//
// Set hyperparameters on the inner solver, and give that to solver.Save. Every rank must make the
// same changes between steps.
type Solver struct {
	// CheckEvery is the number of steps after which the ranks compare all values again, at the
	// start of the next step. New sets it to 1000; with 0 they never do. It must be the same on
	// every rank.
	CheckEvery int

	inner gorgonia.Solver
	world *World
	known *param.Registry[replica]
	steps int // steps made

	status [statusWords]uint64 // scratch, valid during Step
}

// New returns inner, stepping with all ranks of world. Other wrappers, such as an Augmented, must
// be inside: a wrapper outside sees only the gradients of one rank.
func New(inner gorgonia.Solver, world *World) *Solver {
	return &Solver{CheckEvery: 1000, inner: inner, world: world, known: param.NewRegistry[replica]()}
}

// Step replaces the gradients by their averages over all ranks and lets inner
// step. Every rank gives the same parameters in the same order.
//
// If a gradient is missing or not finite on any rank, every rank returns a *RankError, and nothing
// has changed. If inner refuses the step, it does so on all ranks, and the gradients are the
// averages. After an error of MPI the job cannot continue; Abort ends the other ranks.
func (s *Solver) Step(model []gorgonia.ValueGrad) error {
	if err := s.made(); err != nil {
		return err
	}
	if s.world.Size() == 1 {
		return s.inner.Step(model)
	}
	values := ofNew
	if s.CheckEvery > 0 && s.steps > 0 && s.steps%s.CheckEvery == 0 {
		values = all
	}
	defer s.known.Release()
	if err := s.agree(model, true, values); err != nil {
		return err
	}
	if err := average[float32](s.world, s.known.Bound()); err != nil {
		return err
	}
	if err := average[float64](s.world, s.known.Bound()); err != nil {
		return err
	}
	if err := s.inner.Step(model); err != nil {
		return err
	}
	s.steps++
	return nil
}

// Check compares the models of all ranks now, as Step does every CheckEvery steps.
func (s *Solver) Check(model []gorgonia.ValueGrad) error {
	if err := s.made(); err != nil {
		return err
	}
	defer s.known.Release()
	return s.agree(model, false, all)
}

// Broadcast gives every rank rank 0's values. Call it if ranks start from different values; solver
// state is not sent.
func (s *Solver) Broadcast(model []gorgonia.ValueGrad) error {
	if err := s.made(); err != nil {
		return err
	}
	s.known = param.NewRegistry[replica]() // so that the next step compares their values
	defer s.known.Release()
	if err := s.agree(model, false, none); err != nil {
		return err
	}
	if err := broadcastValues[float32](s.world, s.known.Bound()); err != nil {
		return err
	}
	return broadcastValues[float64](s.world, s.known.Bound())
}

func (s *Solver) made() error {
	switch {
	case s == nil || s.known == nil:
		return errors.New("distributed: a Solver is made with New, and this is nil or a zero value")
	case param.IsNil(s.inner):
		return errors.New("distributed: New was given no solver")
	case s.world == nil:
		return errors.New("distributed: New was given no World; see the error that Start returned with it")
	}
	return nil
}
