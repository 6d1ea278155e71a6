//go:build openblas

package main

/*
// Weak: another BLAS may have been linked in OpenBLAS's place.
extern void openblas_set_num_threads(int) __attribute__((weak));
static void one_thread(void) { if (openblas_set_num_threads) openblas_set_num_threads(1); }
*/
import "C"

import (
	"gonum.org/v1/netlib/blas/netlib"
	"gorgonia.org/gorgonia"
)

// blas multiplies the matrices.
const blas = "openblas"

// Gorgonia multiplies matrices with OpenBLAS instead of gonum's Go.
func init() { gorgonia.Use(netlib.Implementation{}) }

// oneBLASThread is for several runs at a time: each has a core of its own, and
// threads of every run on every core would only be in each other's way.
func oneBLASThread() { C.one_thread() }
