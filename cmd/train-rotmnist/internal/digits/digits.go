package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/fetch"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/mnist"
)

// As many synthetic digits as MNIST has real ones.
const (
	trainDigits = 60_000
	testDigits  = 10_000
)

// loadData returns the digits that -data names. The progress of a download
// goes to w.
func loadData(ctx context.Context, source string, seed uint64, w io.Writer) (train, test *mnist.Dataset, err error) {
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
	var progress *output.Progress
	end := func() {
		if progress != nil {
			progress.End()
		}
	}
	defer func() { end() }()
	return fetch.MNIST(ctx, dir, fetch.Options{Progress: func(name string, done, total int64) {
		if name != file {
			end()
			file, progress = name, output.NewProgress(w, name, "bytes", 0, total)
		}
		progress.Set(done, fmt.Sprintf("%.1f MB", float64(done)/1e6))
	}})
}
