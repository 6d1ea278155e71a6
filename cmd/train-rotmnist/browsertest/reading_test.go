package browsertest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

// opened is the page of a short run.
func opened(t *testing.T, list string, before ...chromedp.Action) *page {
	t.Helper()
	j := jobOf(t, list, 30)
	h := new(history.History)
	return open(t, j.file(t, h, j.run(t, h.Add)), before...)
}

func TestThePageBeginsWithWhatItShows(t *testing.T) {
	p := opened(t, "funnel,adam")
	if got := ask[string](p, `document.querySelector("h1").textContent`); got != "funnel and adam · seed 1" {
		t.Errorf("the title is %q", got)
	}
	if got := ask[string](p, `document.title`); got != "funnel and adam · seed 1 · train-rotmnist" {
		t.Errorf("the window's title is %q", got)
	}
	intro := ask[string](p, `document.getElementById("intro").textContent`)
	for _, want := range []string{"Each line is one solver", "dashed line", "scale s", "gain p", "look"} {
		if !strings.Contains(intro, want) {
			t.Errorf("%q does not say %q", intro, want)
		}
	}
	if got := ask[string](p, `document.querySelector("#intro a").href`); got != "https://github.com/seed1e560811/funnel#readme" {
		t.Errorf("the link is %s", got)
	}
	if got := ask[string](p, `document.querySelector("header").innerText`); strings.Contains(got, "SHA-256") {
		t.Errorf("the header has a digest: %q", got)
	}
	p.quiet()
}

func TestTheTitleOfManySolversIsWithoutTheirSettings(t *testing.T) {
	p := opened(t, "funnel,adam:lr=0.001,adam:lr=0.01,adam:lr=0.1,momentum:lr=0.1,momentum:lr=1")
	if got := ask[string](p, `document.querySelector("h1").textContent`); got != "funnel, adam and momentum · seed 1" {
		t.Errorf("the title is %q", got)
	}
}

func TestTheMeanStartsAnewAtAJump(t *testing.T) {
	j := jobOf(t, "funnel,adam", 30)
	h := new(history.History)
	var after []float64
	p := open(t, j.file(t, h, j.run(t, func(steps []*experiment.Step) {
		h.Add(steps)
		if steps[0].Number == 30 {
			after = []float64{steps[0].Accuracy, steps[1].Accuracy}
		}
	})))
	p.run(chromedp.Focus("#compared .plot"), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.PageDown), chromedp.KeyEvent(kb.PageDown), chromedp.KeyEvent(kb.PageDown))
	if got := ask[string](p, cursor); got != "step 31 · 60°" {
		t.Fatalf("the cursor is at %q", got)
	}
	// The mean of the first step is that step.
	percent := func(x float64) float64 { return math.Round(1000*x) / 10 }
	if got, want := ask[[]string](p, values)[0], fmt.Sprintf("funnel %.1f%%adam %.1f%%", percent(after[0]), percent(after[1])); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.quiet()
}

// inked counts the pixels of the first chart that are neither empty nor opaque: a
// band's, and the edges of lines.
const inked = `(c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0;
	for (let i = 3; i < d.length; i += 4) if (d[i] > 20 && d[i] < 80) n++; return n; })(document.querySelector("#compared canvas"))`

func TestOnlyTheSolverThatIsPointedAtHasABand(t *testing.T) {
	p := opened(t, "funnel,adam", screen(1280, 844, false))
	before := ask[int](p, inked)
	p.run(chromedp.Focus("#solvers input"))
	time.Sleep(100 * time.Millisecond)
	with := ask[int](p, inked)
	if *shots != "" {
		p.shoot("pointed")
	}
	p.run(chromedp.Blur("#solvers input"))
	time.Sleep(100 * time.Millisecond)
	if after := ask[int](p, inked); with < before+1000 || after > before+100 {
		t.Errorf("%d faint pixels, %d when funnel is pointed at, %d afterwards", before, with, after)
	}
}

func TestGainsAreThoseOfTheChosenLayerInWords(t *testing.T) {
	p := opened(t, "funnel")
	words := `document.querySelector("#parameters .values").textContent`
	first := ask[string](p, words)
	if !strings.HasPrefix(first, "half of the gains lie between ") || !strings.Contains(first, ", 98% between ") {
		t.Errorf("%q", first)
	}
	p.run(chromedp.Click("#layer label:nth-of-type(4) input"))
	if label := ask[string](p, `document.querySelector("#parameters .plot").getAttribute("aria-label")`); !strings.Contains(label, "b2: first") {
		t.Errorf("the chart is of %q", label)
	}
	if n := ask[int](p, `document.querySelectorAll("#parameters figure").length`); n != 3 {
		t.Errorf("%d figures", n)
	}
	p.quiet()
}

func TestNoLayerHasTheColourOfASolver(t *testing.T) {
	for _, dark := range []bool{false, true} {
		p := opened(t, "funnel,funneladam,adam,momentum", screen(1280, 844, dark))
		colours := `new Set([...document.querySelectorAll("%s .swatch line")].map(l => l.getAttribute("stroke")))`
		both := `[...` + fmt.Sprintf(colours, "#solvers") + `].filter(c => ` + fmt.Sprintf(colours, "#scales") + `.has(c)).length`
		if n := ask[int](p, both); n != 0 {
			t.Errorf("dark %v: %d colours are of both", dark, n)
		}
	}
}

func TestTheBestOfAColumnIsMarked(t *testing.T) {
	j := jobOf(t, "funnel,adam", 10)
	h := new(history.History)
	rows := j.run(t, h.Add)
	rows[0].Accuracy, rows[1].Accuracy = 0.5, 0.75
	rows[0].Recovery, rows[1].Recovery = 3, 7
	rows[0].Unrecovered, rows[1].Unrecovered = 0, 0
	p := open(t, j.file(t, h, rows))
	best := `[...document.querySelectorAll("#table tbody tr")].map(r => r.cells[%d].className)`
	if got := ask[[]string](p, fmt.Sprintf(best, 1)); got[0] != "" || got[1] != "best" {
		t.Errorf("accuracy: %q", got)
	}
	if got := ask[[]string](p, fmt.Sprintf(best, 3)); got[0] != "best" || got[1] != "" {
		t.Errorf("recovery: %q", got)
	}
	if got := ask[[]string](p, fmt.Sprintf(best, 8)); got[0]+got[1] != "" {
		t.Errorf("scale: %q, of which none is best", got)
	}
	rows[1].StepsDone--
	p = open(t, j.file(t, h, rows))
	if n := ask[int](p, `document.querySelectorAll("#table .best").length`); n != 0 {
		t.Errorf("%d cells are the best although adam ended before funnel", n)
	}
	if n, want := ask[int](p, `document.querySelectorAll("#definitions dd").length`), len(output.Definitions()); n != want {
		t.Errorf("%d definitions, want %d", n, want)
	}
}

func TestWhatAFingerTouchesIsLargeEnough(t *testing.T) {
	p := opened(t, "funnel,funneladam,adam:lr=0.003", screen(390, 844, false))
	small := ask[[]string](p, `[...document.querySelectorAll("button, label, summary, #intro a")].filter(e => e.offsetParent).map(e => [e, e.getBoundingClientRect()])
		.filter(([, r]) => r.width < 44 || r.height < 44).map(([e, r]) => e.tagName + " " + e.textContent + " " + r.width + "×" + r.height)`)
	if len(small) > 0 {
		t.Errorf("smaller than 44 pixels: %q", small)
	}
}

// download clicks a button and returns the file that the browser has saved.
func download(t *testing.T, p *page, selector, name string) []byte {
	t.Helper()
	dir := t.TempDir()
	p.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir), chromedp.Click(selector))
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && len(b) > 0 {
			return b
		}
	}
	entries, _ := os.ReadDir(dir)
	t.Fatalf("%s is never there, only %v", name, entries)
	return nil
}

func TestChartsAndTheTableCanBeSaved(t *testing.T) {
	j := jobOf(t, "funnel,adam", 30)
	h := new(history.History)
	rows := j.run(t, h.Add)
	p := open(t, j.file(t, h, rows), screen(1280, 844, false))
	lines, err := csv.NewReader(bytes.NewReader(download(t, p, "#compared .downloads button", "accuracy.csv"))).ReadAll()
	if err != nil || len(lines) != 1+2*60 || strings.Join(lines[0], ",") != "step,solver,mean" {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if want := fmt.Sprintf("%v", h.Solvers[0].Accuracy.Mean[30]); lines[31][0] != "31" || lines[31][1] != "funnel" || lines[31][2] != want {
		t.Errorf("%q, want an accuracy of %s", lines[31], want)
	}
	picture, err := png.Decode(bytes.NewReader(download(t, p, "#compared .downloads button:nth-of-type(2)", "accuracy.png")))
	if err != nil || picture.Bounds().Dx() < 1000 {
		t.Errorf("%v", err)
	}
	table, err := csv.NewReader(bytes.NewReader(download(t, p, "#table-head button", "summary.csv"))).ReadAll()
	if err != nil || len(table) != 3 || table[1][0] != "funnel" {
		t.Errorf("%q, %v", table, err)
	}
	p.quiet()
}

// saved writes what -json does, and reads it again.
func saved(t *testing.T, j *job, path string, course bool) *report.File {
	t.Helper()
	h := new(history.History)
	s := &results.Summary{
		Protocol: results.Protocol{Data: "synthetic", Steps: j.setup.Schedule.PhaseLength(), Batch: 16, Angles: []float64{0, 60}, Hidden: []int{10}},
		Seed:     1, Results: j.run(t, h.Add),
	}
	if course {
		data, err := j.report.Data(h, s.Results, report.Progress{Step: j.setup.Schedule.Steps(), State: report.Finished})
		if err != nil {
			t.Fatal(err)
		}
		s.Report = data
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := report.Read(path, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// together is the page of files.
func together(t *testing.T, files ...*report.File) *page {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteFiles(&b, files); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "runs.html")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return open(t, "file://"+path, screen(390, 844, false))
}

func TestRunsOfSeveralFilesAreInOnePage(t *testing.T) {
	a, b := saved(t, jobOf(t, "funnel,adam", 20), "a.json", true), saved(t, jobOf(t, "adam", 30), "b.json", true)
	p := together(t, a, b, saved(t, jobOf(t, "momentum", 10), "old.json", false))
	if got := ask[string](p, `document.querySelector("h1").textContent`); got != "funnel, adam and momentum · 3 runs, seed 1" {
		t.Errorf("the title is %q", got)
	}
	if got := ask[[]string](p, values)[0]; !strings.Contains(got, "funnel · a ") || !strings.Contains(got, "adam · a ") || !strings.Contains(got, "adam · b ") {
		t.Errorf("the chart shows %q", got)
	}
	if rows := ask[int](p, `document.querySelectorAll("#table tbody tr").length`); rows != 4 {
		t.Errorf("the table has %d rows", rows)
	}
	if first, last := shown(p); first != 1 || last != 60 {
		t.Errorf("steps %d to %d are shown", first, last)
	}
	if n := ask[int64](p, `document.documentElement.scrollWidth`); n != 390 {
		t.Errorf("the page is %d wide", n)
	}
	p.quiet()
}

func TestOneFileIsThePageOfItsRun(t *testing.T) {
	p := together(t, saved(t, jobOf(t, "funnel,adam", 20), "a.json", true))
	if got := ask[string](p, `document.querySelector("h1").textContent`); got != "funnel and adam · seed 1" {
		t.Errorf("the title is %q", got)
	}
	if n := ask[int](p, `document.querySelectorAll("canvas").length`); n != 6 {
		t.Errorf("%d charts", n)
	}
	if got := ask[string](p, `document.getElementById("about").textContent`); !strings.Contains(got, "train-rotmnist -solvers funnel,adam") {
		t.Errorf("it was made by %q", got)
	}
	p.quiet()
}

func TestAFileWithoutTheCourseOfItsRunsStillOpens(t *testing.T) {
	p := together(t, saved(t, jobOf(t, "funnel,adam", 10), "old.json", false))
	if got := ask[string](p, `document.getElementById("notes").textContent`); !strings.HasPrefix(got, "old.json has no course of its runs to draw") {
		t.Errorf("%q", got)
	}
	if rows := ask[int](p, `document.querySelectorAll("#table tbody tr").length`); rows != 2 {
		t.Errorf("the table has %d rows", rows)
	}
	p.quiet()
}
