package mnist

// IDX is the format MNIST is published in: a magic number, the length of each
// dimension (big-endian, 32 bits each), then the bytes themselves. The files
// come from the network and from users' disks, so nothing in them is trusted:
// memory grows with the bytes that are there, not with those a header promises.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// The last byte of a magic number is the number of dimensions.
const (
	labelsMagic = 0x00000801
	imagesMagic = 0x00000803
)

// ReadDir reads MNIST, or data in its format, from four files in dir:
//
//	train-images-idx3-ubyte  train-labels-idx1-ubyte
//	t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte
//
// The hyphen before idx may be a dot, and each file may be gzipped, with
// .gz at the end of its name or without. Where several spellings are there, the
// one with a hyphen and .gz, as MNIST is published, comes first.
//
// An error names the file and says what is wrong with it; errors.Is tells a
// missing file (fs.ErrNotExist) from a damaged one.
func ReadDir(dir string) (train, test *Dataset, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("mnist: directory %q: %w", dir, withoutPath(err))
	}
	if !info.IsDir() {
		return nil, nil, fmt.Errorf("mnist: %s is a file; name the directory that holds the four MNIST files", dir)
	}
	return idxFiles{os.DirFS(dir), dir}.read()
}

// ReadFS is ReadDir for the root of a file system.
func ReadFS(fsys fs.FS) (train, test *Dataset, err error) {
	return idxFiles{fsys, ""}.read()
}

// idxFiles is where the four files are; dir is how errors name it.
type idxFiles struct {
	fsys fs.FS
	dir  string
}

func (files idxFiles) path(name string) string { return filepath.Join(files.dir, name) }

func (files idxFiles) read() (train, test *Dataset, err error) {
	if train, err = files.readSet("train"); err != nil {
		return nil, nil, fmt.Errorf("mnist: %w", err)
	}
	if test, err = files.readSet("t10k"); err != nil {
		return nil, nil, fmt.Errorf("mnist: %w", err)
	}
	return train, test, nil
}

func (files idxFiles) readSet(set string) (*Dataset, error) {
	images, imagesPath, err := files.readFile(set+"-images", "idx3-ubyte", readImages)
	if err != nil {
		return nil, err
	}
	labels, labelsPath, err := files.readFile(set+"-labels", "idx1-ubyte", readLabels)
	if err != nil {
		return nil, err
	}
	if n := len(images) / Pixels; n != len(labels) {
		return nil, fmt.Errorf("%s holds %d images but %s holds %d labels; get both from the same place",
			imagesPath, n, labelsPath, len(labels))
	}
	return &Dataset{Images: images, Labels: labels}, nil
}

// readFile reads the file called stem-suffix, in whichever spelling it is
// there, and returns its path too. Errors begin with that path.
func (files idxFiles) readFile(stem, suffix string, parse func(io.Reader) ([]byte, error)) (data []byte, path string, err error) {
	name, err := files.find(stem, suffix)
	if err != nil {
		return nil, "", err
	}
	path = files.path(name)
	f, err := files.fsys.Open(name)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, withoutPath(err))
	}
	defer f.Close()
	if data, err = parse(f); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return data, path, nil
}

// find passes over directories: some archives unpack each file into a
// directory of the same name.
func (files idxFiles) find(stem, suffix string) (string, error) {
	hyphen, dot := stem+"-"+suffix, stem+"."+suffix
	for _, name := range []string{hyphen + ".gz", hyphen, dot + ".gz", dot} {
		info, err := fs.Stat(files.fsys, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		return name, nil // opening it finds any other error
	}
	return "", fmt.Errorf("%s: %w; put it there under this name or as %s, plain or gzipped with .gz added",
		files.path(hyphen), fs.ErrNotExist, dot)
}

// withoutPath drops the operation and path of a file error, for a message that
// names the path itself.
func withoutPath(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// readImages reads an IDX file of images, gzipped or not.
func readImages(r io.Reader) ([]byte, error) {
	r, dims, err := openIDX(r, "images", imagesMagic)
	if err != nil {
		return nil, err
	}
	if dims[1] != Side || dims[2] != Side {
		return nil, fmt.Errorf("its images are %d×%d pixels; only %d×%d can be used", dims[1], dims[2], Side, Side)
	}
	return readBody(r, dims[0]*Pixels)
}

// readLabels reads an IDX file of labels, gzipped or not.
func readLabels(r io.Reader) ([]byte, error) {
	r, dims, err := openIDX(r, "labels", labelsMagic)
	if err != nil {
		return nil, err
	}
	labels, err := readBody(r, dims[0])
	if err != nil {
		return nil, err
	}
	for i, label := range labels {
		if label >= Classes {
			return nil, fmt.Errorf("label %d (counted from 0) is %d; labels are 0 to %d", i, label, Classes-1)
		}
	}
	return labels, nil
}

// openIDX reads the header. It returns the dimensions' lengths and a reader of
// the uncompressed bytes that follow.
func openIDX(r io.Reader, what string, magic uint32) (body io.Reader, dims []int64, err error) {
	if r, err = gunzip(r); err != nil {
		return nil, nil, err
	}
	header := make([]byte, 4+4*(magic&0xff))
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, nil, fmt.Errorf("its %d-byte header cannot be read past byte %d (%w); get the file again",
			len(header), n, err)
	}
	if got := binary.BigEndian.Uint32(header); got != magic {
		return nil, nil, fmt.Errorf("these are not IDX %s: the magic number is %#08x, not %#08x; get the file again",
			what, got, magic)
	}
	for rest := header[4:]; len(rest) > 0; rest = rest[4:] {
		dims = append(dims, int64(binary.BigEndian.Uint32(rest)))
	}
	if dims[0] == 0 {
		return nil, nil, fmt.Errorf("it holds no %s; get the file again", what)
	}
	return r, dims, nil
}

// gunzip decides by content, not by name: downloads are often unpacked or renamed.
func gunzip(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	start, _ := buffered.Peek(2) // an error here comes back at the next read
	if !bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("its gzip header cannot be read (%w); get the file again", err)
	}
	return z, nil
}

// readBody reads exactly size bytes and makes sure that they are the last. It asks
// for one more byte, which finds trailing bytes, and makes a gzip reader check its
// checksum.
func readBody(r io.Reader, size int64) ([]byte, error) {
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("its header promises %d bytes, more than the %d that are read at most; get the file again",
			size, math.MaxInt32)
	}
	data, err := io.ReadAll(io.LimitReader(r, size+1))
	n := int64(len(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading stopped after %d of %d bytes (%w); get the file again", n, size, err)
	case n < size:
		return nil, fmt.Errorf("it is cut short: its header promises %d bytes, %d are there; get the file again", size, n)
	case n > size:
		return nil, fmt.Errorf("bytes are left over after the %d that its header promises; get the file again", size)
	}
	return data, nil
}
