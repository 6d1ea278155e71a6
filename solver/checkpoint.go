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

// Save writes the values of a model, and all that s has learned of it, to a
// file: a training that Load goes on with makes the same steps, to the bit, as
// one that never stopped. With s nil the file has the values alone.
//
// The parameters need names that differ, since they are what Load finds them by:
// gorgonia.WithName gives a node one. The model must have all parameters that s
// knows and whose memory lives: of two networks that one solver trains, give
// both. Gradients are not saved.
//
// A solver that is not of this package, alone or in an Augmented, can be saved
// if it has encoding.BinaryMarshaler and encoding.BinaryUnmarshaler; Gorgonia's
// own have not. UnmarshalBinary is called when all else in the file has proved
// right, and must leave the solver as it was where it returns an error. Its state
// it should find again by name or by place in the model: in another process
// parameters are other pointers, and in an Augmented they are stand-ins.
//
// A file that was there is replaced, when all of the new one is on the disk, and
// not touched if that cannot be. It keeps its permissions; one that was not there has
// 0644 less the umask. A process that is killed meanwhile leaves a file beside it that
// begins with a dot, and nothing else.
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

// Load sets the values of a model, and the solver s, to what Save wrote. With s
// nil it sets the values alone.
//
// The model has the parameters that were saved, in any order; names decide. s is
// a solver of the same kind, new or used. It forgets all it knew; its
// hyperparameters, too, are those of the file, whatever it was made with, so
// that the run goes on as it was. Apply changes them afterwards.
//
// Load happens whole or not at all: it checks the file and everything in it
// before it changes anything. A damaged file is ErrCorrupt, one that Save did not
// write ErrForeign, one of another model or solver ErrDifferent, and one that a
// later version of this package wrote ErrVersion. What UnmarshalBinary refuses is
// ErrDifferent, or ErrCorrupt if it says so. The error may also be a
// *ParameterError about the model. Beyond the model Load takes as much memory as
// the file; of a solver that is not ours, a few times that.
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
