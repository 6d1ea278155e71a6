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
	json   bool
}

// create opens the files. A run that is resumed, from that record, goes on with
// its CSV.
func create(c *config, resumed *checkpoint.Record) (*files, error) {
	f := &files{config: c, json: c.json != ""}
	if f.json {
		w, err := newWhole(c.json)
		if err == nil {
			err = w.close()
		}
		if err != nil {
			return nil, fmt.Errorf("-json %s: %w", c.json, cause(err))
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

// finish writes what is to be written.
func (f *files) finish(s *output.Summary) error {
	err := f.close()
	if f.json {
		if e := writeJSON(f.config.json, s); e != nil {
			err = errors.Join(err, fmt.Errorf("-json %s: %w", f.config.json, cause(e)))
		}
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

func writeJSON(path string, s *output.Summary) error {
	w, err := newWhole(path)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return errors.Join(err, w.close())
	}
	return w.replace()
}

// whole is a file that gets all of its content or none. What is there and is
// no regular file, such as /dev/stdout, is written to and not replaced.
type whole struct {
	io.Writer
	pending *renameio.PendingFile
	special *os.File
}

func newWhole(path string) (w *whole, err error) {
	w = new(whole)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, errors.New("it is a directory; name a file")
	case err == nil && !info.Mode().IsRegular():
		if w.special, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
			return nil, err
		}
		w.Writer = w.special
		return w, nil
	case err == nil: // behind a link, it is the file that is replaced
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	w.pending, err = renameio.NewPendingFile(path, renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(path)))
	w.Writer = w.pending
	return w, err
}

// replace puts what was written in place, and closes.
func (w *whole) replace() error {
	if w.special != nil {
		return w.special.Close()
	}
	return w.pending.CloseAtomicallyReplace()
}

// close drops what was written, unless it is in place.
func (w *whole) close() error {
	if w.special != nil {
		return w.special.Close()
	}
	return w.pending.Cleanup()
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
