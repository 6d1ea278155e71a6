// Package problem has small training problems of many kinds, as Gorgonia programs.
// Each is a short function that makes the graph, the batches and the score. Any
// gorgonia.Solver can train them.
//
// A new problem is its function and a row in problems.
package problem

import "slices"

// Problem is one training problem.
type Problem struct {
	Name    string
	About   string  // what it is, in a few words
	Score   string  // what is measured; lower is better
	Floor   float64 // scores below it count as this: their differences mean nothing
	Steps   int
	Seconds float64 // roughly, for a run on one core

	build func(t *Task)
}

// Kinds of scores.
const (
	errorRate = "error rate"
	loss      = "loss"
	excess    = "excess loss" // above the least possible
	distance  = "distance"    // from the truth
)

var (
	turns = []float64{0, 60, 120, 180} // degrees
	white = []float32{1}
)

var problems = []*Problem{
	{"rotating-digits", "MLP; digits jump by 60° every 400 steps", errorRate, 1e-3, 1600, 6, digitsMLP(turns, 128, white, 128, 64)},
	{"still-digits", "MLP with two hidden layers", errorRate, 1e-3, 1500, 3, digitsMLP(turns[:1], 64, white, 128, 64)},
	{"shallow-digits", "no hidden layer", errorRate, 1e-3, 1000, 0.8, digitsMLP(turns[:1], 64, white)},
	{"deep-digits", "MLP with 8 hidden layers", errorRate, 1e-3, 1000, 1.7, digitsMLP(turns[:1], 64, white, 32, 32, 32, 32, 32, 32, 32, 32)},
	{"bright-digits", "inputs from 0 to 255", errorRate, 1e-3, 1000, 1.1, digitsMLP(turns[:1], 64, []float32{255}, 64)},
	{"dim-digits", "inputs from 0 to 0.01", errorRate, 1e-3, 1000, 1.1, digitsMLP(turns[:1], 64, []float32{0.01}, 64)},
	{"rescaled-digits", "inputs become 10 times as large halfway", errorRate, 1e-3, 1500, 1.6, digitsMLP(turns[:1], 32, []float32{1, 10}, 64)},
	{"few-digits", "MLP; 640 images in 150 epochs", loss, 1e-4, 1500, 1.2, fewDigits},
	{"convolution", "two convolutions; digits turn halfway", errorRate, 1e-3, 400, 1, convolution},
	{"autoencoder", "digits through 16 units, sigmoid outputs", loss, 1e-4, 2000, 4, autoencoder},
	{"recurrent", "tanh network on text", loss, 1e-3, 800, 1.5, recurrent},
	{"lstm", "LSTM on text", loss, 1e-3, 800, 4, lstm},
	{"spirals", "5 tanh layers", loss, 1e-3, 1500, 0.5, spirals},
	{"online-sine", "tanh layers, one example a step", distance, 1e-4, 3000, 0.3, fit(curve{sine(2), 3, 1, 0.1, []int{1, 32, 32, 1}})},
	{"noiseless-sine", "16 tanh units, batches of 16, no noise", distance, 1e-4, 4000, 0.4, fit(curve{sine(1), 3, 16, 0, []int{1, 16, 1}})},
	{"noiseless-product", "x·y; 16 tanh units, batches of 16, no noise", distance, 1e-4, 4000, 0.4, fit(curve{product, 2, 16, 0, []int{2, 16, 1}})},
	{"factorization", "ratings from embeddings", loss, 1e-3, 2000, 1, factorization},
	{"td", "values whose targets move (TD(0))", distance, 1e-3, 3000, 0.8, temporalDifference},
	{"policy-gradient", "REINFORCE with a moving baseline", excess, 1e-3, 2000, 0.6, policyGradient},
	{"ill-conditioned", "least squares, inputs of 1 to 0.03", distance, 1e-4, 1500, 0.1, illConditioned},
	{"poisson", "counts, exponential link", excess, 1e-4, 2000, 0.3, poisson},
	{"heavy-tails", "absolute loss, one example a step", distance, 1e-3, 8000, 0.8, heavyTails},
	{"quantile", "0.9-quantile, one example a step", distance, 1e-3, 8000, 0.8, quantile},
	{"logistic-1", "one weight, one example a step", excess, 1e-3, 8000, 0.5, logisticOnline(1)},
	{"logistic-5", "five weights, one example a step", excess, 1e-3, 8000, 0.5, logisticOnline(5)},
	{"sparse-features", "logistic; few of 2,000 are not 0", loss, 1e-3, 1000, 0.8, sparseFeatures},
	{"rare-positives", "logistic; 1 label of 100 is 1", excess, 1e-3, 4000, 0.3, rarePositives},
	{"epochs-logistic", "logistic; 144 examples again and again", excess, 1e-3, 8000, 0.4, fewBatchesLogistic},
	{"epochs-square", "least squares; 144 examples again and again", excess, 1e-5, 6000, 0.3, fewBatchesSquare},
	{"rosenbrock", "a bent valley of 20 numbers, no noise", excess, 1e-3, 2000, 0.1, rosenbrock},
}

// All returns the problems, in the order of the table.
func All() []*Problem { return slices.Clone(problems) }
