package files

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// whole is a file that is written in one step, with its flag.
type whole struct{ flag, path string }

func (n Names) wholes() []whole {
	var ws []whole
	for _, w := range []whole{{"-json", n.JSON}, {"-report", n.Report}} {
		if w.path != "" {
			ws = append(ws, w)
		}
	}
	return ws
}

// check finds out whether the file can be written, and leaves it as it is.
func (w whole) check() error {
	if w.path == cli.Stdout {
		return nil
	}
	special, err := w.open()
	switch {
	case special != nil:
		err = special.Close()
	case err == nil:
		err = atomicfile.Check(w.path)
	}
	return w.blame(err)
}

// Write writes the file that a flag names, or standard output. The file gets all of
// its content or none, except that an existing path that is not a regular file, such
// as /dev/stdout, is written to and not replaced.
func Write(stdout io.Writer, flag, path string, write func(io.Writer) error) error {
	w := whole{flag, path}
	if w.path == cli.Stdout {
		return w.blame(write(stdout))
	}
	special, err := w.open()
	switch {
	case special != nil:
		err = cmp.Or(write(special), special.Close())
	case err == nil:
		err = atomicfile.Write(w.path, write)
	}
	return w.blame(err)
}

// open opens an existing path that is a device or not a regular file; nil for
// others.
func (w whole) open() (*os.File, error) {
	info, err := os.Stat(w.path)
	switch {
	case err == nil && info.IsDir():
		return nil, errors.New("it is a directory; name a file")
	case err == nil && (Device(w.path) || !info.Mode().IsRegular()):
		return os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND, 0)
	}
	return nil, nil
}

func (w whole) blame(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", w.flag, w.path, cli.Cause(err))
}
