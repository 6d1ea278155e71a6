package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

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
		f.csv, err = createCSV(c.csv)
	case resumed.CSV == nil:
		err = errors.New("the checkpoint knows of no such file")
	default:
		f.csv, err = appendCSV(c.csv, resumed.CSV)
	}
	if err == nil && c.checkpoint != "" && !f.csv.regular() {
		err = errors.Join(errors.New("it is not a regular file, and could not go on when the run is resumed"), f.csv.close())
	}
	if err != nil {
		return nil, fmt.Errorf("-csv %s: %w", c.csv, cause(err))
	}
	return f, nil
}

// write adds the rows of a step.
func (f *files) write(steps []*experiment.Step) error {
	if f.csv == nil {
		return nil
	}
	for _, s := range steps {
		if err := f.csv.Write(s); err != nil {
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
	*output.CSV
	file *os.File
	hash hash.Hash
}

func createCSV(path string) (*csvFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	c := &csvFile{file: file, hash: sha256.New()}
	c.CSV = output.NewCSV(io.MultiWriter(file, c.hash))
	return c, nil
}

// appendCSV drops what a file has beyond what was written at a checkpoint.
func appendCSV(path string, had *checkpoint.Written) (*csvFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	c := &csvFile{file: file, hash: sha256.New()}
	n, err := io.Copy(c.hash, io.LimitReader(file, had.Size))
	if err == nil && (n < had.Size || c.sum() != had.SHA256) {
		err = errors.New("it does not begin with what the run had written to it; put that file back, or start the run anew")
	}
	if err == nil {
		err = file.Truncate(had.Size)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	c.CSV = output.AppendCSV(io.MultiWriter(file, c.hash))
	return c, nil
}

func (c *csvFile) regular() bool {
	info, err := c.file.Stat()
	return err == nil && info.Mode().IsRegular()
}

func (c *csvFile) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

func (c *csvFile) written() (*checkpoint.Written, error) {
	if err := c.Flush(); err != nil {
		return nil, err
	}
	if err := c.file.Sync(); err != nil {
		return nil, err
	}
	size, err := c.file.Seek(0, io.SeekCurrent)
	return &checkpoint.Written{Size: size, SHA256: c.sum()}, err
}

func (c *csvFile) close() error { return errors.Join(c.Flush(), c.file.Close()) }

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
	case err == nil && !info.Mode().IsRegular():
		special, err := os.OpenFile(path, os.O_WRONLY, 0)
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
