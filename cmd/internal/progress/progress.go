// Package progress shows how far a long task is.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Bar shows how far a task is: on a terminal as a line that is redrawn, elsewhere as
// a new line every ten seconds. It belongs to one goroutine at a time.
type Bar struct {
	w           io.Writer
	name, units string
	total       int64
	from        int64      // parts done before the task began
	columns     func() int // of the terminal; nil if w is none

	start, printed time.Time
}

const (
	between  = 10 * time.Second       // the least time between two lines
	redrawn  = 100 * time.Millisecond // the least time between two drawings
	erase    = "\r\x1b[K"             // goes to the beginning of the line and clears it
	mostBar  = 40                     // characters of the bar
	leastBar = 8
)

// New starts a bar on w. name stands first, and units is what the task's parts are
// called. from of the total parts were done before; a total of -1 is unknown.
func New(w io.Writer, name, units string, from, total int64) *Bar {
	p := &Bar{w: w, name: name, units: units, total: total, from: from, start: time.Now(), printed: time.Now()}
	if f := Terminal(w); f != nil {
		p.columns = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns < 1 {
				return 80
			}
			return columns
		}
		p.printed = time.Time{}
	}
	return p
}

// Terminal returns the terminal that w writes to; nil if it is none, or cannot
// redraw lines (TERM=dumb).
func Terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) || !enable(f) {
		return nil
	}
	return f
}

// Set shows that done parts are done, with a note about them.
func (p *Bar) Set(done int64, note string) {
	switch {
	case p.columns != nil:
		if time.Since(p.printed) >= redrawn {
			p.printed = time.Now()
			io.WriteString(p.w, erase+p.line(done, note, p.columns()-1))
		}
	case time.Since(p.printed) >= between && done > p.from:
		p.printed = time.Now()
		if p.total < 0 {
			fmt.Fprintf(p.w, "%s: %s\n", p.name, note)
			return
		}
		fmt.Fprintf(p.w, "%s: %d of %d, %s, %v left\n", p.name, done, p.total, note, p.left(done))
	}
}

// left estimates how long the parts that are left will take.
func (p *Bar) left(done int64) time.Duration {
	spent := time.Since(p.start)
	return time.Duration(float64(spent) / float64(done-p.from) * float64(p.total-done)).Round(time.Second)
}

// line returns the terminal's line, of at most width characters: the name and the
// percentage; then, as far as they fit, the time left, the note, the number of parts
// and a bar.
func (p *Bar) line(done int64, note string, width int) string {
	text := p.name
	if p.total > 0 {
		text += fmt.Sprintf(" %3d%%", 100*done/p.total)
	}
	add := func(more string) {
		if more != "" && utf8.RuneCountInString(text)+len(", ")+utf8.RuneCountInString(more) <= width {
			text += ", " + more
		}
	}
	if p.total > 0 && done > p.from {
		add(fmt.Sprintf("%v left", p.left(done)))
	}
	add(note)
	if p.total > 0 && p.units != "" {
		add(fmt.Sprintf("%d of %d %s", done, p.total, p.units))
	}
	if room := min(mostBar, width-utf8.RuneCountInString(text)-1); p.total > 0 && room >= leastBar {
		full := int(int64(room) * min(done, p.total) / p.total)
		text += " " + strings.Repeat("█", full) + strings.Repeat("░", room-full)
	}
	if runes := []rune(text); len(runes) > width {
		text = string(runes[:max(0, width)])
	}
	return text
}

// End removes the line.
func (p *Bar) End() {
	if p.columns != nil {
		io.WriteString(p.w, erase)
	}
}
