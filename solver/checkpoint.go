package solver

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed1e560811/funnel/solver/atomicfile"
	"github.com/seed1e560811/funnel/solver/internal/checkpoint"
	"gorgonia.org/gorgonia"
)

// Save writes the values of a model, and all that s has learned about it, to a file. After Load a
// training makes the same steps, to the bit, as one that never stopped. If s is nil, the file has
// the values alone.
//
// Load finds parameters by name, so each needs a name of its own: gorgonia.WithName gives a node
// one. The model must have all parameters that s knows and whose memory lives: if one solver trains
// two networks, give both. Gradients are not saved.
//
// A solver of another package, alone or in an Augmented, can be saved if it implements
// encoding.BinaryMarshaler and encoding.BinaryUnmarshaler; Gorgonia's own do not. Load calls
// UnmarshalBinary after everything else in the file has been checked; it must leave the solver
// unchanged if it returns an error. It should find its state by name or by place in the model: in
// another process parameters are other pointers, and in an Augmented they are stand-ins.
//
// An existing file is replaced only when all of the new one is on the disk, and keeps its
// permissions; a new file gets 0644 less the umask. A process that is killed meanwhile leaves
// behind nothing but a file whose name begins with a dot.
//
// The file is in the safetensors format. Python reads it with
// safetensors.numpy.load_file: float32 or float64, in row-major order, by the
// names of the parameters; the solver's state has names that begin with
// "funnel.".
//
// Every later version of this package loads it and goes on to the same bits. The
// error may be a *ParameterError about the model.
func Save(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	f, err := newFile(model, s)
	if err == nil {
		err = cause(atomicfile.Write(file, f.Write))
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", file, err)
	}
	return nil
}

// Load sets the values of a model, and the solver s, to what Save wrote. If s is nil it sets the
// values alone.
//
// The model has the parameters that were saved, in any order; they are matched by name. s is a
// solver of the same kind, new or used. Its state and its hyperparameters are replaced by the
// file's, so that the run goes on unchanged; Apply changes them afterwards.
//
// Load happens whole or not at all: it checks the file and everything in it before it changes
// anything. A damaged file is ErrCorrupt, one that Save did not write ErrForeign, one of another
// model or solver ErrDifferent, and one that a later version of this package wrote ErrVersion. An
// error of UnmarshalBinary is ErrDifferent unless it is ErrCorrupt. The error may also be a
// *ParameterError about the model. Besides the model, Load needs as much memory as the file; a few
// times that for the state of another package's solver.
func Load(file string, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	if err := loadFile(file, model, s); err != nil {
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

// cause returns err without the name of the file, which Save and Load add themselves.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Write writes what Save writes.
func Write(w io.Writer, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	f, err := newFile(model, s)
	if err != nil {
		return err
	}
	return f.Write(w)
}

// Read reads what Write wrote, as Load does. It reads r to its end.
func Read(r io.Reader, model []gorgonia.ValueGrad, s gorgonia.Solver) error {
	values, err := valuesOf(model)
	if err != nil {
		return err
	}
	var install func() error
	err = checkpoint.Read(r, func(saved *checkpoint.Solver) (plan checkpoint.Plan, err error) {
		plan, install, err = restorePlan(values, saved, s)
		return plan, err
	})
	if err == nil {
		err = install()
	}
	if err != nil {
		return prefixed(err)
	}
	for _, v := range values {
		v.set()
	}
	return nil
}
