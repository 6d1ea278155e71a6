package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// csvFile is a CSV that knows its size and digest, so that a run that is resumed
// can check that it goes on with the same file.
type csvFile struct {
	*output.CSV           // nil before begin
	file        *os.File  // nil for standard output
	to          io.Writer // the file or standard output
	special     bool      // a pipe or the like, which cannot be read again
	hash        hash.Hash
	before      *checkpoint.Written // its content when the run begins or goes on
	failed      bool
}

// openCSV opens a file that must begin with what the run wrote earlier, which before
// describes.
func openCSV(path string, how int, before *checkpoint.Written) (*csvFile, error) {
	c := &csvFile{hash: sha256.New(), before: before, special: Device(path)}
	if c.special {
		how |= os.O_APPEND
	}
	var err error
	if c.file, err = os.OpenFile(path, how, 0o666); err != nil {
		return nil, err
	}
	c.to = c.file
	info, err := c.file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		c.special = true
	}
	if err == nil && before.Size > 0 {
		var n int64
		n, err = io.Copy(c.hash, io.LimitReader(c.file, before.Size))
		if err == nil && (n < before.Size || c.sum() != before.SHA256) {
			err = errors.New("it does not begin with what the run had written to it; put that file back, or start the run anew")
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	return c, nil
}

// csvTo returns a CSV on standard output.
func csvTo(w io.Writer) *csvFile {
	return &csvFile{to: w, hash: sha256.New(), before: new(checkpoint.Written), special: true}
}

// Device tells whether a path stands for a device or for a file that the process
// has open already, such as /dev/stdout.
func Device(path string) bool { return strings.HasPrefix(filepath.Clean(path), "/dev/") }

// begin truncates the file to what the run wrote earlier.
func (c *csvFile) begin() error {
	if !c.special {
		if err := c.file.Truncate(c.before.Size); err != nil {
			return err
		}
	}
	to := io.MultiWriter(c.to, c.hash)
	if c.before.Size > 0 {
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
		return c.before, nil
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
	if c.file == nil {
		return err
	}
	return errors.Join(err, c.file.Close())
}
