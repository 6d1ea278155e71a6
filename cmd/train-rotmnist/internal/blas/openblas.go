//go:build openblas

package blas

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

// Name is the library's.
const Name = "openblas"

// Gorgonia multiplies matrices with OpenBLAS instead of gonum's Go.
func init() { gorgonia.Use(netlib.Implementation{}) }

// OneThread prepares the library for several runs at a time: each has a core of its
// own, and threads of every run on every core would only slow each other down.
func OneThread() { C.one_thread() }
