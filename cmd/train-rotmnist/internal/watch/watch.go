// Package watch shows a comparison in the terminal while it goes on: for each
// solver the accuracy as a line of blocks, the scale, and where the gains are.
package watch

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"golang.org/x/term"
)

// View is a few lines at the bottom of a terminal that are redrawn.
type View struct {
	w          io.Writer
	size       func() (columns, rows int)
	drawnLines []int // characters in each line that was drawn last
	start      time.Time
	drawn      time.Time
	from       int // steps that were done before the view began
}

// between is the least time between two drawings.
const between = 200 * time.Millisecond

// New returns a view of a comparison that begins after from steps; nil if w is no
// terminal that can redraw lines.
func New(w io.Writer, from int) *View {
	f := progress.Terminal(w)
	if f == nil {
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

// Show draws the view after a step, if it is due. angle is the step's, in degrees.
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

// draw replaces the lines that were drawn last. No line is as wide as the terminal,
// since one that wraps would count as two, and there are fewer lines than rows,
// since lines that have left the terminal at its top cannot be redrawn.
func (v *View) draw(lines []string) {
	var b strings.Builder
	b.WriteString(v.erasure())
	v.drawnLines = v.drawnLines[:0]
	columns, high := v.size()
	lines = lines[:min(len(lines), max(1, high-1))]
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= columns {
			line = string(runes[:columns-1])
		}
		b.WriteString(line + "\n")
		v.drawnLines = append(v.drawnLines, utf8.RuneCountInString(line))
	}
	io.WriteString(v.w, b.String())
}

// erasure returns the control characters that remove the view. A terminal that has
// become narrower has wrapped its lines, and one that has become lower has room for
// only some of them.
func (v *View) erasure() string {
	if len(v.drawnLines) == 0 {
		return ""
	}
	columns, high := v.size()
	up := 0
	for _, n := range v.drawnLines {
		up += max(1, (n+columns-1)/columns)
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", max(1, min(up, high-1)))
}

// Write writes text above the view that stays there, such as a warning.
func (v *View) Write(text []byte) (int, error) {
	if _, err := io.WriteString(v.w, v.erasure()); err != nil {
		return 0, err
	}
	v.drawnLines = v.drawnLines[:0]
	return v.w.Write(text)
}

// rows returns a line for each solver. If there are few columns, the blocks shrink
// first.
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

// numbers returns the current accuracy, scale and gains of a solver.
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

// gains returns a range that has most gains: from the least low quantile of any
// parameter to the greatest high one.
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

// spark draws numbers from 0 to 1 as a line of blocks, each the mean of equally many.
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

// mean ignores NaN. It is 0 without numbers.
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
