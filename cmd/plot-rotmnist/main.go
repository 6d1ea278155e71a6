// Command plot-rotmnist draws what train-rotmnist writes. See plot-rotmnist -h.
package main

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/vgimg"
)

const usage = `plot-rotmnist draws what train-rotmnist writes, as a PNG.

usage: plot-rotmnist FIGURE FILE... FILE.png

figures:
  stream     of the CSV of one run: every solver's accuracy over the stream, its
             scale, and the spread of its gains
  recovery   of CSVs, say of several seeds: every solver's accuracy in the steps
             after a jump, mean over all jumps
  tolerance  of sweeps: every solver's accuracy at each learn rate, mean ± standard
             deviation over the seeds
`

// figures draw the contents of files.
var figures = map[string]func(files []file) (*vgimg.Canvas, error){
	"stream": streamFigure, "recovery": recoveryFigure, "tolerance": toleranceFigure,
}

// file is one that was read.
type file struct {
	name    string
	content []byte
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if len(args) < 3 || figures[args[0]] == nil {
		fmt.Fprintln(stderr, "plot-rotmnist: wants a figure (stream, recovery or tolerance), files to draw, and a file for the PNG; see plot-rotmnist -h")
		return 2
	}
	if err := write(args[0], args[1:len(args)-1], args[len(args)-1]); err != nil {
		fmt.Fprintln(stderr, "plot-rotmnist:", err)
		return 1
	}
	return 0
}

func write(figure string, from []string, to string) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
	var files []file
	for _, name := range from {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files = append(files, file{name, b})
	}
	img, err := figures[figure](files)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = vgimg.PngCanvas{Canvas: img}.WriteTo(out)
	return errors.Join(err, out.Close())
}

// Colours that a colour-blind reader can tell apart (Okabe and Ito).
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff},
}
