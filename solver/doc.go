// Package solver provides gorgonia.Solvers that tune their own step sizes while a
// network trains. Write
//
//	s := solver.NewFunnelAdam() // was gorgonia.NewAdamSolver()
//
// and change nothing else. One thing differs: options set after the solver is made. Gorgonia's
// options silently do nothing to a solver that is not Gorgonia's. Write
//
//	s.Apply(gorgonia.WithLearnRate(0.01)) // was gorgonia.WithLearnRate(0.01)(s)
//
// Start with NewFunnelAdam: Adam with learned step sizes. NewFunnel builds the same into momentum,
// and Augment puts a learned scale around a solver you already have. NewEGGain is gradient descent
// with learned gains, NewEGU the exponentiated-gradient update for parameters that cannot be
// negative. All of them take Gorgonia's own options besides those of this package; an Augmented's
// go to the solver inside it.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated Gradient Updates,
// 2022, arXiv 2202.00145. Funnel's documentation lists what the defaults add to the paper, and
// WithPaperStep removes it.
//
// # Coming from one of Gorgonia's solvers
//
//	Gorgonia's              here
//	AdamSolver              NewFunnelAdam
//	AdamW                   NewFunnelAdam; weight decay is WithL2Reg, see below
//	RMSPropSolver           NewFunnelAdam; WithRho means nothing, WithBeta2 is alike
//	AdaGradSolver           NewFunnelAdam
//	Momentum                NewFunnel
//	VanillaSolver           NewFunnel(gorgonia.WithMomentum(0))
//	BarzilaiBorweinSolver   NewFunnel
//
// What happens to an option that the program sets:
//
//	WithLearnRate   is the unit of the scale, so any from 1e-20 to 1e20 gives the same
//	                training; see below for schedules. To ascend, negate the loss: a
//	                negative rate is an error
//	WithBatchSize   means the same: the gradient is divided by it, if it is above 1
//	WithClip        means the same, for every coordinate, infinite ones too
//	WithL1Reg       are added to the gradient, as VanillaSolver and AdamSolver do it.
//	WithL2Reg       RMSPropSolver and AdaGradSolver take them from the weights at every
//	                step, whatever the learning rate, and Momentum applies them to the
//	                velocity in place of the weights: choose them anew. AdamW's own
//	                decay, which is apart from the gradient, too, has no counterpart
//	WithMomentum    means the same to a Funnel, and nothing to a FunnelAdam
//	WithBeta1       mean the same to a FunnelAdam, and nothing to a Funnel
//	WithBeta2
//	WithEps
//	WithRho         means nothing
//
// An option that means nothing to a solver is ignored, as Gorgonia's solvers do.
//
// Three things that Gorgonia's solvers accept are errors here: two nodes of one model that share
// memory (list the same node twice instead), a gradient that shares its value's memory (both
// ErrShared), and NaN or Inf in a value, even where a mask makes the gradient 0
// (ErrNonFiniteValue).
//
// A learning-rate schedule works through Apply between steps: doubling the rate doubles the steps,
// and the scale goes on adapting from there. At a learning rate of 0 the scale does not change, but
// a Funnel's remaining velocity still moves the values, as Momentum's does. Steps at 0 before all
// others do not count as the first step.
//
// # A parameter is its numbers
//
// What a solver learns about a parameter belongs to the memory that holds its value, not to the
// node or its place in the model. A program may give the model in any order and in parts, list a
// node twice, build a new graph over the same weight tensors for every length of sequence, and
// return nodes to Gorgonia's pool. A solver keeps the memory of the model it stepped last alive;
// its state for other memory is dropped once nothing else refers to that memory. Go frees values
// under 16 bytes, such as scalars, only together with their neighbours in memory, so their state
// may stay longer.
//
// State cannot follow a program that copies its weights into new tensors for every graph: each copy
// is a new parameter. Build the graphs over one set of tensors (gorgonia.WithValue), or carry the
// state over with Write and Read.
//
// A value is a *tensor.Dense of float32 or float64, contiguous or not, or one of
// Gorgonia's scalars *F32 and *F64.
//
// # Steps
//
// A step happens whole or not at all. Every error is found before anything is written, and names
// the parameter. After a successful step the gradients are zero, as Gorgonia's solvers leave them;
// after a refused one they are unchanged, and ZeroGrad clears them.
//
// A step's result depends on its inputs alone, not on the machine or on GOMAXPROCS, and a step
// allocates nothing once it has seen every parameter. For an Augmented both hold as far as they do
// for the solver inside.
//
// # Checkpoints
//
// Save writes a model and its solver's state to one file. After Load the training makes the same
// steps, to the bit, as if it had never stopped: in another process, on another machine, with a
// later version of this package. Parameters are matched by name. A file that is damaged, or another
// model's, is refused before anything changes.
package solver

// Gorgonia v0.9.18 panics at start on current Go unless this module is newer than the one it asks
// for. Requiring it here fixes that for every importing program.
import _ "go4.org/unsafe/assume-no-moving-gc"
