package solver

import (
	"io"

	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// replace puts what write writes into a file: all of it, or the file is as it
// was. Its error is without the path, which the caller's message has.
func replace(file string, write func(io.Writer) error) error {
	return cause(atomicfile.Write(file, write))
}
