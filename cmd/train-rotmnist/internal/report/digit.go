package report

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"

	"github.com/seed1e560811/funnel/mnist"
)

// digit is the picture of a digit at one angle of the stream.
type digit struct {
	From  int     `json:"from"` // the steps that it stands for, counted from 1
	To    int     `json:"to"`
	Angle float64 `json:"angle"`
	Image string  `json:"image"` // a data URI; black ink, transparent paper
}

const (
	most    = 48 // pictures
	ofDrift = 9  // pictures where the angle never jumps
	drawn   = 4  // the digit; a 4 looks different at every angle
)

// digitsOf draws a digit at the angle of every phase, or of some if there are very
// many. In a drift, which has one phase, it draws it at some of the steps.
func digitsOf(data *mnist.Dataset, schedule mnist.Schedule) []digit {
	digits := []digit{}
	number, length := schedule.Phases(), schedule.PhaseLength()
	if number == 1 && schedule.Angle(0) != schedule.Angle(length-1) {
		number = min(ofDrift, length)
		for i := range number {
			at := i * (length - 1) / max(number-1, 1)
			digits = append(digits, digit{at + 1, at + 1, schedule.Angle(at), draw(data, schedule.Angle(at))})
		}
		return digits
	}
	every := (number + most - 1) / most
	for i := 0; i < number; i += every {
		angle := schedule.Angle(i * length)
		digits = append(digits, digit{i*length + 1, (i + 1) * length, angle, draw(data, angle)})
	}
	return digits
}

// draw draws the first digit of that kind in the data set, or the first of all.
func draw(data *mnist.Dataset, angle float64) string {
	at := max(bytes.IndexByte(data.Labels, drawn), 0)
	var pixels [mnist.Pixels]float32
	mnist.NewRotation(angle).Apply(pixels[:], data.Image(at))
	img := image.NewNRGBA(image.Rect(0, 0, mnist.Side, mnist.Side))
	for i, ink := range pixels {
		img.SetNRGBA(i%mnist.Side, i/mnist.Side, color.NRGBA{A: uint8(255*ink + 0.5)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}
