//go:build !mpi || !cgo

package distributed

import "errors"

func connect() (link, error) {
	return nil, errors.New("distributed: this program was built without MPI; install Open MPI (on Debian libopenmpi-dev and openmpi-bin) and build with cgo and -tags mpi")
}
