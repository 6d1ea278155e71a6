// Package progress shows how far a long task is.
package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows how far a task is: on a terminal as a bar with the rate and the
// time left, elsewhere as a line every ten seconds. It belongs to one goroutine
// at a time.
type Bar struct {
	w     io.Writer
	name  string
	total int64
	from  int64                    // parts that were done before the task began
	bar   *progressbar.ProgressBar // nil where w is no terminal

	start, printed time.Time
}

// between is the least time between two lines.
const between = 10 * time.Second

// New begins to show a task on w. Its name stands first, and units is what its
// parts are called. from of the total parts were done before the task began; a
// total of -1 is unknown.
func New(w io.Writer, name, units string, from, total int64) *Bar {
	p := &Bar{w: w, name: name, total: total, from: from, start: time.Now(), printed: time.Now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(name),
			progressbar.OptionSetItsString(units),
			progressbar.OptionShowIts(), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
	}
	return p
}

// Set shows that done parts are done, with a note about them.
func (p *Bar) Set(done int64, note string) {
	switch {
	case p.bar != nil:
		p.bar.Describe(p.name + " " + note)
		p.bar.Set64(done)
	case time.Since(p.printed) >= between && done > p.from:
		p.printed = time.Now()
		if p.total < 0 {
			fmt.Fprintf(p.w, "%s: %s\n", p.name, note)
			return
		}
		spent := time.Since(p.start)
		left := time.Duration(float64(spent) / float64(done-p.from) * float64(p.total-done))
		fmt.Fprintf(p.w, "%s: %d of %d, %s, %v left\n", p.name, done, p.total, note, left.Round(time.Second))
	}
}

// End removes a bar that did not reach its end.
func (p *Bar) End() {
	if p.bar != nil && !p.bar.IsFinished() {
		p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}
