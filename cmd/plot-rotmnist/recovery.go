package main

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	shown     = 200 // steps drawn after a jump
	window    = 10  // steps of the moving mean that recovery is defined by
	recovered = 0.9
)

// recoveryFigure draws the accuracy after a jump.
func recoveryFigure(files []file, on paper) (vg.CanvasWriterTo, error) {
	var solvers []string
	phases := map[string][][]float64{} // accuracies after each jump, by solver
	for _, f := range files {
		runs, err := readCSV(f)
		if err != nil {
			return nil, err
		}
		for _, s := range runs {
			if !slices.Contains(solvers, s.solver) {
				solvers = append(solvers, s.solver)
			}
			phases[s.solver] = append(phases[s.solver], afterJumps(s)...)
		}
	}
	most := 0 // the most jumps of any solver: a run may end before a jump
	for _, of := range phases {
		most = max(most, len(of))
	}
	if most == 0 {
		return nil, errors.New("there is no jump to recover from; the angles should be -angles, and two at least")
	}
	p := panel(fmt.Sprintf("accuracy after a jump, mean of %d steps and of %d jumps", window, most))
	p.X.Label.Text = "steps since the jump"
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 1, Label: "1"}, {Value: 50, Label: "50"}, {Value: 100, Label: "100"}, {Value: 150, Label: "150"}, {Value: 200, Label: "200"}}
	shares(&p.Y)
	p.Legend.Top = false
	p.Legend.XOffs = -vg.Centimeter / 2
	for i, solver := range solvers {
		p.Legend.Add(solver, add(p, movingMean(average(phases[solver]), window), palette[i%len(palette)], 1.3))
	}
	p.Add(&plotter.Line{XYs: plotter.XYs{{X: p.X.Min, Y: recovered}, {X: p.X.Max, Y: recovered}}, LineStyle: marking})
	canvas := on(16*vg.Centimeter, 10*vg.Centimeter)
	p.Draw(draw.Crop(draw.New(canvas), vg.Millimeter, -vg.Centimeter/2, vg.Millimeter, -vg.Millimeter))
	return canvas, nil
}

// shares makes an axis go from 0 to 1.
func shares(axis *plot.Axis) {
	axis.Min, axis.Max = 0, 1
	var ticks plot.ConstantTicks
	for i := range 11 {
		x := float64(i) / 10
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.1f", x)})
	}
	axis.Tick.Marker = ticks
}

// afterJumps returns the accuracies of every phase but the first, as far as they are
// shown.
func afterJumps(s *series) [][]float64 {
	var phases [][]float64
	starts := jumps(s.angle)
	for i, start := range starts {
		end := len(s.accuracy)
		if i+1 < len(starts) {
			end = starts[i+1] - 1
		}
		phases = append(phases, s.accuracy[start-1:min(end, start-1+shown)])
	}
	return phases
}

// average returns the mean at each step, over the phases that have it.
func average(phases [][]float64) []float64 {
	var means []float64
	for step := range shown {
		sum, n := 0.0, 0
		for _, phase := range phases {
			if step < len(phase) {
				sum += phase[step]
				n++
			}
		}
		if n == 0 {
			break
		}
		means = append(means, sum/float64(n))
	}
	return means
}
