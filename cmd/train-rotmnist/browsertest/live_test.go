package browsertest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
)

const status = `document.getElementById("status").textContent`

// served is a job under way, and the server of its page.
type served struct {
	*job
	server *live.Server
	done   int
	hurry  atomic.Bool   // to the end
	ended  chan struct{} // closed when the job is
}

// serve trains slowly and serves the page.
func serve(t *testing.T, list string) *served {
	t.Helper()
	s := &served{job: jobOf(t, list, 300), ended: make(chan struct{})}
	var err error
	if s.server, err = live.New("127.0.0.1:0", s.report, s.setup.Schedule.Steps()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.hurry.Store(true)
		<-s.ended
		s.server.Close()
	})
	go func() {
		defer close(s.ended)
		h := new(history.History)
		rows := s.run(t, func(steps []*experiment.Step) {
			h.Add(steps)
			s.done++
			s.server.Observe(s.done, h, func() []results.Row { return nil })
			for wait := 0; wait < 20 && !s.hurry.Load(); wait++ {
				time.Sleep(5 * time.Millisecond)
			}
		})
		s.server.Finish(s.done, h, rows)
	}()
	return s
}

// lengthOf is how many steps the accuracy's chart is said to have.
const lengthOf = `Number(/over (\d+) step/.exec((document.querySelector("#compared .plot") || document.body).getAttribute("aria-label") || "")?.[1] || 0)`

func TestTheLivePageFillsAndStaysWhenItsServerEnds(t *testing.T) {
	s := serve(t, "funnel,adam")
	p := open(t, s.server.URL(), screen(1280, 844, false))
	p.until(lengthOf + ` > 0`)
	before := ask[int](p, lengthOf)
	if got := ask[string](p, status); !strings.HasPrefix(got, "step ") || !strings.Contains(got, "of 600") {
		t.Errorf("the status is %q", got)
	}
	p.run(chromedp.Click(`[data-zoom="in"]`))
	if *shots != "" {
		p.shoot("live")
	}
	p.run(chromedp.Evaluate(`window.seen = `+lengthOf, nil))
	p.until(lengthOf + ` > window.seen`)
	if n := ask[int](p, lengthOf); n <= before {
		t.Errorf("%d steps, after %d", n, before)
	}
	s.hurry.Store(true)
	<-s.ended
	if err := s.server.Close(); err != nil {
		t.Error(err)
	}
	p.until(status + ` === "finished: 600 steps"`)
	p.run(chromedp.Click(`[data-zoom="all"]`), chromedp.Click("#solvers input"))
	if got := ask[[]string](p, values); strings.Contains(got[0], "funnel") || !strings.Contains(got[0], "adam") {
		t.Errorf("the charts of a page without a server: %q", got)
	}
	if rows := ask[int](p, `document.querySelectorAll("#table tbody tr").length`); rows != 2 {
		t.Errorf("the table has %d rows", rows)
	}
	for _, r := range p.requests {
		if !strings.HasPrefix(r, s.server.URL()) {
			t.Errorf("it asks for %s", r)
		}
	}
	p.quiet()
}

func TestThePageSaysWhenItsServerIsGone(t *testing.T) {
	s := serve(t, "funnel")
	p := open(t, s.server.URL())
	p.until(lengthOf + ` > 0`)
	s.server.Close()
	p.until(status + `.startsWith("The connection was lost")`)
	if ask[int](p, lengthOf) == 0 {
		t.Error("the charts are gone")
	}
}
