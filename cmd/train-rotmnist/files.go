package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// files are what a comparison writes. They are opened before it starts, so
// that a path that cannot be written costs no run.
type files struct {
	config  *config
	csvFile *os.File
	csv     *output.CSV
	json    *whole
}

func create(c *config) (f *files, err error) {
	f = &files{config: c}
	if c.json != "" {
		if f.json, err = newWhole(c.json); err != nil {
			return nil, fmt.Errorf("-json %s: %w", c.json, cause(err))
		}
	}
	if c.csv != "" {
		if f.csvFile, err = os.Create(c.csv); err != nil {
			return nil, errors.Join(fmt.Errorf("-csv %s: %w", c.csv, cause(err)), f.close())
		}
		f.csv = output.NewCSV(f.csvFile)
	}
	return f, nil
}

// finish writes what is to be written.
func (f *files) finish(s *output.Summary) error {
	var errs []error
	if f.csv != nil {
		if err := errors.Join(f.csv.Flush(), f.csvFile.Close()); err != nil {
			errs = append(errs, fmt.Errorf("-csv %s: %w", f.config.csv, cause(err)))
		}
		f.csv = nil
	}
	if f.json != nil {
		if err := f.json.write(s); err != nil {
			errs = append(errs, fmt.Errorf("-json %s: %w", f.config.json, cause(err)))
		}
	}
	return errors.Join(errs...)
}

// close gives back what finish has not.
func (f *files) close() error {
	var errs []error
	if f.csv != nil {
		errs = append(errs, f.csv.Flush(), f.csvFile.Close())
	}
	if f.json != nil {
		errs = append(errs, f.json.close())
	}
	return errors.Join(errs...)
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
	w.pending, err = renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	w.Writer = w.pending
	return w, err
}

func (w *whole) write(s *output.Summary) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	if w.special != nil {
		return nil
	}
	return w.pending.CloseAtomicallyReplace()
}

func (w *whole) close() error {
	if w.special != nil {
		return w.special.Close()
	}
	return w.pending.Cleanup() // nothing to do if it is in place
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
