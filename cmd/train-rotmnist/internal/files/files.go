// Package files writes what a comparison leaves: a CSV that grows with every step,
// a summary in JSON, and the report page. Their flags stand in the messages.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// Names are the paths of the files; empty for none, and cli.Stdout for standard output.
type Names struct {
	CSV, JSON, Report string
}

// UseStdout tells whether one of the files is standard output.
func (n Names) UseStdout() bool {
	return slices.Contains([]string{n.CSV, n.JSON, n.Report}, cli.Stdout)
}

// Distinct finds two flags that name one file.
func (n Names) Distinct() error {
	names := map[string]string{}
	for _, f := range [][2]string{{"-csv", n.CSV}, {"-json", n.JSON}, {"-report", n.Report}} {
		if f[1] == "" || Device(f[1]) {
			continue
		}
		flag, path, said := f[0], Resolved(f[1]), f[1]
		if said == cli.Stdout {
			path, said = cli.Stdout, "standard output"
		}
		if other, ok := names[path]; ok {
			return fmt.Errorf("%s and %s both name %s", other, flag, said)
		}
		names[path] = flag
	}
	return nil
}

// Resolved is the whole path of the file that is behind links, which need not exist.
func Resolved(path string) string {
	path = atomicfile.Target(path)
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// Files are those of one comparison. Paths that cannot be written are found before
// it starts.
type Files struct {
	names  Names
	stdout io.Writer
	csv    *csvFile // nil if there is none, or it is closed
}

// Create opens the files, or finds out whether they can be written. A run that is
// resumed goes on with the CSV that the record of its checkpoint describes; that of
// a new run is nil. The CSV of a run that has checkpoints, and so may be resumed, must be
// one that can be read again.
func Create(names Names, stdout io.Writer, resumable bool, resumed *checkpoint.Record) (*Files, error) {
	f := &Files{names: names, stdout: stdout}
	for _, w := range names.wholes() {
		if err := w.check(); err != nil {
			return nil, err
		}
	}
	if names.CSV == "" {
		return f, nil
	}
	var err error
	switch {
	case names.CSV == cli.Stdout:
		f.csv = csvTo(stdout)
	case resumed == nil:
		f.csv, err = openCSV(names.CSV, os.O_WRONLY|os.O_CREATE, &checkpoint.Written{SHA256: digestOf(nil)})
	case resumed.CSV == nil:
		err = errors.New("the checkpoint knows of no such file")
	default:
		f.csv, err = openCSV(names.CSV, os.O_RDWR, resumed.CSV)
	}
	switch {
	case err == nil && resumable && f.csv.special:
		err = errors.Join(errors.New("it is not a regular file, and could not go on when the run is resumed"), f.csv.close())
	case errors.Is(err, fs.ErrNotExist) && resumed != nil && filepath.IsAbs(names.CSV):
		err = fmt.Errorf("%w; put it back, or start the run anew", cli.Cause(err))
	case errors.Is(err, fs.ErrNotExist) && resumed != nil:
		err = fmt.Errorf("%w; resume the run in the directory where it was started, or put the file back", cli.Cause(err))
	}
	if err != nil {
		return nil, fmt.Errorf("-csv %s: %w", names.CSV, cli.Cause(err))
	}
	return f, nil
}

// Begin removes what the files had before the run.
func (f *Files) Begin() error {
	if f.csv == nil {
		return nil
	}
	if err := f.csv.begin(); err != nil {
		return fmt.Errorf("-csv %s: %w", f.names.CSV, cli.Cause(err))
	}
	return nil
}

// Write adds the rows of a step.
func (f *Files) Write(steps []*experiment.Step) error {
	if f.csv == nil {
		return nil
	}
	for _, s := range steps {
		if err := f.csv.write(s); err != nil {
			return fmt.Errorf("-csv %s: %w", f.names.CSV, cli.Cause(err))
		}
	}
	return nil
}

// Finish writes the summary and the page.
func (f *Files) Finish(s *results.Summary, page func(io.Writer) error) error {
	err := f.Close()
	if f.names.JSON != "" {
		err = errors.Join(err, Write(f.stdout, "-json", f.names.JSON, s.Write))
	}
	if f.names.Report != "" {
		err = errors.Join(err, Write(f.stdout, "-report", f.names.Report, page))
	}
	return err
}

// Written makes sure that the CSV is on the disk, and returns its size and digest;
// nil if there is none.
func (f *Files) Written() (*checkpoint.Written, error) {
	if f.csv == nil {
		return nil, nil
	}
	w, err := f.csv.written()
	if err != nil {
		return nil, fmt.Errorf("-csv %s: %w", f.names.CSV, cli.Cause(err))
	}
	return w, nil
}

// Close closes the CSV.
func (f *Files) Close() error {
	if f.csv == nil {
		return nil
	}
	err := f.csv.close()
	f.csv = nil
	if err != nil {
		return fmt.Errorf("-csv %s: %w", f.names.CSV, cli.Cause(err))
	}
	return nil
}
