//go:build !purego

package blas

import "testing"

// eachSet runs a test with all instructions that this processor has.
func eachSet(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	names := []string{"portable", "AVX2", "AVX-512"}
	best := instructions
	defer func() { instructions = best }()
	for s := portable; s <= best; s++ {
		instructions = s
		t.Run(names[s], test)
	}
}
