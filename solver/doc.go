// Package solver provides gorgonia.Solvers that tune their own step sizes
// while a network trains, after Amid, Anil, Fifty and Warmuth, Step-size
// Adaptation Using Exponentiated Gradient Updates (2022, arXiv 2202.00145).
//
// NewFunnel goes where gorgonia.NewAdamSolver stood; nothing else of a program
// changes. NewFunnelAdam is the same built into Adam, and Augment puts a learned
// scale around a solver one has already. NewEGGain is gradient descent with
// learned gains, NewEGU the exponentiated-gradient update for parameters that
// cannot be negative. Gorgonia's own options (gorgonia.WithLearnRate and the
// like) work on all of them, beside the options of this package.
//
// No learn rate need be chosen. The first step of a Funnel, a FunnelAdam or an
// Augmented has a length that follows from the parameters alone, and from then on
// steps are multiplied by what has been learned; so every learn rate gives the
// same training, up to rounding. Funnel's documentation has the details, and
// WithPaperStep is the step as it is in the paper.
//
// # Steps
//
// A value is a *tensor.Dense of float32 or float64, contiguous or not, or one
// of Gorgonia's scalars *F32 and *F64. What a solver learns belongs to the
// parameter, that is to the ValueGrad (mostly a *gorgonia.Node) and not to its
// place in the slice, so a model may be given in any order and in parts.
//
// A step happens whole or not at all. Whatever can go wrong is found before
// anything is written, and reported as one error that names the parameter.
// After a step that succeeded the gradients are zero, as Gorgonia's solvers
// leave them; after one that was refused they are as they were, and ZeroGrad
// clears them.
//
// A step's result depends on its inputs alone, not on the machine or on
// GOMAXPROCS, and a step allocates nothing once it has seen every parameter.
// Of an Augmented that is as true as it is of the solver inside.
//
// # Checkpoints
//
// Save puts a model and what its solver has learned into one file, Load takes
// them out again, and the training goes on to the bit as if it had never stopped:
// in another process, on another machine. The parameters' names say what belongs
// where. A file that is damaged, or another model's, is refused before anything
// changes.
package solver

// Gorgonia v0.9.18 panics at start on current Go unless this module is newer
// than the one it asks for. Requiring it here mends that for every program
// that imports this package.
import _ "go4.org/unsafe/assume-no-moving-gc"
