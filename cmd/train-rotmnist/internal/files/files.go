package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// files are what a comparison writes. They are opened, or tried, before it
// starts, so that a path that cannot be written costs no run.
type files struct {
	config *config
	csv    *csvFile
}

// create opens the files. A run that is resumed, from that record, goes on with
// its CSV.
func create(c *config, resumed *checkpoint.Record) (*files, error) {
	f := &files{config: c}
	for _, w := range c.wholes() {
		if err := w.try(); err != nil {
			return nil, err
		}
	}
	if c.csv == "" {
		return f, nil
	}
	var err error
	switch {
	case resumed == nil:
		f.csv, err = openCSV(c.csv, os.O_WRONLY|os.O_CREATE, &checkpoint.Written{SHA256: digestOf(nil)})
	case resumed.CSV == nil:
		err = errors.New("the checkpoint knows of no such file")
	default:
		f.csv, err = openCSV(c.csv, os.O_RDWR, resumed.CSV)
	}
	switch {
	case err == nil && c.checkpoint != "" && f.csv.special:
		err = errors.Join(errors.New("it is not a regular file, and could not go on when the run is resumed"), f.csv.close())
	case errors.Is(err, fs.ErrNotExist) && resumed != nil && !filepath.IsAbs(c.csv):
		err = fmt.Errorf("%w; resume the run in the directory where it was started", cause(err))
	}
	if err != nil {
		return nil, fmt.Errorf("-csv %s: %w", c.csv, cause(err))
	}
	return f, nil
}

// begin drops what was in the files before the run.
func (f *files) begin() error {
	if f.csv == nil {
		return nil
	}
	if err := f.csv.begin(); err != nil {
		return fmt.Errorf("-csv %s: %w", f.config.csv, cause(err))
	}
	return nil
}

// write adds the rows of a step.
func (f *files) write(steps []*experiment.Step) error {
	if f.csv == nil {
		return nil
	}
	for _, s := range steps {
		if err := f.csv.write(s); err != nil {
			return fmt.Errorf("-csv %s: %w", f.config.csv, cause(err))
		}
	}
	return nil
}

// finish writes the rest.
func (f *files) finish(s *output.Summary, page func(io.Writer) error) error {
	err := f.close()
	if f.config.json != "" {
		err = errors.Join(err, whole{"-json", f.config.json}.write(func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(s)
		}))
	}
	if f.config.report != "" {
		err = errors.Join(err, whole{"-report", f.config.report}.write(page))
	}
	return err
}

// written is how far the CSV is, all of it on the disk; nil if there is none.
func (f *files) written() (*checkpoint.Written, error) {
	if f.csv == nil {
		return nil, nil
	}
	w, err := f.csv.written()
	if err != nil {
		return nil, fmt.Errorf("-csv %s: %w", f.config.csv, cause(err))
	}
	return w, nil
}

// close closes what is open.
func (f *files) close() error {
	if f.csv == nil {
		return nil
	}
	err := f.csv.close()
	f.csv = nil
	if err != nil {
		return fmt.Errorf("-csv %s: %w", f.config.csv, cause(err))
	}
	return nil
}

// csvFile is a CSV that knows what it has.
type csvFile struct {
	*output.CSV // nil before begin
	file        *os.File
	special     bool // a pipe or the like, which cannot be read again
	hash        hash.Hash
	had         *checkpoint.Written
	failed      bool
}

// openCSV opens a file that begins with what it had.
func openCSV(path string, how int, had *checkpoint.Written) (*csvFile, error) {
	c := &csvFile{hash: sha256.New(), had: had, special: device(path)}
	if c.special {
		how |= os.O_APPEND
	}
	var err error
	if c.file, err = os.OpenFile(path, how, 0o666); err != nil {
		return nil, err
	}
	info, err := c.file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		c.special = true
	}
	if err == nil && had.Size > 0 {
		var n int64
		n, err = io.Copy(c.hash, io.LimitReader(c.file, had.Size))
		if err == nil && (n < had.Size || c.sum() != had.SHA256) {
			err = errors.New("it does not begin with what the run had written to it; put that file back, or start the run anew")
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	return c, nil
}

// device tells whether a path is one that stands for a file that is open, which
// belongs to somebody else.
func device(path string) bool { return strings.HasPrefix(filepath.Clean(path), "/dev/") }

// begin drops what the file has beyond what it had.
func (c *csvFile) begin() error {
	if !c.special {
		if err := c.file.Truncate(c.had.Size); err != nil {
			return err
		}
	}
	to := io.MultiWriter(c.file, c.hash)
	if c.had.Size > 0 {
		c.CSV = output.AppendCSV(to)
	} else {
		c.CSV = output.NewCSV(to)
	}
	return nil
}

func (c *csvFile) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (c *csvFile) write(s *experiment.Step) error {
	err := c.Write(s)
	c.failed = err != nil
	return err
}

func (c *csvFile) written() (*checkpoint.Written, error) {
	if c.CSV == nil {
		return c.had, nil
	}
	if err := c.Flush(); err != nil {
		return nil, err
	}
	if err := c.file.Sync(); err != nil {
		return nil, err
	}
	size, err := c.file.Seek(0, io.SeekCurrent)
	return &checkpoint.Written{Size: size, SHA256: c.sum()}, err
}

func (c *csvFile) close() error {
	var err error
	if c.CSV != nil && !c.failed { // or it would fail again
		err = c.Flush()
	}
	return errors.Join(err, c.file.Close())
}

// whole is a file that gets all of its content or none, and the flag that names
// it. What is there and is no regular file, such as /dev/stdout, is written to
// and not replaced.
type whole struct{ flag, path string }

func (c *config) wholes() []whole {
	var ws []whole
	for _, w := range []whole{{"-json", c.json}, {"-report", c.report}} {
		if w.path != "" {
			ws = append(ws, w)
		}
	}
	return ws
}

// try finds out whether the file can be written, and leaves it as it is.
func (w whole) try() error {
	f, err := w.create()
	if err == nil {
		err = f.drop()
	}
	return w.blame(err)
}

func (w whole) write(write func(io.Writer) error) error {
	f, err := w.create()
	if err == nil {
		if err = write(f); err == nil {
			err = f.replace()
		} else {
			err = errors.Join(err, f.drop())
		}
	}
	return w.blame(err)
}

func (w whole) blame(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", w.flag, w.path, cause(err))
}

func (w whole) create() (f *unfinished, err error) {
	path := w.path
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, errors.New("it is a directory; name a file")
	case err == nil && (device(path) || !info.Mode().IsRegular()):
		special, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		return &unfinished{Writer: special, special: special}, err
	case err == nil: // behind a link, it is the file that is replaced
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	pending, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(path)))
	return &unfinished{Writer: pending, pending: pending}, err
}

// unfinished is a file that is not in place yet.
type unfinished struct {
	io.Writer
	pending *renameio.PendingFile
	special *os.File
}

func (f *unfinished) replace() error {
	if f.special != nil {
		return f.special.Close()
	}
	return f.pending.CloseAtomicallyReplace()
}

func (f *unfinished) drop() error {
	if f.special != nil {
		return f.special.Close()
	}
	return f.pending.Cleanup()
}

// cause drops the operation and the path of a file error, for a message that
// names the path the user gave.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
