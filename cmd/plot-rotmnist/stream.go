package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// streamFigure draws the CSV of one run.
func streamFigure(files []file, on paper) (vg.CanvasWriterTo, error) {
	runs, err := readCSV(files[0])
	if err != nil {
		return nil, err
	}
	return above(runs, on), nil
}

// series has the numbers of one solver, one a step.
type series struct {
	solver                 string
	angle, accuracy, scale []float64
	gains                  [][]float64 // a row for each of quantiles
}

var (
	numbers   = []string{"angle", "accuracy", "scale"}
	quantiles = []string{"gain_01", "gain_25", "gain_50", "gain_75", "gain_99"}
)

// readCSV reads the series of a file, in which each solver's rows are in order.
func readCSV(f file) ([]*series, error) {
	runs, err := read(bytes.NewReader(f.content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return runs, nil
}

func read(r io.Reader) ([]*series, error) {
	c := csv.NewReader(r)
	header, err := c.Read()
	if err == io.EOF {
		return nil, errors.New("not a CSV of train-rotmnist's: it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("not a CSV of train-rotmnist's: %w", err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	for _, name := range append(append([]string{"solver"}, numbers...), quantiles...) {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("no column %q; the file should be one that train-rotmnist -csv wrote", name)
		}
	}
	var runs []*series
	of := map[string]*series{}
	for {
		row, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		s := of[row[at["solver"]]]
		if s == nil {
			s = &series{solver: row[at["solver"]], gains: make([][]float64, len(quantiles))}
			of[s.solver], runs = s, append(runs, s)
		}
		s.angle = append(s.angle, number(row[at["angle"]]))
		s.accuracy = append(s.accuracy, number(row[at["accuracy"]]))
		s.scale = append(s.scale, number(row[at["scale"]]))
		for i, q := range quantiles {
			s.gains[i] = append(s.gains[i], number(row[at[q]]))
		}
	}
	if len(runs) == 0 {
		return nil, errors.New("no rows; the run it is of made no step")
	}
	return runs, nil
}

// number returns NaN for a field that is no number.
func number(field string) float64 {
	x, err := strconv.ParseFloat(field, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

const width, height = 22 * vg.Centimeter, 21 * vg.Centimeter

// above draws three panels above each other, on one axis of steps.
func above(runs []*series, on paper) vg.CanvasWriterTo {
	panels := []*plot.Plot{accuracyPanel(runs), scalePanel(runs), gainPanel(runs)}
	angles := anglesOf(runs)
	for _, p := range panels {
		markJumps(p, angles)
	}
	labelAngles(panels[0], angles)
	panels[len(panels)-1].X.Label.Text = "training step"
	canvas := on(width, height)
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadY: vg.Centimeter / 2, PadTop: vg.Centimeter / 4, PadRight: vg.Centimeter / 2}
	cells := plot.Align([][]*plot.Plot{{panels[0]}, {panels[1]}, {panels[2]}}, tiles, draw.New(canvas))
	for i, p := range panels {
		p.Draw(cells[i][0])
	}
	return canvas
}

// anglesOf returns the angles of the run that made the most steps: others may have ended
// before a jump.
func anglesOf(runs []*series) (angles []float64) {
	for _, s := range runs {
		if len(s.angle) > len(angles) {
			angles = s.angle
		}
	}
	return angles
}

// smooth is how many steps the accuracy is averaged over.
const smooth = 20

func accuracyPanel(runs []*series) *plot.Plot {
	p := panel(fmt.Sprintf("accuracy before learning from the batch, mean of %d steps", smooth))
	p.Y.Min, p.Y.Max = 0, 1.1
	p.Legend.Top = false
	p.Legend.XOffs = -vg.Centimeter / 2
	for i, s := range runs {
		p.Legend.Add(s.solver, add(p, movingMean(s.accuracy, smooth), palette[i%len(palette)], 1))
	}
	return p
}

func scalePanel(runs []*series) *plot.Plot {
	p := panel("scale s")
	logarithmic(p)
	for i, s := range runs {
		add(p, positive(s.scale), palette[i%len(palette)], 1)
	}
	return p
}

// gainPanel draws the gains' quantiles, the median thickest.
func gainPanel(runs []*series) *plot.Plot {
	p := panel("gains p: 1, 25, 50, 75 and 99% quantiles")
	logarithmic(p)
	for i, s := range runs {
		for k, q := range s.gains {
			add(p, positive(q), palette[i%len(palette)], []vg.Length{0.4, 0.7, 1.3, 0.7, 0.4}[k])
		}
	}
	return p
}

func panel(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Millimeter
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	p.Add(grid)
	return p
}

func logarithmic(p *plot.Plot) {
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = plot.TickerFunc(logTicks)
	p.Y.Min, p.Y.Max = 0.5, 2
}

// positive makes NaN of what a logarithmic axis cannot show.
func positive(ys []float64) []float64 {
	zs := make([]float64, len(ys))
	for i, y := range ys {
		zs[i] = y
		if y <= 0 {
			zs[i] = math.NaN()
		}
	}
	return zs
}

// add draws a line through the finite numbers.
func add(p *plot.Plot, ys []float64, c color.RGBA, width vg.Length) *plotter.Line {
	var xys plotter.XYs
	for i, y := range ys {
		if !math.IsNaN(y) && !math.IsInf(y, 0) {
			xys = append(xys, plotter.XY{X: float64(i + 1), Y: y})
		}
	}
	line := &plotter.Line{XYs: xys, LineStyle: draw.LineStyle{Color: c, Width: vg.Points(1.2) * width}}
	if len(xys) > 0 {
		p.Add(line)
	}
	return line
}

// jumps returns the steps, counted from 1, before which the angle jumps by more than
// 5°.
func jumps(angles []float64) []int {
	var steps []int
	for i := 1; i < len(angles); i++ {
		if math.Abs(angles[i]-angles[i-1]) > 5 {
			steps = append(steps, i+1)
		}
	}
	return steps
}

// marking is the style of lines that do not show data.
var marking = draw.LineStyle{Color: color.Gray{0x80}, Width: vg.Points(0.7), Dashes: []vg.Length{vg.Points(3), vg.Points(3)}}

// markJumps draws a line at each jump, and labels the steps there.
func markJumps(p *plot.Plot, angles []float64) {
	low, high := p.Y.Min, p.Y.Max
	ticks := plot.ConstantTicks{{Value: 1, Label: "1"}, {Value: float64(len(angles)), Label: strconv.Itoa(len(angles))}}
	for _, step := range jumps(angles) {
		x := float64(step)
		ticks = append(ticks, plot.Tick{Value: x, Label: strconv.Itoa(step)})
		p.Add(&plotter.Line{XYs: plotter.XYs{{X: x, Y: low}, {X: x, Y: high}}, LineStyle: marking})
	}
	p.X.Tick.Marker = ticks
}

// labelAngles writes the angle of every phase into its upper left corner.
func labelAngles(p *plot.Plot, angles []float64) {
	var l plotter.XYLabels
	for _, step := range append([]int{1}, jumps(angles)...) {
		l.XYs = append(l.XYs, plotter.XY{X: float64(step), Y: p.Y.Max})
		l.Labels = append(l.Labels, fmt.Sprintf(" %g°", angles[step-1]))
	}
	if labels, err := plotter.NewLabels(l); err == nil { // it fails only for numbers that are not finite
		labels.Offset.Y = -vg.Points(12)
		p.Add(labels)
	}
}

// movingMean averages over the last n numbers, or as many as there are.
func movingMean(xs []float64, n int) []float64 {
	means := make([]float64, len(xs))
	sum := 0.0
	for i, x := range xs {
		sum += x
		if i >= n {
			sum -= xs[i-n]
		}
		means[i] = sum / float64(min(i+1, n))
	}
	return means
}

// logTicks returns gonum's ticks. If fewer than two have labels, those at 2 and 5
// get labels, too.
func logTicks(low, high float64) []plot.Tick {
	ticks, names := plot.LogTicks{Prec: -1}.Ticks(low, high), 0
	for _, t := range ticks {
		if t.Label != "" && low <= t.Value && t.Value <= high {
			names++
		}
	}
	for i, t := range ticks {
		if digit := strconv.FormatFloat(t.Value, 'e', 0, 64)[0]; names < 2 && (digit == '2' || digit == '5') {
			ticks[i].Label = strconv.FormatFloat(t.Value, 'g', 1, 64)
		}
	}
	return ticks
}
