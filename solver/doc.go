// Package solver provides gorgonia.Solvers that tune their own step sizes while a
// network trains. Write
//
//	s := solver.NewFunnelAdam() // was gorgonia.NewAdamSolver()
//
// and change nothing else. One thing differs: options that are set after the solver
// is made. Gorgonia's do nothing to a solver that is not Gorgonia's, and nobody can
// tell. Write
//
//	s.Apply(gorgonia.WithLearnRate(0.01)) // was gorgonia.WithLearnRate(0.01)(s)
//
// NewFunnelAdam is the one to take first: Adam with learned step sizes. NewFunnel is
// the same built into momentum, and Augment puts a learned scale around a solver one
// has already. NewEGGain is gradient descent with learned gains, NewEGU the
// exponentiated-gradient update for parameters that cannot be negative. Gorgonia's
// own options work on all of them, beside the options of this package; give those of
// an Augmented to the solver inside it.
//
// Source: Amid, Anil, Fifty, Warmuth, Step-size Adaptation Using Exponentiated
// Gradient Updates, 2022, arXiv 2202.00145. What the defaults add to it is in
// Funnel's documentation, and WithPaperStep takes it away.
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
// Three things that Gorgonia's solvers take are errors here: two nodes of one model over
// the same memory, for which one node in both places is to be given, or a gradient over its
// value's (ErrShared); and NaN or Inf in a value, even one whose gradient is 0, as in a
// mask (ErrNonFiniteValue).
//
// A learning-rate schedule that a program applies between steps, with Apply, makes
// steps as many times longer or shorter as it says, and the scale goes on adapting
// from there. With a learning rate of 0 nothing is learned about the scale, and what
// is left in a Funnel's velocity goes on moving the values, as Momentum's does. At the
// start there is none, and the first step is the first with another learning rate.
//
// # A parameter is its numbers
//
// What a solver learns of a parameter belongs to the memory that holds its value:
// not to the node, nor to its place in the model. A program may give the model in
// any order and in parts, list a node twice, build a new graph over the same weight
// tensors for every length of sequence, and return nodes to Gorgonia's pool. A
// solver keeps the memory of the model that it stepped last; of earlier ones what
// was learned goes with the memory, when nobody else refers to that. Go frees memory of
// less than 16 bytes, such as a scalar's, only with what is beside it, so the state of
// one may stay.
//
// One kind of program cannot be followed: one that copies its weights into new
// tensors for every graph. Each copy is a new parameter. Build the graphs over one
// set of tensors (gorgonia.WithValue), or carry the state over with Write and Read.
//
// A value is a *tensor.Dense of float32 or float64, contiguous or not, or one of
// Gorgonia's scalars *F32 and *F64.
//
// # Steps
//
// A step happens whole or not at all. Whatever can go wrong is found before
// anything is written, and reported as one error that names the parameter. After a
// step that succeeded the gradients are zero, as Gorgonia's solvers leave them;
// after one that was refused they are as they were, and ZeroGrad clears them.
//
// A step's result depends on its inputs alone, not on the machine or on GOMAXPROCS,
// and a step allocates nothing once it has seen every parameter. Of an Augmented
// that is as true as it is of the solver inside.
//
// # Checkpoints
//
// Save puts a model and what its solver has learned into one file, Load takes them
// out again, and the training goes on to the bit as if it had never stopped: in
// another process, on another machine, with a later version of this package. The
// parameters' names say what belongs where. A file that is damaged, or another
// model's, is refused before anything changes.
package solver

// Gorgonia v0.9.18 panics at start on current Go unless this module is newer
// than the one it asks for. Requiring it here mends that for every program
// that imports this package.
import _ "go4.org/unsafe/assume-no-moving-gc"
