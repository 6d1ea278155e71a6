// Package digits loads the data sets that runs learn from.
package digits

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/fetch"
	"github.com/seed1e560811/funnel/mnist"
)

// Synthetic data sets are as large as MNIST's.
const (
	trainDigits = 60_000
	testDigits  = 10_000
)

// Load returns the data sets that a source names: "synthetic", made from the seed;
// "mnist", the real ones, which are downloaded if they are not in the cache
// directory; or a directory with MNIST's files. The progress of a download goes to
// w.
func Load(ctx context.Context, source string, seed uint64, w io.Writer) (train, test *mnist.Dataset, err error) {
	switch source {
	case "synthetic":
		return mnist.Synthetic(trainDigits, seed), mnist.Synthetic(testDigits, ^seed), nil
	case "mnist":
		dir, err := fetch.CacheDir()
		if err != nil {
			return nil, nil, err
		}
		if err := download(ctx, dir, w); err != nil {
			return nil, nil, err
		}
		return mnist.ReadDir(dir)
	}
	train, test, err = mnist.ReadDir(source)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("-data: %w; it takes synthetic, mnist, or a directory with MNIST's files", err)
	}
	return train, test, err
}

func download(ctx context.Context, dir string, w io.Writer) error {
	var file string
	var bar *progress.Bar
	end := func() {
		if bar != nil {
			bar.End()
		}
	}
	defer func() { end() }()
	return fetch.MNIST(ctx, dir, fetch.Options{Progress: func(name string, done, total int64) {
		if name != file {
			end()
			file, bar = name, progress.New(w, name, "", 0, total)
		}
		bar.Set(done, fmt.Sprintf("%.1f MB", float64(done)/1e6))
	}})
}

// Fits returns a usage error if a data set has fewer images than a batch.
func Fits(batch int, train *mnist.Dataset) error {
	if batch > train.Len() {
		return cli.Usage(fmt.Errorf("-batch: %d; the data set has %d images", batch, train.Len()))
	}
	return nil
}

// Digest returns the SHA-256 of data sets.
func Digest(sets ...*mnist.Dataset) string {
	h := sha256.New()
	for _, d := range sets {
		fmt.Fprintln(h, d.Len())
		h.Write(d.Images)
		h.Write(d.Labels)
	}
	return hex.EncodeToString(h.Sum(nil))
}
