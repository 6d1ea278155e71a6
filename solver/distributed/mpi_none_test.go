//go:build !mpi || !cgo

package distributed_test

const withMPI = false
