package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// lowest is the lowest learning rate that is drawn; the highest is 1/lowest.
const lowest = 1e-30

// readSweep reads the runs that can be drawn on a logarithmic axis.
func readSweep(b []byte) ([]results.Record, error) {
	all, err := results.Lines.Read(b)
	if err != nil {
		return nil, err
	}
	var drawn []results.Record
	for _, r := range all {
		if !r.Accuracy.Missing() && lowest <= r.LearnRate && r.LearnRate <= 1/lowest {
			drawn = append(drawn, r)
		}
	}
	return drawn, nil
}

// title describes a protocol: a line for the stream, then lines for the digits and
// the network, wrapped to a panel's width.
func title(p *results.Protocol) string {
	return p.Stream() + "\n" + table.Wrap(p.Data+", "+p.Model(), "", 50)
}

// curve is the accuracy of a solver, by learning rate and seed.
type curve map[float64]map[uint64]float64

// curves has a curve for each protocol, by its identity, and solver. Both lists are
// in order of appearance.
type curves struct {
	protocols, solvers []string
	titles             []string // of the protocols
	of                 map[[2]string]curve
}

func (cs *curves) add(r *results.Record) {
	key := [2]string{results.Identity(r.Protocol), r.WithoutRate()}
	if !slices.Contains(cs.protocols, key[0]) {
		cs.protocols, cs.titles = append(cs.protocols, key[0]), append(cs.titles, title(&r.Protocol))
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
	c[r.LearnRate][r.Seed] = float64(r.Accuracy)
}

// toleranceFigure draws the accuracy at each learning rate, a panel for each
// protocol.
func toleranceFigure(files []file, on paper) (vg.CanvasWriterTo, error) {
	cs := &curves{of: map[[2]string]curve{}}
	for _, f := range files {
		records, err := readSweep(f.content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for i := range records {
			cs.add(&records[i])
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
		p := panel(cs.heading(k))
		p.X.Label.Text, p.Y.Label.Text = "learning rate", "accuracy"
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

// rates returns the lowest and the highest learning rate, made different if they are
// equal, as the ends of an axis must be.
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

// heading returns a protocol's title; only its first line if all protocols share the
// rest.
func (cs *curves) heading(number int) string {
	first, rest, _ := strings.Cut(cs.titles[number], "\n")
	if slices.ContainsFunc(cs.titles, func(t string) bool { return !strings.HasSuffix(t, "\n"+rest) }) {
		return cs.titles[number]
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
	if number >= len(palette) { // the colours repeat
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	points := &plotter.Scatter{XYs: data.XYs, GlyphStyle: draw.GlyphStyle{Color: colour, Radius: vg.Points(3), Shape: shapes[number%len(shapes)]}}
	if len(data.XYs) > 0 {
		p.Add(line, points)
		if bars, err := plotter.NewYErrorBars(data); err == nil { // it fails only for numbers that are not finite
			bars.LineStyle.Color = colour
			p.Add(bars)
		}
	}
	return line, points
}

// meanStdDev returns the mean and the sample's standard deviation, 0 for one number.
func meanStdDev(xs []float64) (mean, deviation float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(max(1, len(xs)-1)))
}

// powersOfTen returns at most a dozen ticks, labelled as flags write learning rates.
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
