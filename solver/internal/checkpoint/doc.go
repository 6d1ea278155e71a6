// Package checkpoint defines the file format of a saved training, and writes, reads and checks it.
//
// A checkpoint is a safetensors file. Its tensors are the values of a model, by the names of their
// parameters, and the arrays of a solver's state, for instance funnel.velocity/NAME. The rest is in
// its metadata:
//
//	funnel.version   1
//	funnel.solver    kind, hyperparameters, steps and scales, as JSON; absent if
//	                 the file has values only
//	funnel.checksum  SHA-256 of the whole file as it would be with 64 zeros ("0")
//	                 in the place of this
//
// # Files of other versions
//
// A name that a file lacks did not exist when it was written. It takes the value that means "as it
// was before this existed", which is documented with the name. So a new hyperparameter or scalar is
// written only where it differs from that value, and a new tensor is announced by a field of the
// record that earlier files lack. A name that this version does not know means that a later version
// wrote the file: ErrVersion. How the checksum is computed never changes, so that damage is
// detected in a file of any version.
package checkpoint

import "errors"

// Faults of a checkpoint. Package solver exports them.
var (
	ErrCorrupt   = errors.New("a damaged checkpoint")
	ErrForeign   = errors.New("not a checkpoint of this package")
	ErrDifferent = errors.New("a checkpoint of another model or solver")
	ErrVersion   = errors.New("a checkpoint that a later version wrote; update this module")
)

const (
	version     = 1
	versionKey  = "funnel.version"
	solverKey   = "funnel.solver"
	checksumKey = "funnel.checksum"
)

// Reserved is the prefix of tensors that are not a model's.
const Reserved = "funnel."

// bufferSize is how many bytes are encoded or decoded at a time.
const bufferSize = 1 << 16
