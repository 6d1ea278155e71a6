package mnist

import (
	"fmt"
	"math"
	"slices"
)

// Schedule gives every training step an angle, in degrees counter-clockwise. The
// angle jumps between its phases.
type Schedule struct {
	angles []float64 // of each phase at its first step
	length int       // of each phase, in steps
	drift  float64   // degrees a step
}

// Jumps holds each angle for a number of steps, then jumps to the next. There must be at
// least one angle, each from −1e9 to 1e9, and at least one step, and at most
// [math.MaxInt32] steps in all.
func Jumps(angles []float64, steps int) (Schedule, error) {
	s := Schedule{angles: slices.Clone(angles), length: steps}
	if len(angles) == 0 {
		return s, fmt.Errorf("mnist: no angles to rotate to; give at least one")
	}
	return s, s.check()
}

// Drift starts upright and turns by a number of degrees every step, for a
// number of steps, from 1 to [math.MaxInt32]. The last angle must be from −1e9 to 1e9.
// It has one phase.
func Drift(degrees float64, steps int) (Schedule, error) {
	s := Schedule{angles: []float64{0}, length: steps, drift: degrees}
	return s, s.check()
}

func (s *Schedule) check() error {
	if s.length < 1 {
		return fmt.Errorf("mnist: %d steps; there must be at least 1", s.length)
	}
	if s.length > math.MaxInt32/len(s.angles) {
		return fmt.Errorf("mnist: %d phases of %d steps; there can be %d steps in all", len(s.angles), s.length, math.MaxInt32)
	}
	// Up to here a float64 has a resolution of a millionth of a degree.
	const most = 1e9
	for _, a := range append([]float64{s.Angle(s.Steps() - 1)}, s.angles...) {
		if !(math.Abs(a) <= most) {
			return fmt.Errorf("mnist: an angle of %v degrees; angles must be finite, and at most %v", a, most)
		}
	}
	return nil
}

// Steps returns the number of steps.
func (s Schedule) Steps() int { return len(s.angles) * s.length }

// Phases returns the number of phases, all of one length.
func (s Schedule) Phases() int { return len(s.angles) }

// PhaseLength returns the length of each phase in steps.
func (s Schedule) PhaseLength() int { return s.length }

// Angle returns the angle of a step, counted from 0, in degrees.
func (s Schedule) Angle(step int) float64 {
	return s.angles[step/s.length] + s.drift*float64(step%s.length)
}
