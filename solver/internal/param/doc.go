// Package param is what a parameter is to a solver: a value and a gradient whose
// elements can be reached, a name for messages and files, and an identity.
//
// A parameter is its numbers: the memory that holds the value. Graphs, nodes and
// tensors come and go around it, and a Registry keeps a solver's state of the
// parameter for as long as anybody holds that memory.
package param
