package kernel

import "testing"

// The factor of a raw signal is finite, and so is a gain; their product need not
// be.
func TestAGainThatARawSignalMakesTooLargeIsBounded(t *testing.T) {
	testTooLargeGain[float32](t)
	testTooLargeGain[float64](t)
}

func testTooLargeGain[T Float](t *testing.T) {
	t.Helper()
	for name, update := range map[string]func(theta, gradient, nu, m, p []T, k Gain[T]){
		"Funnel": func(theta, g, nu, m, p []T, k Gain[T]) {
			UpdateFunnel(theta, g, nu, m, p, &FunnelStep[T]{Objective: *noObjective[T](), Gain: k})
		},
		"Funnel, tuned": func(theta, g, nu, m, p []T, k Gain[T]) {
			tunedUpdateFunnel(theta, g, nu, m, p, &FunnelStep[T]{Objective: *noObjective[T](), Gain: k})
		},
		"FunnelAdam": func(theta, g, v, m, p []T, k Gain[T]) {
			UpdateAdam(theta, g, m, v, p, &AdamStep[T]{Objective: *noObjective[T](), Gain: k, Direction: AdamDirection[T]{Correction: 1, Eps: 1}})
		},
		"FunnelAdam, tuned": func(theta, g, v, m, p []T, k Gain[T]) {
			tunedUpdateAdam(theta, g, m, v, p, &AdamStep[T]{Objective: *noObjective[T](), Gain: k, Direction: AdamDirection[T]{Correction: 1, Eps: 1}})
		},
	} {
		for _, decay := range []T{0, 0.01} {
			const n = lanes + 3
			list := func(x T) []T {
				xs := make([]T, n)
				for i := range xs {
					xs[i] = x
				}
				return xs
			}
			gain := list(90)
			update(list(1), list(1000), list(0), list(1000), gain, Gain[T]{Rate: 1, Min: 0.01, Max: 100, Decay: decay, Raw: true})
			for i, p := range gain {
				if p != 100 {
					t.Fatalf("%s of %T, λ = %v: gain[%d] = %v, want 100", name, p, decay, i, p)
				}
			}
		}
	}
}
