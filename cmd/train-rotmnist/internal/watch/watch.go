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
	w     io.Writer
	size  func() (columns, rows int)
	lines int // that stand there
	start time.Time
	drawn time.Time
	from  int // steps that were done before
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
	return newView(w, from, func() (columns, rows int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil || columns < 1 || rows < 1 {
			return 80, 24
		}
		return columns, rows
	})
}

func newView(w io.Writer, from int, size func() (columns, rows int)) *View {
	return &View{w: w, size: size, start: time.Now(), from: from}
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
	columns, _ := v.size()
	v.draw(append([]string{fmt.Sprintf("step %d of %d, %.0f°, %v left", done, steps, angle, left.Round(time.Second))}, rows(h, columns-1)...))
}

// draw puts lines over those that stand there. None is as wide as the terminal,
// for one that wraps would be two, and they are not as high: what has left the
// terminal at its top cannot be drawn over.
func (v *View) draw(lines []string) {
	var b strings.Builder
	b.WriteString(v.erasure())
	columns, high := v.size()
	lines = lines[:min(len(lines), max(1, high-1))]
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

// rows is a line for each solver. Where there are too few columns, the blocks
// leave room for the numbers.
func rows(h *history.History, columns int) []string {
	name := 0
	for _, s := range h.Solvers {
		name = max(name, utf8.RuneCountInString(s.Name))
	}
	var texts []string
	longest := 0
	for _, s := range h.Solvers {
		texts = append(texts, numbers(s))
		longest = max(longest, len(texts[len(texts)-1]))
	}
	width := min(mostBlocks, max(0, columns-name-2-longest))
	for i, s := range h.Solvers {
		pad := strings.Repeat(" ", name-utf8.RuneCountInString(s.Name))
		texts[i] = strings.TrimRight(s.Name+pad+"  "+spark(s.Accuracy.Mean, width)+texts[i], " ")
	}
	return texts
}

// numbers are what a solver has come to.
func numbers(s *history.Solver) (text string) {
	if n := len(s.Accuracy.Mean); n > 0 {
		text = fmt.Sprintf(" %3.0f%%", 100*mean(s.Accuracy.Mean[max(0, n-10):]))
	}
	if n := len(s.Scale.Mean); n > 0 {
		text += fmt.Sprintf("  scale %-9.3g", s.Scale.Mean[n-1])
	}
	if least, greatest, ok := gains(s); ok {
		text += fmt.Sprintf("  gains %.2f to %.2f", least, greatest)
	}
	return text
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
	mostBlocks = 32
	blocks     = "▁▂▃▄▅▆▇█"
)

// spark is a line of blocks for numbers from 0 to 1, each the mean of as many.
func spark(xs []float64, width int) string {
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
