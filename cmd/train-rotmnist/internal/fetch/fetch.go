// Package fetch downloads the four MNIST files over HTTPS and checks them.
//
// No mirror is trusted: what it sends is limited in time and size, stays in memory
// until its checksum is known to be right, and is then written in one step. So a
// file under its final name is whole, however a run ended.
package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// DefaultMirrors are the base URLs that MNIST asks in turn.
var DefaultMirrors = []string{
	"https://storage.googleapis.com/cvdf-datasets/mnist/",
	"https://ossci-datasets.s3.amazonaws.com/mnist/",
	"https://raw.githubusercontent.com/fgnt/mnist/master/",
}

// Options says where MNIST comes from and how long that may take. The zero
// value is ready to use.
type Options struct {
	// Mirrors are base URLs, https only, tried in turn for each file. Default:
	// DefaultMirrors.
	Mirrors []string

	// Client makes the requests; it follows redirects to https only. Default:
	// http.DefaultClient.
	Client *http.Client

	// Progress, if not nil, is called as a file arrives, many times a second:
	// done bytes so far of total, which is -1 if the mirror does not say. The
	// next mirror begins at 0 again.
	Progress func(file string, done, total int64)

	// HeaderTimeout limits the time to a mirror's answer, from looking up its
	// name to the last header. Default: 30 s.
	HeaderTimeout time.Duration

	// StallTimeout limits the time without a byte. Default: 30 s.
	StallTimeout time.Duration

	// FileTimeout limits the time for one file from one mirror, which ends a
	// transfer that trickles. Default: 30 min.
	FileTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if len(o.Mirrors) == 0 {
		o.Mirrors = DefaultMirrors
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	o.Client = httpsOnly(o.Client)
	if o.HeaderTimeout <= 0 {
		o.HeaderTimeout = 30 * time.Second
	}
	if o.StallTimeout <= 0 {
		o.StallTimeout = 30 * time.Second
	}
	if o.FileTimeout <= 0 {
		o.FileTimeout = 30 * time.Minute
	}
	return o
}

// CacheDir returns the default directory of the files: funnel/mnist in the user's
// cache directory. It need not exist.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("fetch: no cache directory (%w); name one for the MNIST files with -data DIR", err)
	}
	return filepath.Join(dir, "funnel", "mnist"), nil
}

// MNIST makes sure that the four MNIST files are in dir, gzipped and named as
// published (train-images-idx3-ubyte.gz), and creates dir if it is missing. Files
// that are there and right stay; the others are fetched. If one cannot be fetched,
// MNIST returns an error, and what was fetched stays for the next call.
//
// Once ctx is done MNIST stops, and errors.Is finds the reason in its error.
func MNIST(ctx context.Context, dir string, opts Options) error {
	return fetchAll(ctx, dir, manifest, opts)
}

// file describes a gzipped file as published.
type file struct {
	name   string // ends in .gz
	size   int64  // uncompressed
	sha256 string // of the uncompressed bytes
}

var manifest = []file{
	{"train-images-idx3-ubyte.gz", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
	{"train-labels-idx1-ubyte.gz", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
	{"t10k-images-idx3-ubyte.gz", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
	{"t10k-labels-idx1-ubyte.gz", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}

// errMirrors marks the error of a file that no mirror gave.
var errMirrors = errors.New("no mirror gave it")

func fetchAll(ctx context.Context, dir string, files []file, opts Options) error {
	opts = opts.withDefaults()
	for _, mirror := range opts.Mirrors {
		if u, err := url.Parse(mirror); err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("fetch: mirror %q is not an https URL; name one that begins with https://", mirror)
		}
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("fetch: stopped before %s: %w", f.name, err)
		}
		if f.isIn(dir) {
			continue
		}
		err := f.fetchInto(ctx, dir, opts)
		if errors.Is(err, errMirrors) {
			return fmt.Errorf("fetch: %s: %w; %s", f.name, err, byHand(files, dir))
		}
		if err != nil {
			return fmt.Errorf("fetch: %s: %w", f.name, err)
		}
	}
	return nil
}

func byHand(files []file, dir string) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	return fmt.Sprintf("get %s by hand and put them into %s, or into any directory and name it with -data DIR",
		strings.Join(names, ", "), dir)
}

func (f file) isIn(dir string) bool {
	there, err := os.Open(filepath.Join(dir, f.name))
	if err != nil {
		return false
	}
	defer there.Close()
	return f.verify(there) == nil
}

// verify returns how the content of gz differs from what was published. It reads no
// further than the first byte too many.
func (f file) verify(gz io.Reader) error {
	content, err := gzip.NewReader(gz)
	if err != nil {
		return fmt.Errorf("not a gzip file (%w)", err)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(content, f.size+1))
	if err != nil {
		return fmt.Errorf("damaged gzip file (%w)", err)
	}
	if n > f.size {
		return fmt.Errorf("content is longer than the %d bytes published", f.size)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.sha256 {
		return fmt.Errorf("content is not what was published: its SHA-256 is %s, not %s", got, f.sha256)
	}
	return nil
}

// fetchInto finds out whether the file can be written before it asks a mirror, so
// that a directory that cannot be written to costs no download.
func (f file) fetchInto(ctx context.Context, dir string, opts Options) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return cannotStore(dir, err)
	}
	path := filepath.Join(dir, f.name)
	if err := atomicfile.Check(path); err != nil {
		return cannotStore(dir, err)
	}
	gz, err := f.fromMirrors(ctx, opts)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, func(w io.Writer) error { _, err := w.Write(gz); return err }); err != nil {
		return cannotStore(dir, err)
	}
	return nil
}

func cannotStore(dir string, err error) error {
	return fmt.Errorf("cannot be stored in %s (%w); make room there, or name another directory", dir, err)
}

// fromMirrors returns the first download that is right.
func (f file) fromMirrors(ctx context.Context, opts Options) ([]byte, error) {
	var causes []string
	for _, mirror := range opts.Mirrors {
		gz, err := f.download(ctx, mirror, opts)
		if err == nil {
			err = f.verify(bytes.NewReader(gz))
		}
		if err == nil {
			return gz, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("stopped: %w", ctx.Err())
		}
		causes = append(causes, mirror+": "+onOneLine(err))
	}
	return nil, fmt.Errorf("%w (%s)", errMirrors, strings.Join(causes, "; "))
}

func onOneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
