package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/filelock"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// File has a line of JSON for each run that is done. It is only ever added to,
// a whole line at a time, so it survives a kill; a line that a kill has cut
// short, or a power cut, is dropped by whoever adds the next. Processes on one machine may share
// a file.
type File struct{ f *os.File }

// Open opens a file, or makes it, and reads the runs that are in it. Close it.
func Open(path string) (*File, []output.Record, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, err
	}
	file := &File{f}
	records, err := file.load()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return file, records, nil
}

func (f *File) load() ([]output.Record, error) {
	if err := filelock.Lock(f.f); err != nil {
		return nil, err
	}
	defer filelock.Unlock(f.f)
	b, err := f.read()
	if err != nil {
		return nil, err
	}
	records, err := output.ReadRecords(b)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	return records, f.repair()
}

// Append adds a line, and returns when it is on the disk.
func (f *File) Append(r *output.Record) error {
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
func (f *File) Close() error { return f.f.Close() }

func (f *File) read() ([]byte, error) {
	info, err := f.f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file, and could not be read when the sweep goes on")
	}
	return io.ReadAll(io.NewSectionReader(f.f, 0, info.Size()))
}

// advice is for a line that is there and is no run.
const advice = "delete the line, or name another file"

// repair makes the file end with a whole line.
func (f *File) repair() error {
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
	if output.CutShort(rest) {
		return f.f.Truncate(int64(whole))
	}
	if _, err := output.ReadRecords(rest); err != nil {
		return errors.New("its last line is not a run of a sweep; " + advice)
	}
	_, err = f.f.Write([]byte("\n")) // only its end was lost
	return err
}
