package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"maps"
	"math"
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
			if err := write("stream", []string{from}, to); err != nil {
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
		"":                        "it is empty",
		"a,b\n1,2\n":              `no column "solver"`,
		header:                    "no rows",
		header + "funnel,1,0,2\n": "wrong number of fields",
	} {
		if _, err := read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestRecoveryIsTheMeanOverJumpsOfAllFiles(t *testing.T) {
	runs, err := read(strings.NewReader(header +
		"a,1,0,2,0.1,,,,,,\na,2,60,2,0.2,,,,,,\na,3,60,2,0.4,,,,,,\na,4,0,2,0.6,,,,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	phases := afterJumps(runs[0])
	if len(phases) != 2 || !slices.Equal(average(phases), []float64{0.4, 0.4}) { // (0.2+0.6)/2, and the one that is that long
		t.Errorf("phases %v, means %v", phases, average(phases))
	}
}

// line is one of a sweep's file.
func line(solver string, rate, accuracy float64, batch, seed int) string {
	return fmt.Sprintf(`{"data":"digits","steps":400,"batch":%d,"angles":[0,60],"hidden":[128],"seed":%d,"solver":%q,"spec":%[3]q,"settings":{"lr":"x"},"learn_rate":%g,"accuracy":%g}`+"\n",
		batch, seed, solver, rate, accuracy)
}

func TestASweepsRunsAreSortedIntoCurves(t *testing.T) {
	text := line("funnel", 0.1, 0.9, 128, 1) + line("adam", 0.1, 0.5, 128, 1) + line("funnel", 0.1, 0.8, 128, 2) + line("funnel", 1, 0.7, 128, 1) +
		line("funnel", 0.1, 0.6, 32, 1) + `{"data":"digits","steps":1,"batch":1,"solver":"adam","spec":"adam","learn_rate":1,"accuracy":null,"error":"panic: oh"}` + "\n\n" + `{"data":"dig`
	records, err := readSweep([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cs := &curves{of: map[[2]string]curve{}}
	for i := range records {
		cs.add(&records[i])
	}
	if len(records) != 5 || len(cs.protocols) != 2 || !slices.Equal(cs.solvers, []string{"funnel", "adam"}) {
		t.Errorf("%d runs, %+v", len(records), cs)
	}
	mean, deviation := meanStdDev(slices.Collect(maps.Values(cs.of[[2]string{cs.protocols[0], "funnel"}][0.1])))
	if math.Abs(mean-0.85) > 1e-12 || math.Abs(deviation-0.1/math.Sqrt2) > 1e-12 {
		t.Errorf("mean %v, deviation %v", mean, deviation)
	}
}

func TestNetworksWithoutHiddenLayersHavePanelsOfTheirOwn(t *testing.T) {
	mlp := strings.Replace(line("a", 0.1, 0.5, 128, 1), `"hidden":[128]`, `"hidden":[]`, 1)
	conv := strings.Replace(mlp, `"hidden":[]`, `"model":"conv","hidden":[]`, 1)
	canvas, err := toleranceFigure([]file{{"sweep.jsonl", []byte(mlp + conv)}}, formats[".svg"])
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if _, err := canvas.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MLP 784-10", "convnet"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the picture has no panel of %s", want)
		}
	}
}

func TestEveryFigureIsWrittenAsAPNGAndAsAnSVG(t *testing.T) {
	dir := t.TempDir()
	csv, jsonl := filepath.Join(dir, "run.csv"), filepath.Join(dir, "sweep.jsonl")
	out, vector := filepath.Join(dir, "out.png"), filepath.Join(dir, "out.svg")
	rows := header
	for i := range 40 {
		rows += fmt.Sprintf("a,%d,%d,2,0.5,,,,,,\n", i+1, 60*(i/20))
	}
	lines := ""
	for i := range 8 { // more than there are colours
		lines += line(fmt.Sprint("solver", i), 1e-3, 0.5, 128, 1) + line(fmt.Sprint("solver", i), 1, 0.5, 32, 1)
	}
	for path, text := range map[string]string{csv: rows, jsonl: lines} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"stream", csv, out}, {"recovery", csv, csv, out}, {"tolerance", jsonl, jsonl, out}} {
		var errs strings.Builder
		if status := run(args, io.Discard, &errs); status != 0 {
			t.Errorf("%v: status %d, %s", args, status, errs.String())
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		args[len(args)-1] = vector
		if status := run(args, io.Discard, &errs); status != 0 {
			t.Errorf("%v: status %d, %s", args, status, errs.String())
		}
		if b, err = os.ReadFile(vector); err != nil || xml.Unmarshal(b, new(struct {
			XMLName xml.Name `xml:"svg"`
		})) != nil {
			t.Errorf("%v: %v, %.200s", args, err, b)
		}
	}
}

func TestAFirstSolverThatStoppedEarlyHidesNoJump(t *testing.T) {
	f := file{"run.csv", []byte(header + "a,1,0,2,0.1,,,,,,\nb,1,0,2,0.1,,,,,,\nb,2,0,2,0.1,,,,,,\nb,3,60,2,0.1,,,,,,\nb,4,60,2,0.1,,,,,,\n")}
	for figure, want := range map[string]string{"stream": "60°", "recovery": "of 1 jumps"} {
		canvas, err := figures[figure]([]file{f}, formats[".svg"])
		if err != nil {
			t.Errorf("%s: %v", figure, err)
			continue
		}
		var b strings.Builder
		if _, err := canvas.WriteTo(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: error %v, or the picture has no %q", figure, err, want)
		}
	}
}

func TestAMistakeIsOneSentence(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("nonsense\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	still := filepath.Join(dir, "still.csv")
	if err := os.WriteFile(still, []byte(header+"a,1,0,2,0.1,,,,,,\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	folder, picture := filepath.Join(dir, "folder.png"), filepath.Join(dir, "x.png")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for args, c := range map[string]struct {
		status int
		want   string
	}{
		"":                                  {2, "wants a figure"},
		"portrait a b":                      {2, "portrait is no figure"},
		"-colour":                           {2, "-colour is no figure"},
		"stream a.csv b.csv c.png":          {2, "stream draws one CSV"},
		"stream run.csv":                    {2, "wants a figure"},
		"stream run.csv x.gif":              {2, "x.gif: a picture's name must end with .png or .svg"},
		"stream " + bad + " " + picture:     {1, bad + ": no column"},
		"stream a " + picture:               {1, "no such file"},
		"recovery " + still + " " + picture: {1, "no jump"},
		"tolerance " + bad + " " + picture:  {1, bad + ": line 1"},
		"tolerance /dev/null " + picture:    {1, "no run to draw"},
		"stream " + still + " " + folder:    {1, folder + ": it is there, and not a regular file"},
		"stream " + still + " " + filepath.Join(dir, "none", "x.png"): {1, "x.png: "},
	} {
		var errs strings.Builder
		if status := run(strings.Fields(args), io.Discard, &errs); status != c.status || !strings.Contains(errs.String(), c.want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: status %d, %q; want %d and %q", args, status, errs.String(), c.status, c.want)
		}
	}
	if b, err := os.ReadFile(picture); err != nil || string(b) != "old" {
		t.Errorf("the picture that was there is %.20q, %v", b, err)
	}
}

func TestHelpThatCannotBeWrittenIsAFailure(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	var errs strings.Builder
	if status := run([]string{"-h"}, w, &errs); status != 1 || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("status %d, %q", status, errs.String())
	}
}

func TestAFigureIsDrawnOfOneLearningRateAndOfVeryDifferentOnes(t *testing.T) {
	for _, text := range []string{line("a", 0.01, 0.5, 128, 1), line("a", 1e-30, 0.5, 128, 1) + line("a", 1e30, 0, 128, 1), line("a", 1e-300, 0.1, 1, 1) + line("a", 3, 1, 1, 1)} {
		if _, err := toleranceFigure([]file{{"sweep.jsonl", []byte(text)}}, formats[".png"]); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the files hold, they are read, or refused.
func FuzzReaders(f *testing.F) {
	f.Add([]byte(header + "a,1,0,2,0.1,1,1,1,1,1,1\na,2,60,2,0.1,1,1,1,1,1,1\n"))
	f.Add([]byte(line("funnel", 0.1, 0.9, 128, 1) + line("adam", 1, 0.9, 128, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if runs, err := read(bytes.NewReader(b)); err == nil {
			for _, s := range runs {
				average(afterJumps(s))
			}
		}
		records, _ := readSweep(b)
		cs := &curves{of: map[[2]string]curve{}}
		for i := range records {
			cs.add(&records[i])
		}
	})
}
