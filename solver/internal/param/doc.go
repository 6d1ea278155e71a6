// Package param is a solver's view of a parameter: a value and a gradient with accessible elements,
// a name for messages and files, and an identity.
//
// A parameter's identity is the memory that holds its value. Graphs, nodes and tensors around it
// come and go, and a Registry keeps a solver's state of the parameter while anybody refers to that
// memory.
package param
