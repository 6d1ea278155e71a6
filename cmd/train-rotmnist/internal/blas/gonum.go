//go:build !openblas

package main

// blas multiplies the matrices.
const blas = "gonum"

// oneBLASThread is for several runs at a time. The default build's matrix
// products are Go's, which share the cores as all goroutines do.
func oneBLASThread() {}
