// Package mnist provides the rotating-digits experiment's data and network:
// handwritten digits, real (IDX files) or synthetic; their rotation; the
// stream of batches whose angle shifts while a network trains on it; and two
// networks on Gorgonia's graph, a multilayer perceptron and a convnet.
//
// It knows nothing of solvers: whatever implements gorgonia.Solver trains the
// network.
package mnist
