package experiment

import (
	"math"

	"github.com/seed1e560811/funnel/mnist"
)

// Result has the figures of one run. Accuracies are from 0 to 1 and prequential:
// each batch is first predicted, then learned from. A figure that does not exist,
// such as recovery where the angle never jumps, is NaN.
type Result struct {
	Steps       int       // made
	Accuracy    float64   // mean over all steps
	AfterShift  float64   // mean over the first 100 steps after each jump
	Recovery    float64   // steps from a jump to a 10-step moving mean of 90%, mean over the jumps; NaN if none recovered
	Unrecovered int       // jumps without recovery; Recovery counts them as the whole phase
	Plateau     float64   // mean over the last 50 steps of each phase
	HeldOut     []float64 // accuracy on the test set at the end of each phase
	StepMS      float64   // milliseconds a step: the network's passes and the solver's step
	SolverMS    float64   // the solver's part of StepMS
	Scale       float64   // learned scale at the end, geometric mean over the parameters
	Skipped     int       // batches that were not learned from; their predictions count
	DivergedAt  int       // step, counted from 1, at which numbers that are not finite ended the learning; 0 for none
}

const (
	shiftSteps   = 100 // steps after a jump
	plateauSteps = 50  // steps before a jump
	window       = 10  // steps of the moving mean
	recovered    = 0.9
)

// summarize computes the metrics from the accuracy of every step. A run may have
// ended early: an incomplete phase has no plateau, and counts for recovery only if
// it recovered.
func summarize(accuracies []float64, schedule mnist.Schedule) *Result {
	var shift, recovery, plateau []float64
	length, unrecovered := schedule.PhaseLength(), 0
	for p := range schedule.Phases() {
		phase := accuracies[min(p*length, len(accuracies)):min((p+1)*length, len(accuracies))]
		whole := len(phase) == length
		if p > 0 && len(phase) > 0 {
			shift = append(shift, mean(phase[:min(shiftSteps, len(phase))]))
			steps, ok := recoverySteps(phase)
			if ok || whole {
				recovery = append(recovery, float64(steps))
			}
			if !ok && whole {
				unrecovered++
			}
		}
		if whole {
			plateau = append(plateau, mean(phase[max(0, length-plateauSteps):]))
		}
	}
	if unrecovered == len(recovery) {
		recovery = nil
	}
	return &Result{
		Accuracy: mean(accuracies), AfterShift: mean(shift), Recovery: mean(recovery), Unrecovered: unrecovered, Plateau: mean(plateau),
	}
}

// recoverySteps returns how many steps of a phase it takes until the moving mean
// is high enough; all of them if it never is.
func recoverySteps(phase []float64) (steps int, ok bool) {
	for end := window; end <= len(phase); end++ {
		if mean(phase[end-window:end]) >= recovered {
			return end, true
		}
	}
	return len(phase), false
}

// mean returns NaN for no numbers.
func mean(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
