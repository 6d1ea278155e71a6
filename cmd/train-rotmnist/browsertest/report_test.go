package browsertest

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
	"github.com/seed1e560811/funnel/mnist"
)

// job is a comparison and its report.
type job struct {
	setup  *experiment.Setup
	specs  []spec.Spec
	report *report.Report
}

// jobOf is of a small network, for some steps at each of two angles.
func jobOf(t *testing.T, list string, steps int) *job {
	t.Helper()
	specs, err := spec.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	angles := []float64{0, 60}
	schedule, err := mnist.Jumps(angles, steps)
	if err != nil {
		t.Fatal(err)
	}
	digits := mnist.Synthetic(200, 1)
	protocol := results.Protocol{Data: "synthetic", Steps: steps, Batch: 16, Angles: angles, Hidden: []int{10}, Parameters: 7960}
	return &job{
		setup: &experiment.Setup{Train: digits, Test: digits, Schedule: schedule, Batch: 16, NewNetwork: experiment.MLP([]int{10}), Seed: 1},
		specs: specs,
		report: report.New(&report.Description{
			Protocol: protocol, Args: []string{"-solvers", list}, Seed: 1, Schedule: schedule, Solvers: specs, Digits: digits,
		}),
	}
}

// run trains, and gives every step to observe.
func (j *job) run(t *testing.T, observe func([]*experiment.Step)) (rows []results.Row) {
	t.Helper()
	c := experiment.New(j.setup)
	defer c.Close()
	var runs []*experiment.Run
	for _, spec := range j.specs {
		r, err := c.Add(spec.Text, spec.New())
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if err := c.Train(context.Background(), func(steps []*experiment.Step) error { observe(steps); return nil }); err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		rows = append(rows, output.NewRow(j.specs[i], r.Result()))
	}
	return rows
}

// file writes the report and returns its address.
func (j *job) file(t *testing.T, h *history.History, rows []results.Row) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := report.Progress{Step: j.setup.Schedule.Steps(), State: report.Finished}
	if err := j.report.Write(f, h, rows, p); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// Words of a page.
const (
	values = `[...document.querySelectorAll("#compared figure .values")].map(v => v.textContent)`
	cursor = `document.getElementById("cursor").textContent`
	ticks  = `document.querySelector("#compared .plot").getAttribute("aria-label")`
)

func TestTheReportHasTheRunAndAsksForNothing(t *testing.T) {
	j := jobOf(t, "funnel,adam", 60)
	h := new(history.History)
	var first []float64
	rows := j.run(t, func(steps []*experiment.Step) {
		h.Add(steps)
		if steps[0].Number == 0 {
			first = []float64{steps[0].Accuracy, steps[1].Accuracy, steps[0].Loss, steps[1].Loss}
		}
	})
	address := j.file(t, h, rows)
	p := open(t, address)
	p.run(chromedp.Focus("#compared .plot"), chromedp.KeyEvent(kb.Home)) // the first step
	if got := ask[string](p, cursor); got != "step 1 · 0°" {
		t.Errorf("the cursor is at %q", got)
	}
	read := ask[[]string](p, values)
	percent := func(x float64) float64 { return math.Round(1000*x) / 10 }
	if want := fmt.Sprintf("funnel %.1f%%adam %.1f%%", percent(first[0]), percent(first[1])); read[0] != want {
		t.Errorf("accuracy %q, want %q", read[0], want)
	}
	loss := fmt.Sprintf("funnel %.3gadam %.3g", first[2], first[3])
	if read[1] != loss {
		t.Errorf("loss %q, want %q; the charts' cursors move together", read[1], loss)
	}
	if table := ask[string](p, `document.getElementById("table").innerText`); !strings.Contains(table, output.Cells(rows)[1][1]) {
		t.Errorf("the table is %q", table)
	}
	if n := ask[int](p, `document.querySelectorAll("#parameters canvas").length`); n != 2 { // gains and step sizes of the chosen layer
		t.Errorf("%d charts of layers", n)
	}
	if n := ask[int](p, `[...document.querySelectorAll("canvas")].filter(c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.every(x => x === 0)).length`); n != 0 {
		t.Errorf("%d charts are empty", n)
	}
	if n := ask[int](p, `[...document.querySelectorAll(".digit")].filter(i => i.naturalWidth === 28).length`); n != 2 {
		t.Errorf("%d digits", n)
	}
	if len(p.requests) != 1 || p.requests[0] != address {
		t.Errorf("it asks for %q", p.requests)
	}
	p.quiet()
}

func TestTheTablesHaveWhatTheChartsShow(t *testing.T) {
	j := jobOf(t, "funnel,adam", 20)
	h := new(history.History)
	rows := j.run(t, h.Add)
	p := open(t, j.file(t, h, rows))
	p.run(chromedp.Focus("details:nth-of-type(1) summary"), chromedp.KeyEvent(kb.Enter))
	p.until(`document.querySelectorAll("#by-phase tbody tr").length === 4`)
	p.run(chromedp.Focus("details:nth-of-type(2) summary"), chromedp.KeyEvent(kb.Enter))
	p.until(`document.querySelectorAll("#by-layer tbody tr").length === 4`)
	last := h.Solvers[0].Parameters[0].Scale.Mean
	if text := ask[string](p, `document.querySelector("#by-layer tbody tr").children[3].textContent`); text != fmt.Sprintf("%.3g", last[len(last)-1]) {
		t.Errorf("the scale of w1 is %q, not %v", text, last)
	}
	p.quiet()
}

func TestSolversAreSwitchedOffAndOnWithTheKeyboard(t *testing.T) {
	j := jobOf(t, "funnel,adam", 20)
	h := new(history.History)
	p := open(t, j.file(t, h, j.run(t, h.Add)))
	p.run(chromedp.Focus("#solvers input"), chromedp.KeyEvent(" "))
	if got := ask[[]string](p, values); strings.Contains(got[0], "funnel") || !strings.Contains(got[0], "adam") {
		t.Errorf("without funnel: %q", got)
	}
	p.run(chromedp.KeyEvent(" "))
	if got := ask[[]string](p, values); !strings.Contains(got[0], "funnel") {
		t.Errorf("with it again: %q", got)
	}
	p.quiet()
}

// shown is the steps at the ends of the charts.
func shown(p *page) (first, last int) {
	p.t.Helper()
	step := func(key string) (n int) {
		p.run(chromedp.Focus("#compared .plot"), chromedp.KeyEvent(key))
		fmt.Sscanf(ask[string](p, cursor), "step %d", &n)
		return n
	}
	return step(kb.Home), step(kb.End)
}

func TestAllChartsZoomTogether(t *testing.T) {
	j := jobOf(t, "funnel,adam", 50)
	h := new(history.History)
	p := open(t, j.file(t, h, j.run(t, h.Add)), chromedp.EmulateViewport(1280, 2000))
	if first, last := shown(p); first != 1 || last != 100 {
		t.Errorf("at first steps %d to %d are shown", first, last)
	}
	var box []float64 // of the second chart
	p.run(chromedp.Evaluate(`(r => [r.left, r.top, r.width, r.height])(document.querySelectorAll(".u-over")[1].getBoundingClientRect())`, &box))
	y := box[1] + box[3]/2
	p.run(chromedp.MouseEvent("mousePressed", box[0]+box[2]/4, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent("mouseMoved", box[0]+box[2]/3, y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseMoved", box[0]+box[2]/2, y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", box[0]+box[2]/2, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	if first, last := shown(p); math.Abs(float64(first)-26) > 1 || math.Abs(float64(last)-50) > 1 {
		t.Errorf("a quarter to a half of the second chart was dragged over, and the first shows steps %d to %d", first, last)
	}
	p.run(chromedp.MouseClickXY(box[0]+20, y, chromedp.ClickCount(2)))
	if first, last := shown(p); first != 1 || last != 100 {
		t.Errorf("after a double-click steps %d to %d are shown", first, last)
	}
	p.run(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent("+"))
	if first, last := shown(p); first != 1 || last > 60 {
		t.Errorf("after + steps %d to %d are shown", first, last)
	}
	p.run(chromedp.Click(`[data-zoom="all"]`))
	if _, last := shown(p); last != 100 {
		t.Errorf("after the button steps up to %d are shown", last)
	}
	p.quiet()
}

func TestTheReportFitsItsScreen(t *testing.T) {
	j := jobOf(t, "funnel,funneladam,adam:lr=0.003,momentum:lr=0.1,augment:inner=rmsprop:scope=parameter", 30)
	h := new(history.History)
	address := j.file(t, h, j.run(t, h.Add))
	for _, width := range []int64{1280, 390} {
		for _, dark := range []bool{false, true} {
			p := open(t, address, screen(width, 844, dark))
			if n := ask[int64](p, `document.documentElement.scrollWidth`); n != width {
				wide := ask[[]string](p, `[...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + "." + e.className)`)
				t.Errorf("the page is %d wide on a screen of %d: %q", n, width, wide)
			}
			if n := ask[float64](p, `Math.max(...[...document.querySelectorAll("#table tr")].map(r => r.offsetHeight))`); n > 100 {
				t.Errorf("a row of the table is %v high on a screen of %d", n, width)
			}
			if *shots != "" {
				p.shoot(fmt.Sprintf("%d-dark-%v", width, dark))
			}
			p.quiet()
		}
	}
}

// seriesOf has as many points as there can be of these values.
func seriesOf(width, count int) history.Series {
	s := history.Series{Width: width, Values: count}
	for i := range (count + width - 1) / width {
		x := 0.93 + 0.02*math.Sin(float64(i)*float64(i))
		if i%31 == 0 {
			x = 0.6
		}
		s.Mean, s.Min, s.Max = append(s.Mean, x), append(s.Min, x-0.07), append(s.Max, x+0.03)
	}
	return s
}

// How long it takes is in the log: 1 s on two busy cores.
func TestALongReportOfManySolversOpens(t *testing.T) {
	const steps = 100_000
	h := new(history.History)
	var list []string
	for i := range 20 {
		list = append(list, fmt.Sprintf("funnel:lr=%d", i+1))
		s := &history.Solver{Name: list[i], Accuracy: seriesOf(64, steps), Loss: seriesOf(64, steps), Scale: seriesOf(32, steps/history.Every)}
		for _, name := range []string{"w1", "b1", "w2", "b2", "w3", "b3"} {
			p := &history.Parameter{Name: name, Shape: []int{10}, Scale: s.Scale}
			for k := range p.Gains {
				p.Gains[k] = s.Scale
			}
			s.Parameters = append(s.Parameters, p)
		}
		h.Solvers = append(h.Solvers, s)
	}
	j := jobOf(t, strings.Join(list, ","), steps/2)
	address := j.file(t, h, nil)
	p := open(t, address, screen(1280, 844, false))
	if n := ask[int](p, `document.querySelectorAll("canvas").length`); n != 6 {
		t.Errorf("%d charts", n)
	}
	if read := ask[string](p, ticks); !strings.Contains(read, "funnel:lr=20: first 60.0%") {
		t.Errorf("the chart is said to be %q", read)
	}
	info, err := os.Stat(strings.TrimPrefix(address, "file://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB open in %.0f ms", float64(info.Size())/1e6, ask[float64](p, `performance.getEntriesByType("navigation")[0].loadEventEnd`))
	p.quiet()
}
