//go:build !amd64 || purego

package blas

import "testing"

// eachSet runs a test with the portable code.
func eachSet(t *testing.T, test func(t *testing.T)) { t.Run("portable", test) }
