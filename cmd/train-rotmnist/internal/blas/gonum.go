//go:build !openblas

// Package blas says which library multiplies the matrices of this build: gonum's
// Go, or OpenBLAS with -tags openblas.
package blas

// Name is the library's.
const Name = "gonum"

// OneThread prepares the library for several runs at a time. Gonum's products need
// nothing: they run on the cores as all goroutines do.
func OneThread() {}
