// Package jsonlines has files with a line of JSON for each finished run. Lines are
// only appended, so a program that was killed can resume from its file.
package jsonlines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed1e560811/funnel/cmd/internal/filelock"
)

// Format describes the lines of a kind of file.
type Format[R any] struct {
	Beginning string                       // of every line; tells a truncated line from another kind of file
	What      string                       // what a line is, with its article, for messages
	Parse     func(line []byte) (R, error) // reads a line and checks it
}

// Read reads the records in b. A last line that was cut short is left out.
func (f Format[R]) Read(b []byte) ([]R, error) {
	var records []R
	for number := 1; len(b) > 0; number++ {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(bytes.TrimSpace(line)) == 0 || !whole && f.cutShort(line) {
			continue
		}
		r, err := f.Parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d is not %s: %w", number, f.What, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// cutShort reports whether a writer that was killed has left line incomplete. After
// a power cut it may end with zero bytes.
func (f Format[R]) cutShort(line []byte) bool {
	beginning := []byte(f.Beginning)
	begun := bytes.HasPrefix(line, beginning) || bytes.HasPrefix(beginning, bytes.TrimRight(line, "\x00"))
	return begun && !json.Valid(line)
}

// File is an open file of records. Lines are added whole, under a lock, so several
// processes on one machine may add to one file. Open and Append repair a last line
// that a kill or a power cut has left incomplete.
type File[R any] struct {
	format Format[R]
	f      *os.File
}

// Open opens a file, or creates it, and reads the records that are in it. Close
// it.
func (f Format[R]) Open(path string) (*File[R], []R, error) {
	opened, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, err
	}
	file := &File[R]{f, opened}
	records, err := file.load()
	if err != nil {
		opened.Close()
		return nil, nil, err
	}
	return file, records, nil
}

func (f *File[R]) load() ([]R, error) {
	if err := filelock.Lock(f.f); err != nil {
		return nil, err
	}
	defer filelock.Unlock(f.f)
	b, err := f.read()
	if err != nil {
		return nil, err
	}
	records, err := f.format.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	return records, f.repair()
}

// Append adds a line, and returns when it is on the disk.
func (f *File[R]) Append(r R) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := filelock.Lock(f.f); err != nil {
		return err
	}
	defer filelock.Unlock(f.f)
	if err := f.repair(); err != nil {
		return err
	}
	if _, err := f.f.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.f.Sync()
}

// Close closes the file.
func (f *File[R]) Close() error { return f.f.Close() }

func (f *File[R]) read() ([]byte, error) {
	info, err := f.f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file, and could not be read when the program goes on")
	}
	return io.ReadAll(io.NewSectionReader(f.f, 0, info.Size()))
}

// advice ends the errors about lines of another kind.
const advice = "delete the line, or name another file"

// repair makes the file end with a whole line.
func (f *File[R]) repair() error {
	size, err := f.f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.f.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	b, err := f.read()
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	rest := b[whole:]
	if f.format.cutShort(rest) {
		return os.Truncate(f.f.Name(), int64(whole)) // by name: Windows refuses it for a file opened to append
	}
	if _, err := f.format.Read(rest); err != nil {
		return fmt.Errorf("its last line is not %s; %s", f.format.What, advice)
	}
	_, err = f.f.Write([]byte("\n")) // only the newline is missing
	return err
}
