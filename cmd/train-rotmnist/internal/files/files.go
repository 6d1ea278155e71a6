// Package files writes the files of a comparison: a CSV that grows with every step,
// a summary in JSON, and the report page. Errors begin with the file's flag.
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

// Distinct returns an error if two flags name one file.
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

// Resolved returns the absolute path of a file, with links followed. It need not
// exist.
func Resolved(path string) string {
	path = atomicfile.Target(path)
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// Files are the files of one comparison. Create finds those that cannot be written.
type Files struct {
	names  Names
	stdout io.Writer
	csv    *csvFile // nil if there is none, or it is closed
}

// Create opens the CSV, and checks that the other files can be written. resumed is
// the record of the run to resume, which goes on with its CSV; nil for a new run. If
// the run is resumable, the CSV must be a regular file.
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

// Begin removes from the CSV what is not the run's.
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

// Finish closes the CSV, and writes the summary and the page.
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
