package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestMissingFilesAreFetchedOnceAndThenKept(t *testing.T) {
	good := newMirror(t, serve)
	dir := filepath.Join(t.TempDir(), "made", "on", "the", "way")
	for call := range 2 {
		if err := fetchAll(t.Context(), dir, testManifest, good.options()); err != nil {
			t.Fatal(err)
		}
		checkComplete(t, dir)
		if got := good.requests.Load(); got != int64(len(testManifest)) {
			t.Errorf("%d requests after call %d, want %d", got, call, len(testManifest))
		}
	}
}

func TestOnlyTheDamagedFileIsFetchedAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content []byte
	}{
		{"empty", nil},
		{"cut short", testFiles["a.gz"][:100]},
		{"another file", testFiles["b.gz"]},
		{"not gzipped", pattern(5000)},
		{"followed by other bytes", append(bytes.Clone(testFiles["a.gz"]), 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good := newMirror(t, serve)
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.gz"), tt.content)
			write(t, filepath.Join(dir, "b.gz"), testFiles["b.gz"])
			if err := fetchAll(t.Context(), dir, testManifest, good.options()); err != nil {
				t.Fatal(err)
			}
			checkComplete(t, dir)
			if got := good.requests.Load(); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
		})
	}
}

// faults are the ways in which a mirror can fail, and what the error says.
var faults = []struct {
	name   string
	handle http.HandlerFunc
	want   string
}{
	{"404", http.NotFound, "it answers 404 Not Found"},
	{"connection cut half way", cutHalfWay, "cut off after"},
	{"no answer at all", abort, "EOF"},
	{"web page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<!DOCTYPE html>\n<p>log in first") }, "not a gzip file"},
	{"gzip of something else", respond(zipped(pattern(4999))), "content is not what was published"},
	{"gzip cut short", respond(testFiles["a.gz"][:100]), "damaged gzip file"},
	{"gzip bomb", respond(zipped(make([]byte, 1<<20))), "content is longer than the 5000 bytes"},
	{"endless body", endless, "longer than"},
	{"redirect to http", redirectToHTTP, "not https"},
	{"redirects without end", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirects more than 10 times"},
}

func TestTheSecondMirrorStandsInForTheFirst(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			bad, good := newMirror(t, tt.handle), newMirror(t, serve)
			opts := good.options()
			opts.Mirrors = []string{bad.URL, good.URL}
			dir := t.TempDir()
			if err := fetchAll(t.Context(), dir, testManifest, opts); err != nil {
				t.Fatal(err)
			}
			checkComplete(t, dir)
			if bad.requests.Load() == 0 {
				t.Error("the first mirror was not asked")
			}
		})
	}
}

func TestWithoutAGoodMirrorOneSentenceSaysWhyAndWhatToDo(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			bad, gone := newMirror(t, tt.handle), newMirror(t, http.NotFound)
			opts := bad.options()
			opts.Mirrors = []string{bad.URL, gone.URL}
			dir := t.TempDir()
			err := fetchAll(t.Context(), dir, testManifest, opts)
			checkSentence(t, err, "a.gz: no mirror gave it", bad.URL+": ", tt.want, gone.URL+": it answers 404",
				"get a.gz, b.gz by hand and put them into "+dir+", or into any directory and name it with -data DIR")
			checkHolds(t, dir)
		})
	}
}

func TestEachTimeLimitEndsARequestAndIsNamed(t *testing.T) {
	const limit = 150 * time.Millisecond
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
		set    func(*Options)
		want   string
	}{
		{"no headers", stall, func(o *Options) { o.HeaderTimeout = limit }, "no answer within 150ms"},
		{"stall half way", stallHalfWay, func(o *Options) { o.StallTimeout = limit }, "not a byte for 150ms"},
		{"trickle", trickle, func(o *Options) { o.FileTimeout = limit }, "not complete after 150ms"},
	} {
		for _, httpVersion := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s over HTTP/%d", tt.name, httpVersion), func(t *testing.T) {
				slow := startMirror(t, tt.handle, httpVersion)
				opts := slow.options()
				tt.set(&opts)
				dir := t.TempDir()
				err := fetchAll(t.Context(), dir, testManifest, opts)
				checkSentence(t, err, slow.URL+": "+tt.want+")")
				checkHolds(t, dir)
			})
		}
	}
}

func TestAnEmptyAnswerToARequestThatALimitEndedIsNotTakenForAFile(t *testing.T) {
	late := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})}
	err := fetchAll(t.Context(), t.TempDir(), testManifest, Options{Mirrors: []string{"https://late.test"}, Client: late, HeaderTimeout: time.Millisecond})
	checkSentence(t, err, "https://late.test: no answer within 1ms)")
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestAFailedFetchLeavesTheOldFileAsItWas(t *testing.T) {
	bad := newMirror(t, cutHalfWay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.gz"), []byte("old"))
	err := fetchAll(t.Context(), dir, testManifest, bad.options())
	checkSentence(t, err, "cut off after")
	checkHolds(t, dir, "a.gz")
	if got, _ := os.ReadFile(filepath.Join(dir, "a.gz")); string(got) != "old" {
		t.Errorf("the old file now holds %q", got)
	}
}

func TestAMirrorWithoutHTTPSIsRefusedUnasked(t *testing.T) {
	good := newMirror(t, serve)
	for _, mirror := range []string{"http://example.org/", "ftp://example.org/", "example.org", "https:///mnist", "https://%"} {
		t.Run(mirror, func(t *testing.T) {
			opts := good.options()
			opts.Mirrors = append(opts.Mirrors, mirror)
			err := fetchAll(t.Context(), t.TempDir(), testManifest, opts)
			checkSentence(t, err, strconv.Quote(mirror), "name one that begins with https://")
		})
	}
	if got := good.requests.Load(); got != 0 {
		t.Errorf("%d requests, want none", got)
	}
}

func TestTheClientsOwnRedirectPolicyCountsToo(t *testing.T) {
	bad := newMirror(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	})
	opts := bad.options()
	opts.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	err := fetchAll(t.Context(), t.TempDir(), testManifest, opts)
	checkSentence(t, err, "it answers 302 Found")
}

func TestCancellingStopsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		handle http.HandlerFunc
	}{
		{"before the headers", stall},
		{"within the body", stallHalfWay},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := make(chan struct{}, 1)
			slow := newMirror(t, func(w http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				tt.handle(w, r)
			})
			opts := slow.options()
			opts.HeaderTimeout, opts.StallTimeout, opts.FileTimeout = time.Hour, time.Hour, time.Hour
			opts.Mirrors = []string{slow.URL, slow.URL}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-asked
				time.Sleep(50 * time.Millisecond) // lets the headers arrive
				cancel()
			}()
			dir := t.TempDir()
			err := fetchAll(ctx, dir, testManifest, opts)
			checkSentence(t, err, "a.gz", "stopped")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%q is not context.Canceled", err)
			}
			if got := slow.requests.Load(); got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
			checkHolds(t, dir)
		})
	}
}

func TestACancelledContextMakesNoRequest(t *testing.T) {
	good := newMirror(t, serve)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := fetchAll(ctx, t.TempDir(), testManifest, good.options())
	if !errors.Is(err, context.Canceled) || good.requests.Load() != 0 {
		t.Errorf("%d requests and the error %v", good.requests.Load(), err)
	}
}

func TestADirectoryThatCannotBeWrittenToCostsNoDownload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	readOnly := filepath.Join(t.TempDir(), "read-only")
	if err := os.Mkdir(readOnly, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, dir string }{
		{"read-only directory", readOnly},
		{"below a file", filepath.Join(file, "mnist")},
		{"a file", file},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dir == readOnly && os.Geteuid() == 0 {
				t.Skip("needs a user other than root, whom no mode stops")
			}
			good := newMirror(t, serve)
			err := fetchAll(t.Context(), tt.dir, testManifest, good.options())
			checkSentence(t, err, "a.gz: cannot be stored in "+tt.dir, "name another directory")
			if got := good.requests.Load(); got != 0 {
				t.Errorf("%d requests, want none", got)
			}
		})
	}
}

func TestANameThatIsTakenByADirectoryIsAnError(t *testing.T) {
	good := newMirror(t, serve)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.gz", "inside"), nil)
	err := fetchAll(t.Context(), dir, testManifest, good.options())
	checkSentence(t, err, "a.gz: cannot be stored in "+dir)
	checkHolds(t, dir, "a.gz")
}

func TestProgressEndsWithTheWholeFile(t *testing.T) {
	good := newMirror(t, serve)
	opts := good.options()
	last := map[string][2]int64{}
	opts.Progress = func(file string, done, total int64) {
		if done < last[file][0] {
			t.Errorf("%s went back from %d to %d bytes", file, last[file][0], done)
		}
		last[file] = [2]int64{done, total}
	}
	if err := fetchAll(t.Context(), t.TempDir(), testManifest, opts); err != nil {
		t.Fatal(err)
	}
	for name, data := range testFiles {
		if size := int64(len(data)); last[name] != [2]int64{size, size} {
			t.Errorf("%s ended at %d of %d bytes, want %d", name, last[name][0], last[name][1], size)
		}
	}
}

func TestASlowProgressFunctionIsNotAStall(t *testing.T) {
	const limit = 200 * time.Millisecond
	var stalled atomic.Bool
	body := &watchedReader{
		r:            strings.NewReader("a byte and more"),
		stall:        time.AfterFunc(time.Hour, func() { stalled.Store(true) }),
		stallTimeout: limit,
		progress:     func(int64) { time.Sleep(2 * limit) },
	}
	if _, err := body.Read(make([]byte, 1)); err != nil || stalled.Load() {
		t.Errorf("stalled: %v, error: %v", stalled.Load(), err)
	}
}

func TestAMirrorThatCompressesOnItsOwnChangesNothing(t *testing.T) {
	compressing := newMirror(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip") // which has the client unpack the file
		}
		serve(w, r)
	})
	dir := t.TempDir()
	if err := fetchAll(t.Context(), dir, testManifest, compressing.options()); err != nil {
		t.Fatal(err)
	}
	checkComplete(t, dir)
}

func TestTheManifestIsWhatIsPublished(t *testing.T) {
	dir := os.Getenv("FUNNEL_MNIST")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "shared", "mnist")
	}
	if _, err := os.Stat(filepath.Join(dir, manifest[0].name)); err != nil {
		t.Skip("needs the four real MNIST files, gzipped: name their directory in FUNNEL_MNIST")
	}
	good := newMirror(t, serve)
	if err := MNIST(t.Context(), dir, good.options()); err != nil {
		t.Error(err)
	}
	if got := good.requests.Load(); got != 0 {
		t.Errorf("%d requests, want none", got)
	}
}

func TestTheCacheIsTheUsersOwn(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", base)
	t.Setenv("HOME", base)
	t.Setenv("LocalAppData", base)
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(dir, base) || !strings.HasSuffix(dir, filepath.Join("funnel", "mnist")) {
		t.Errorf("the cache is %s", dir)
	}
}

// The files of the tests: large enough for many writes, small enough to be quick.
var (
	testContents = map[string][]byte{"a.gz": pattern(5000), "b.gz": pattern(300)}
	testFiles    = map[string][]byte{"a.gz": zipped(pattern(5000)), "b.gz": zipped(pattern(300))}
	testManifest = []file{describe("a.gz"), describe("b.gz")}
)

func describe(name string) file {
	content := testContents[name]
	return file{name, int64(len(content)), fmt.Sprintf("%x", sha256.Sum256(content))}
}

// pattern returns n bytes that do not compress.
func pattern(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func zipped(data []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(data)
	z.Close()
	return buf.Bytes()
}

// mirror counts the requests it gets.
type mirror struct {
	*httptest.Server
	requests atomic.Int64
}

func newMirror(t *testing.T, handle http.HandlerFunc) *mirror { return startMirror(t, handle, 1) }

func startMirror(t *testing.T, handle http.HandlerFunc, httpVersion int) *mirror {
	m := &mirror{}
	m.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		handle(w, r)
	}))
	m.EnableHTTP2 = httpVersion == 2
	m.StartTLS()
	t.Cleanup(m.Close)
	return m
}

// options has no short time limits, which a busy machine would exceed. Every
// test server has the same certificate, so the client of one trusts them all.
func (m *mirror) options() Options {
	return Options{Mirrors: []string{m.URL}, Client: m.Client()}
}

func serve(w http.ResponseWriter, r *http.Request) { respond(testFiles[path.Base(r.URL.Path)])(w, r) }

func respond(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data)
	}
}

func sendHalf(w http.ResponseWriter, r *http.Request) {
	data := testFiles[path.Base(r.URL.Path)]
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data[:len(data)/2])
	w.(http.Flusher).Flush()
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func cutHalfWay(w http.ResponseWriter, r *http.Request) {
	sendHalf(w, r)
	abort(w, r)
}

func stall(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func stallHalfWay(w http.ResponseWriter, r *http.Request) {
	sendHalf(w, r)
	stall(w, r)
}

func trickle(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		w.Write([]byte{0})
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		w.Write(make([]byte, 32<<10))
	}
}

func redirectToHTTP(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusFound)
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkComplete wants every file of the manifest as it was served.
func checkComplete(t *testing.T, dir string) {
	t.Helper()
	checkHolds(t, dir, "a.gz", "b.gz")
	for name, want := range testFiles {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not as it was served (%v)", name, err)
		}
	}
}

// checkHolds wants these names in dir and no others, hidden ones included.
func checkHolds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %v, want %v", dir, got, want)
	}
}

func checkSentence(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	message := err.Error()
	for _, want := range append(wants, "fetch: ") {
		if !strings.Contains(message, want) {
			t.Errorf("%q does not say %q", message, want)
		}
	}
	if strings.Contains(message, "\n") || strings.HasSuffix(message, ".") {
		t.Errorf("%q is not one sentence", message)
	}
}
