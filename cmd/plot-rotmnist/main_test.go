package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const header = "solver,step,angle,loss,accuracy,scale,gain_01,gain_25,gain_50,gain_75,gain_99\n"

func TestAFigureIsDrawnFromACSV(t *testing.T) {
	for name, text := range map[string]string{
		"two solvers": header +
			"funnel,1,0,2.3,0.1,1,0.9,1,1,1,1.1\nadam,1,0,2.3,0.1,,,,,,\n" +
			"funnel,2,60,2,0.2,1.2,0.8,1,1,1,1.2\nadam,2,60,2.1,0.2,,,,,,\n",
		"one without gains": header + "adam,1,0,2.3,0.1,,,,,,\n",
		"a gain of 0":       header + "funnel,1,0,+Inf,0.1,1,0,0,1,1,1.1\n",
	} {
		t.Run(name, func(t *testing.T) {
			from, to := filepath.Join(t.TempDir(), "run.csv"), filepath.Join(t.TempDir(), "run.png")
			if err := os.WriteFile(from, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := run(from, to); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := png.Decode(bytes.NewReader(b)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRowsBelongToTheirSolverInAnyOrderOfSolvers(t *testing.T) {
	runs, err := read(strings.NewReader(header + "a,1,0,2,0.1,,,,,,\nb,1,0,2,0.3,,,,,,\na,2,0,2,0.2,,,,,,\nb,2,0,2,0.4,,,,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 2 || runs[0].solver != "a" || !slices.Equal(runs[0].accuracy, []float64{0.1, 0.2}) || !slices.Equal(runs[1].accuracy, []float64{0.3, 0.4}) {
		t.Errorf("%+v", runs)
	}
}

func TestAFileThatIsNoCSVOfOursIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "not a CSV",
		"a,b\n1,2\n":              `no column "solver"`,
		header:                    "no rows",
		header + "funnel,1,0,2\n": "wrong number of fields",
	} {
		if _, err := read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
