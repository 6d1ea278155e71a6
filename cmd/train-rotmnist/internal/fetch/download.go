package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// download returns what a mirror sends for f, unchecked.
func (f file) download(ctx context.Context, mirror string, opts Options) (gz []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, opts.FileTimeout,
		fmt.Errorf("not complete after %v", opts.FileTimeout))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// When one of our limits ends the request, the client's error depends on the
	// moment, and there may be none, as the server may still answer. The context's
	// cause says which limit it was.
	defer func() {
		if cause := context.Cause(ctx); cause != nil {
			gz, err = nil, cause
		}
	}()

	resp, err := f.request(ctx, stop, mirror, opts)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return f.readBody(resp, stop, opts)
}

// request returns a response as soon as its headers are there.
func (f file) request(ctx context.Context, stop context.CancelCauseFunc, mirror string, opts Options) (*http.Response, error) {
	address, err := url.JoinPath(mirror, f.name)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	// Without this header the client asks for compression and undoes it, possibly
	// with the compression of the file itself.
	req.Header.Set("Accept-Encoding", "identity")

	limit := time.AfterFunc(opts.HeaderTimeout, func() {
		stop(fmt.Errorf("no answer within %v", opts.HeaderTimeout))
	})
	defer limit.Stop()
	resp, err := opts.Client.Do(req)
	var withAddress *url.Error
	if errors.As(err, &withAddress) {
		err = withAddress.Err // the mirror is named already
	}
	return resp, err
}

func (f file) readBody(resp *http.Response, stop context.CancelCauseFunc, opts Options) ([]byte, error) {
	body := &watchedReader{r: resp.Body, stallTimeout: opts.StallTimeout}
	body.stall = time.AfterFunc(opts.StallTimeout, func() {
		stop(fmt.Errorf("not a byte for %v", opts.StallTimeout))
	})
	defer body.stall.Stop()
	if opts.Progress != nil {
		body.progress = func(done int64) { opts.Progress(f.name, done, resp.ContentLength) }
	}
	most := f.mostCompressed()
	gz, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return nil, fmt.Errorf("cut off after %d bytes (%w)", len(gz), err)
	}
	if int64(len(gz)) > most {
		return nil, fmt.Errorf("longer than %d bytes, which is more than the file can take", most)
	}
	return gz, nil
}

// mostCompressed is the greatest gzipped size: data that cannot be compressed grows
// by 5 bytes a block of some 16 KB, and gzip adds its header.
func (f file) mostCompressed() int64 { return f.size + f.size/1000 + 4096 }

// watchedReader lets the stall timer run only while a read waits, so that a slow
// progress function is not taken for a slow mirror.
type watchedReader struct {
	r            io.Reader
	stall        *time.Timer
	stallTimeout time.Duration
	progress     func(done int64) // may be nil
	done         int64
}

func (w *watchedReader) Read(p []byte) (int, error) {
	w.stall.Reset(w.stallTimeout)
	n, err := w.r.Read(p)
	w.stall.Stop()
	w.done += int64(n)
	if w.progress != nil {
		w.progress(w.done)
	}
	return n, err
}

// httpsOnly returns a client that differs from c in refusing redirects to
// anything but https.
func httpsOnly(c *http.Client) *http.Client {
	strict := *c
	strict.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Scheme != "https" {
			return fmt.Errorf("it redirects to %q, which is not https", req.URL.Redacted())
		}
		if c.CheckRedirect != nil {
			return c.CheckRedirect(req, via)
		}
		if len(via) >= 10 { // as net/http does without a CheckRedirect
			return errors.New("it redirects more than 10 times")
		}
		return nil
	}
	return &strict
}
