package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// record is a line of a sweep's file.
type record struct {
	Data      string            `json:"data"`
	Steps     int               `json:"steps"`
	Batch     int               `json:"batch"`
	Angles    []float64         `json:"angles"`
	Drift     float64           `json:"drift"`
	Hidden    []int             `json:"hidden"`
	Seed      uint64            `json:"seed"`
	Solver    string            `json:"solver"`
	Settings  map[string]string `json:"settings"`
	LearnRate float64           `json:"learn_rate"`
	Accuracy  *float64          `json:"accuracy"` // nil of a run that failed
}

// lowest is the lowest learn rate that is drawn, and 1 over the highest.
const lowest = 1e-30

// readSweep reads the runs that have a place on a logarithmic axis. The last
// line may have been cut short, when its writer was killed.
func readSweep(b []byte) ([]record, error) {
	var records []record
	for number := 1; len(b) > 0; number++ {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(bytes.TrimSpace(line)) == 0 || !whole && !json.Valid(line) {
			continue
		}
		var r record
		err := json.Unmarshal(line, &r)
		switch {
		case err != nil:
		case r.Solver == "":
			err = errors.New("it names no solver")
		case r.Accuracy != nil && !(0 <= *r.Accuracy && *r.Accuracy <= 1):
			err = fmt.Errorf("its accuracy is %v", *r.Accuracy)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d is not a run that train-rotmnist sweep wrote: %w", number, err)
		}
		if r.Accuracy != nil && lowest <= r.LearnRate && r.LearnRate <= 1/lowest {
			records = append(records, r)
		}
	}
	return records, nil
}

// name is the solver with all of its settings but the learn rate.
func (r *record) name() string {
	name := r.Solver
	for _, key := range slices.Sorted(maps.Keys(r.Settings)) {
		if key != "lr" {
			name += ":" + key + "=" + r.Settings[key]
		}
	}
	return name
}

// title is the protocol: a line for the stream, and one for digits and network.
func (r *record) title() string {
	motion := fmt.Sprintf("%s°, %d steps each", strings.Trim(fmt.Sprint(r.Angles), "[]"), r.Steps)
	if len(r.Angles) == 0 {
		motion = fmt.Sprintf("drifting %v° a step, %d steps", r.Drift, r.Steps)
	}
	return fmt.Sprintf("%s, batches of %d\n%s, hidden layers %s", motion, r.Batch, r.Data, strings.Trim(fmt.Sprint(r.Hidden), "[]"))
}

// curve is the accuracy of a solver, by learn rate and seed.
type curve map[float64]map[uint64]float64

// curves are by protocol and solver, which are in the order in which they are
// met first.
type curves struct {
	protocols, solvers []string
	of                 map[[2]string]curve
}

func (cs *curves) add(r record) {
	key := [2]string{r.title(), r.name()}
	if !slices.Contains(cs.protocols, key[0]) {
		cs.protocols = append(cs.protocols, key[0])
	}
	if !slices.Contains(cs.solvers, key[1]) {
		cs.solvers = append(cs.solvers, key[1])
	}
	c := cs.of[key]
	if c == nil {
		c = curve{}
		cs.of[key] = c
	}
	if c[r.LearnRate] == nil {
		c[r.LearnRate] = map[uint64]float64{}
	}
	c[r.LearnRate][r.Seed] = *r.Accuracy
}

// toleranceFigure draws the accuracy at each learn rate, a panel for each
// protocol.
func toleranceFigure(files []file, on paper) (vg.CanvasWriterTo, error) {
	cs := &curves{of: map[[2]string]curve{}}
	for _, f := range files {
		records, err := readSweep(f.content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for _, r := range records {
			cs.add(r)
		}
	}
	if len(cs.protocols) == 0 {
		return nil, errors.New("there is no run to draw")
	}
	return beside(cs, on), nil
}

const (
	panelWidth  = 11 * vg.Centimeter
	panelHeight = 9 * vg.Centimeter
)

// beside draws the panels side by side, and one legend for all.
func beside(cs *curves, on paper) vg.CanvasWriterTo {
	legend := plot.NewLegend()
	legend.Left, legend.Top = true, true
	var panels []*plot.Plot
	for k, protocol := range cs.protocols {
		p := panel(cs.heading(protocol))
		p.X.Label.Text, p.Y.Label.Text = "learn rate", "accuracy"
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(powersOfTen)
		p.X.Min, p.X.Max = cs.rates()
		shares(&p.Y)
		for i, solver := range cs.solvers {
			line, points := cs.of[[2]string{protocol, solver}].draw(p, i)
			if k == 0 {
				legend.Add(solver, line, points)
			}
		}
		panels = append(panels, p)
	}
	key := legend.Rectangle(draw.New(on(1, 1))).Size().X + vg.Centimeter
	canvas := on(vg.Length(len(panels))*panelWidth+key, panelHeight)
	all := draw.New(canvas)
	legend.Draw(draw.Crop(all, vg.Length(len(panels))*panelWidth+vg.Centimeter/2, 0, 0, -vg.Centimeter))
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: vg.Centimeter / 2, PadTop: vg.Millimeter, PadRight: vg.Millimeter}
	cells := plot.Align([][]*plot.Plot{panels}, tiles, draw.Crop(all, 0, -key, 0, 0))
	for i, p := range panels {
		p.Draw(cells[0][i])
	}
	return canvas
}

// rates are the lowest and the highest learn rate of all; they differ, as the
// ends of an axis must.
func (cs *curves) rates() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, c := range cs.of {
		for rate := range c {
			low, high = min(low, rate), max(high, rate)
		}
	}
	if low == high {
		return low / 10, high * 10
	}
	return low, high
}

// heading is a protocol's first line, and the second if they do not all have
// the same.
func (cs *curves) heading(protocol string) string {
	first, second, _ := strings.Cut(protocol, "\n")
	if slices.ContainsFunc(cs.protocols, func(p string) bool { return !strings.HasSuffix(p, "\n"+second) }) {
		return protocol
	}
	return first
}

// Shapes that tell curves apart where there is no colour.
var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{},
}

// draw adds a curve to a panel: mean, and standard deviation where there are
// several seeds.
func (c curve) draw(p *plot.Plot, number int) (*plotter.Line, *plotter.Scatter) {
	colour := palette[number%len(palette)]
	data := struct {
		plotter.XYs
		plotter.YErrors
	}{}
	for _, rate := range slices.Sorted(maps.Keys(c)) {
		mean, deviation := meanStdDev(slices.Collect(maps.Values(c[rate])))
		data.XYs = append(data.XYs, plotter.XY{X: rate, Y: mean})
		data.YErrors = append(data.YErrors, struct{ Low, High float64 }{deviation, deviation})
	}
	line := &plotter.Line{XYs: data.XYs, LineStyle: draw.LineStyle{Color: colour, Width: vg.Points(1.3)}}
	if number >= len(palette) { // the colours begin anew
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	points := &plotter.Scatter{XYs: data.XYs, GlyphStyle: draw.GlyphStyle{Color: colour, Radius: vg.Points(3), Shape: shapes[number%len(shapes)]}}
	if len(data.XYs) > 0 {
		p.Add(line, points)
		if bars, err := plotter.NewYErrorBars(data); err == nil { // it fails only of numbers that are not finite
			bars.LineStyle.Color = colour
			p.Add(bars)
		}
	}
	return line, points
}

// meanStdDev is the mean and the sample's standard deviation, 0 of one number.
func meanStdDev(xs []float64) (mean, deviation float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(max(1, len(xs)-1)))
}

// powersOfTen are ticks, named as flags name learn rates, a dozen at most.
func powersOfTen(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	first, last := math.Ceil(math.Log10(low)-1e-9), math.Floor(math.Log10(high)+1e-9)
	for e := first; e <= last; e += math.Ceil((last - first + 1) / 12) {
		label := fmt.Sprintf("1e%v", e)
		if e == 0 {
			label = "1"
		}
		ticks = append(ticks, plot.Tick{Value: math.Pow(10, e), Label: label})
	}
	return ticks
}
