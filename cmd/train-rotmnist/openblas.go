//go:build openblas

package main

import (
	"gonum.org/v1/netlib/blas/netlib"
	"gorgonia.org/gorgonia"
)

// Gorgonia multiplies matrices with OpenBLAS instead of gonum's Go.
func init() { gorgonia.Use(netlib.Implementation{}) }
