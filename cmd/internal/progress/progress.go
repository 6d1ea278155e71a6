package output

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how far a task is: as a bar with rate and time left on a
// terminal, as a line now and then elsewhere.
type Progress struct {
	w     io.Writer
	name  string
	total int64
	from  int64                    // what was done before
	bar   *progressbar.ProgressBar // nil where w is no terminal

	start, spoken time.Time
}

// between is the time between two lines.
const between = 10 * time.Second

// NewProgress begins to show a task of so many parts, called units; -1 if
// nobody knows how many. So many of them were done before.
func NewProgress(w io.Writer, name, units string, from, total int64) *Progress {
	p := &Progress{w: w, name: name, total: total, from: from, start: time.Now(), spoken: time.Now()}
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

// Set says how much is done, and something about it.
func (p *Progress) Set(done int64, note string) {
	switch {
	case p.bar != nil:
		p.bar.Describe(p.name + " " + note)
		p.bar.Set64(done)
	case time.Since(p.spoken) >= between && done > p.from:
		p.spoken = time.Now()
		if p.total < 0 {
			fmt.Fprintf(p.w, "%s: %s\n", p.name, note)
			return
		}
		spent := time.Since(p.start)
		left := time.Duration(float64(spent) / float64(done-p.from) * float64(p.total-done))
		fmt.Fprintf(p.w, "%s: %d of %d, %s, %v left\n", p.name, done, p.total, note, left.Round(time.Second))
	}
}

// End takes a bar that did not reach its end off the line.
func (p *Progress) End() {
	if p.bar != nil && !p.bar.IsFinished() {
		p.bar.Exit()
		fmt.Fprintln(p.w)
	}
}
