// Package browsertest opens the report in a real browser.
package browsertest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	shots    = flag.String("shots", "", "write screenshots to this `directory`")
	allocate context.Context // where browsers are started; nil if there is none
)

func TestMain(m *testing.M) {
	flag.Parse()
	options := chromedp.DefaultExecAllocatorOptions[:]
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		options = append(options, chromedp.ExecPath(path))
		if os.Getuid() == 0 {
			options = append(options, chromedp.NoSandbox) // root has none
		}
		ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
		browser, stop := chromedp.NewContext(ctx)
		if err := chromedp.Run(browser); err != nil { // pages are tabs of this one
			fmt.Fprintf(os.Stderr, "%s does not start: %v\n", path, err)
			os.Exit(1)
		}
		allocate = browser
		code := m.Run()
		stop()
		cancel()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// page is a page in a tab, and all that it complained of and asked for.
type page struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// open opens an address in a new tab.
func open(t *testing.T, address string, before ...chromedp.Action) *page {
	t.Helper()
	if allocate == nil {
		t.Skip("there is no browser; install Chromium, on Debian with apt-get install chromium")
	}
	tab, close := chromedp.NewContext(allocate)
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	t.Cleanup(func() { cancel(); close() })
	p := &page{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.hear)
	actions := append([]chromedp.Action{log.Enable(), network.Enable()}, before...)
	p.run(append(actions, chromedp.Navigate(address))...)
	return p
}

func (p *page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.complaints = append(p.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		p.complaints = append(p.complaints, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		p.complaints = append(p.complaints, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			p.requests = append(p.requests, e.Request.URL)
		}
	}
}

func (p *page) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// ask evaluates an expression.
func ask[T any](p *page, expression string) (answer T) {
	p.t.Helper()
	p.run(chromedp.Evaluate(expression, &answer))
	return answer
}

// until waits for an expression to become true.
func (p *page) until(expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ask[bool](p, expression); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("never: %s; the status is %q", expression, ask[string](p, `document.getElementById("status").textContent`))
		}
	}
}

// quiet fails the test if the page complained.
func (p *page) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.complaints {
		p.t.Errorf("the page complains: %s", c)
	}
}

// screen is the size of a window, and whether it is dark.
func screen(width, height int64, dark bool) chromedp.Action {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.Tasks{
		chromedp.EmulateViewport(width, height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	}
}

// shoot writes a picture of the whole page.
func (p *page) shoot(name string) {
	p.t.Helper()
	var png []byte
	p.run(chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
