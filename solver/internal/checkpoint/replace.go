package checkpoint

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

// Replace puts what write writes into a file: all of it, or the file is as it
// was. Where it returns nil, a loss of power does not undo it.
//
// It is not renameio, since that has nothing for Windows, tries out renames in
// the system's directory for temporary files, and leaves the directory unsynced.
func Replace(file string, write func(io.Writer) error) error {
	if at, err := filepath.EvalSymlinks(file); err == nil {
		file = at // behind a link, it is the file that is replaced
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return Cause(err)
	}
	defer dir.Close()
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is there, and not a regular file")
	}
	beside := filepath.Join(filepath.Dir(file), fmt.Sprintf(".%s.%016x", filepath.Base(file), rand.Uint64()))
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return Cause(err)
	}
	if err := fill(f, write); err != nil {
		os.Remove(beside)
		return Cause(err)
	}
	if err := os.Rename(beside, file); err != nil {
		os.Remove(beside)
		return Cause(err)
	}
	return Cause(syncDir(dir))
}

// fill writes f's content to the disk, and closes it.
func fill(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, bufferSize)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return cmp.Or(err, f.Close())
}

// syncDir makes a rename last. Windows, and some file systems, know no such
// thing.
func syncDir(dir *os.File) error {
	err := dir.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// Cause returns err without the name of the file, which the caller tells.
func Cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
