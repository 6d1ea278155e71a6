// Package watch shows a comparison in the terminal while it goes on: for each
// solver the accuracy as a line of blocks, the scale, and where the gains are.
package watch

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"golang.org/x/term"
)

// View is a few lines at the bottom of a terminal, drawn over and over.
type View struct {
	w       io.Writer
	columns func() int
	lines   int // that stand there
	start   time.Time
	drawn   time.Time
	from    int // steps that were done before
}

// between is the time between two drawings.
const between = 200 * time.Millisecond

// New returns a view on a terminal, of a comparison that begins after so many
// steps; nil if w is none.
func New(w io.Writer, from int) *View {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return newView(w, from, func() int {
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil || columns < 1 {
			return 80
		}
		return columns
	})
}

func newView(w io.Writer, from int, columns func() int) *View {
	return &View{w: w, columns: columns, start: time.Now(), from: from}
}

// Show draws the view after a step, if it is time to. angle is the step's, in
// degrees.
func (v *View) Show(h *history.History, done, steps int, angle float64) {
	if time.Since(v.drawn) < between && done < steps {
		return
	}
	v.drawn = time.Now()
	spent := time.Since(v.start)
	left := time.Duration(float64(spent) / float64(done-v.from) * float64(steps-done))
	v.draw(append([]string{fmt.Sprintf("step %d of %d, %.0f°, %v left", done, steps, angle, left.Round(time.Second))}, rows(h)...))
}

// draw puts lines over those that stand there. None is as wide as the terminal:
// one that wraps would be two.
func (v *View) draw(lines []string) {
	var b strings.Builder
	b.WriteString(v.erasure())
	columns := v.columns()
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= columns {
			line = string(runes[:columns-1])
		}
		b.WriteString(line + "\n")
	}
	v.lines = len(lines)
	io.WriteString(v.w, b.String())
}

// erasure takes the view off the terminal.
func (v *View) erasure() string {
	if v.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", v.lines)
}

// Write writes text that is to stay, such as a warning, above the view.
func (v *View) Write(text []byte) (int, error) {
	if _, err := io.WriteString(v.w, v.erasure()); err != nil {
		return 0, err
	}
	v.lines = 0
	return v.w.Write(text)
}

// rows is a line for each solver.
func rows(h *history.History) []string {
	name := 0
	for _, s := range h.Solvers {
		name = max(name, utf8.RuneCountInString(s.Name))
	}
	var lines []string
	for _, s := range h.Solvers {
		line := fmt.Sprintf("%s%s  %s", s.Name, strings.Repeat(" ", name-utf8.RuneCountInString(s.Name)), spark(s.Accuracy.Mean))
		if n := len(s.Accuracy.Mean); n > 0 {
			line += fmt.Sprintf(" %3.0f%%", 100*mean(s.Accuracy.Mean[max(0, n-10):]))
		}
		if n := len(s.Scale.Mean); n > 0 {
			line += fmt.Sprintf("  scale %-9.3g", s.Scale.Mean[n-1])
		}
		if least, greatest, ok := gains(s); ok {
			line += fmt.Sprintf("  gains %.2f to %.2f", least, greatest)
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// gains are between which most gains are: of all parameters the least quantile
// and the greatest.
func gains(s *history.Solver) (least, greatest float64, ok bool) {
	least, greatest = math.Inf(1), math.Inf(-1)
	for _, p := range s.Parameters {
		low, high := p.Gains[0].Mean, p.Gains[len(p.Gains)-1].Mean
		if n := len(low); n > 0 {
			least, greatest, ok = min(least, low[n-1]), max(greatest, high[n-1]), true
		}
	}
	return least, greatest, ok
}

const (
	width  = 32 // columns of a line of blocks
	blocks = "▁▂▃▄▅▆▇█"
)

// spark is a line of blocks for numbers from 0 to 1, each the mean of as many.
func spark(xs []float64) string {
	levels := []rune(blocks)
	line := make([]rune, 0, width)
	n := min(width, len(xs))
	for i := range n {
		level := int(mean(xs[i*len(xs)/n:(i+1)*len(xs)/n]) * float64(len(levels)))
		line = append(line, levels[min(max(level, 0), len(levels)-1)])
	}
	return string(line) + strings.Repeat(" ", width-len(line))
}

// mean is 0 where there is no number.
func mean(xs []float64) float64 {
	sum, n := 0.0, 0
	for _, x := range xs {
		if !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	return sum / math.Max(1, float64(n))
}
