// Command plot-rotmnist draws what train-rotmnist writes. See plot-rotmnist -h.
package main

import (
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed1e560811/funnel/solver/atomicfile"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

const usage = `plot-rotmnist draws what train-rotmnist writes, as a PNG or an SVG.

usage: plot-rotmnist FIGURE FILE... FILE.png
       plot-rotmnist FIGURE FILE... FILE.svg

figures:
  stream     of the CSV of one run: every solver's accuracy over the stream, its
             scale, and the spread of its gains
  recovery   of CSVs, say of several seeds: every solver's accuracy in the steps
             after a jump, mean over all jumps
  tolerance  of sweeps: every solver's accuracy at each learning rate, mean ± standard
             deviation over the seeds
`

// paper makes a canvas.
type paper func(width, height vg.Length) vg.CanvasWriterTo

// formats has the papers by a file's extension.
var formats = map[string]paper{
	".png": func(width, height vg.Length) vg.CanvasWriterTo {
		return vgimg.PngCanvas{Canvas: vgimg.New(width, height)}
	},
	".svg": func(width, height vg.Length) vg.CanvasWriterTo { return vgsvg.New(width, height) },
}

// figures draw files.
var figures = map[string]func(files []file, on paper) (vg.CanvasWriterTo, error){
	"stream": streamFigure, "recovery": recoveryFigure, "tolerance": toleranceFigure,
}

// file is an input file.
type file struct {
	name    string
	content []byte
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if slices.ContainsFunc(args, func(s string) bool { return slices.Contains([]string{"-h", "-help", "--help"}, s) }) {
		_, err := fmt.Fprint(stdout, usage)
		return conclude(stderr, err)
	}
	if wrong := wrongUse(args); wrong != "" {
		fmt.Fprintf(stderr, "plot-rotmnist: %s; see plot-rotmnist -h\n", wrong)
		return 2
	}
	return conclude(stderr, write(args[0], args[1:len(args)-1], args[len(args)-1]))
}

// conclude returns the exit status, and prints the error if there is one.
func conclude(stderr io.Writer, err error) int {
	if err != nil {
		fmt.Fprintln(stderr, "plot-rotmnist:", err)
		return 1
	}
	return 0
}

// wrongUse returns what is wrong with the arguments, "" if nothing is.
func wrongUse(args []string) string {
	if len(args) > 0 && figures[args[0]] == nil {
		return fmt.Sprintf("%s is no figure: it is stream, recovery or tolerance", args[0])
	}
	if len(args) < 3 {
		return "wants a figure (stream, recovery or tolerance), files to draw, and a file for the picture"
	}
	if args[0] == "stream" && len(args) > 3 {
		return "stream draws one CSV; recovery draws several"
	}
	if to := args[len(args)-1]; formats[filepath.Ext(to)] == nil {
		return to + ": a picture's name must end with .png or .svg"
	}
	return ""
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
	canvas, err := figures[figure](files, formats[filepath.Ext(to)])
	if err != nil {
		return err
	}
	err = atomicfile.Write(to, func(w io.Writer) error {
		_, err := canvas.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}

// Colours that a colour-blind reader can tell apart (Okabe and Ito).
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff},
}
