// Package atomicfile replaces files: readers see the old content or all of the new, whatever
// happens in between. It is how solver.Save and this module's commands write, on Linux, macOS, the
// BSDs and Windows.
package atomicfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Write replaces the content of a file, which need not exist, by what write writes. On an error, of
// write or its own, the file is unchanged, with one exception: if syncing the directory fails, the
// last operation, the new content is in place but a loss of power may undo that. When Write returns
// nil, the new content survives a loss of power, as far as the system can promise; on Windows the
// old content may come back.
//
// Write follows symbolic links, and replaces or makes the file that they point to. An existing file
// that is not regular, such as a directory or a pipe, or that is read-only, is an error. An
// existing file's permissions are kept; a new one gets 0644 less the umask. The new content is
// first written to a file beside the old one, whose name is the same with a dot before and a random
// suffix; a killed process leaves nothing else behind.
func Write(path string, write func(io.Writer) error) error {
	p, err := create(path)
	if err != nil {
		return err
	}
	defer p.dir.Close()
	if err := p.fill(write); err != nil {
		os.Remove(p.file.Name())
		return err
	}
	if err := os.Rename(p.file.Name(), p.path); err != nil {
		os.Remove(p.file.Name())
		return err
	}
	return syncDir(p.dir)
}

// Target returns the file that Write writes for a path: the one behind symbolic links, which need
// not exist.
func Target(path string) string {
	for range maxLinks {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(dir, filepath.Base(path))
		}
		next, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(path), next)
		}
		path = next
	}
	return path
}

// maxLinks is Linux's limit.
const maxLinks = 40

// Check returns the error that Write would return for a file it could not write, and leaves the
// file as it is.
func Check(path string) error {
	p, err := create(path)
	if err != nil {
		return err
	}
	return p.abandon()
}

// SyncDir flushes the names in a directory to the disk, so that a loss of power does not undo a
// rename. It does nothing on Windows and on file systems without such an operation.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return cmp.Or(syncDir(dir), dir.Close())
}

// pending is a file that is to replace the one at path.
type pending struct {
	path string
	dir  *os.File
	file *os.File
}

func create(path string) (*pending, error) {
	if path == "" {
		return nil, errors.New("its name is empty")
	}
	path = Target(path)
	old, statErr := os.Stat(path)
	if statErr == nil && !old.Mode().IsRegular() {
		return nil, errors.New("it is there, and not a regular file")
	}
	if statErr == nil {
		if err := mayWrite(path); err != nil {
			return nil, err
		}
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf(".%s.%016x", filepath.Base(path), rand.Uint64())
	file, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		dir.Close()
		return nil, err
	}
	p := &pending{path, dir, file}
	if statErr == nil {
		if err := p.keepPermissions(old.Mode().Perm()); err != nil {
			p.abandon()
			return nil, err
		}
	}
	return p, nil
}

// mayWrite returns an error if a file is read-only. Replacing it needs only a writable directory,
// but whoever made it read-only wants to keep it.
func mayWrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// keepPermissions gives the new file the permissions of the old one.
func (p *pending) keepPermissions(old os.FileMode) error {
	now, err := p.file.Stat()
	if err != nil || now.Mode().Perm() == old {
		return err
	}
	return p.file.Chmod(old)
}

// abandon removes the file.
func (p *pending) abandon() error {
	return cmp.Or(p.file.Close(), os.Remove(p.file.Name()), p.dir.Close())
}

// fill writes the content to the disk and closes the file.
func (p *pending) fill(write func(io.Writer) error) error {
	b := bufio.NewWriterSize(p.file, 1<<16)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = p.file.Sync()
	}
	return cmp.Or(err, p.file.Close())
}

func syncDir(dir *os.File) error {
	err := dir.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
