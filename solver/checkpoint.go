package solver

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gorgonia.org/gorgonia"
)

// A checkpoint is a safetensors file. Its tensors are the values, by the names
// of their parameters, and what the solver keeps of each, as
// funnel.velocity/NAME. All else is in its metadata:
//
//	funnel.version   1
//	funnel.solver    kind, hyperparameters, steps and scales, as JSON; absent if
//	                 the file has values only
//	funnel.checksum  SHA-256 of the whole file as it would be with 64 zeros ("0")
//	                 in the place of this
const (
	checkpointVersion = 1
	versionKey        = "funnel.version"
	solverKey         = "funnel.solver"
	checksumKey       = "funnel.checksum"
	reserved          = "funnel." // what no parameter's name may begin with
)

// Save writes the values of a model, and all that s has learned of it, to a
// file: a training that Load goes on with makes the same steps, to the bit, as
// one that never stopped. With s nil the file has the values alone.
//
// The parameters need names that differ, since they are what Load finds them by.
// The model must have all parameters that s knows: of two networks that one
// solver trains, give both. Gradients are not saved. Not every solver can be:
// one of Gorgonia's own does not show what it keeps, nor does an Augmented
// around one.
//
// A file that was there is replaced, when all of the new one is on the disk, and
// not touched if that cannot be. A process that is killed meanwhile leaves a
// file beside it that begins with a dot, and nothing else.
//
// The file is in the safetensors format. Python reads it with
// safetensors.numpy.load_file: float32 or float64, in row-major order, by the
// names of the parameters; what the solver keeps has names that begin with
// "funnel.".
func Save(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	c, err := newCheckpoint(model, s)
	if err == nil {
		err = replace(file, c.write)
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", file, err)
	}
	return nil
}

// Load sets the values of a model, and the solver s, to what Save wrote. With s
// nil, or with a file of values alone and s nil, it sets the values alone.
//
// The model has the parameters that were saved, in any order; names decide. s is
// a solver of the same kind, new or used. It forgets all it knew; its
// hyperparameters, too, are those of the file, whatever it was made with, so
// that the run goes on as it was. Apply changes them afterwards.
//
// Load happens whole or not at all: it checks the file and everything in it
// before it changes anything. Beside ErrCorrupt, ErrDifferent and ErrVersion,
// the error may be a *ParameterError about the model. Beyond the model it takes
// as much memory as the file.
func Load(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	err := loadFile(file, model, s)
	if err != nil {
		return fmt.Errorf("loading %s: %w", file, err)
	}
	return nil
}

func loadFile(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	f, err := os.Open(file)
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	return cause(Read(f, model, s))
}

// cause is err without the name of the file, which Save and Load tell.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Write writes what Save writes.
func Write(w io.Writer, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	c, err := newCheckpoint(model, s)
	if err != nil {
		return err
	}
	return c.write(w)
}

// Read reads what Write wrote, as Load does. It reads r to its end.
func Read(r io.Reader, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	values, err := valuesOf(model)
	if err != nil {
		return err
	}
	in := &source{Reader: r, hash: sha256.New(), buffer: make([]byte, chunk)}
	install, err := in.checkpoint(values, s)
	if in.err != nil {
		return in.err
	}
	if err != nil {
		return prefixed(err)
	}
	install()
	return nil
}

// chunk is how many bytes are converted at a time.
const chunk = 1 << 16

// prefixed is err as errors of this package begin.
func prefixed(err error) error {
	switch err.(type) {
	case nil, *ParameterError, *HyperparameterError:
		return err
	}
	return fmt.Errorf("solver: %w", err)
}

var blank = strings.Repeat("0", 2*sha256.Size)

// checksumAt is where the checksum is in the text, or -1. It is there once at
// most: in strings of JSON quotes are escaped.
func checksumAt(text []byte) int {
	key := []byte(`"` + checksumKey + `":"`)
	i := bytes.Index(text, key)
	if i < 0 || i+len(key)+len(blank) > len(text) {
		return -1
	}
	return i + len(key)
}
