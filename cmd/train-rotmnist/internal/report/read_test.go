package report

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
)

// saved is what -json writes of a run of adam, with the course of the run or without.
func saved(t testing.TB, course bool) []byte {
	t.Helper()
	row := results.Missing()
	row.Solver, row.Spec, row.Accuracy, row.StepsDone = "adam", "adam", 0.75, 4
	s := &results.Summary{
		Protocol: results.Protocol{Data: "synthetic", Steps: 2, Batch: 8, Angles: []float64{0, 60}, Hidden: []int{10}},
		Seed:     1, Results: []results.Row{row},
	}
	if course {
		data, err := reportOf(t, "adam", jumps(t, []float64{0, 60}, 2)).Data(
			&history.History{Solvers: []*history.Solver{{Name: "adam", Accuracy: seriesWith(0.5, 0.25, 0.5, 1)}}}, nil, Progress{Step: 4, State: Finished})
		if err != nil {
			t.Fatal(err)
		}
		s.Report = data
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readOf(t *testing.T, path string, b []byte) *File {
	t.Helper()
	f, err := Read(path, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOnePageHasTheRunsOfSeveralFiles(t *testing.T) {
	for name, c := range map[string]struct{ paths, solvers []string }{
		"one":                        {[]string{"a/run.json"}, []string{"adam"}},
		"two names":                  {[]string{"first.json", "b/second.json"}, []string{"adam · first", "adam · second"}},
		"equal names in directories": {[]string{"a/run.json", "b/run.json", "c.json"}, []string{"adam · a/run.json", "adam · b/run.json", "adam · c"}},
	} {
		t.Run(name, func(t *testing.T) {
			var files []*File
			for _, path := range c.paths {
				files = append(files, readOf(t, path, saved(t, true)))
			}
			var page bytes.Buffer
			if err := WriteFiles(&page, files); err != nil {
				t.Fatal(err)
			}
			s := dataIn(t, page.String())
			if s.Notes == nil {
				t.Error("the notes are no list")
			}
			if len(s.Runs) != len(c.paths) || len(s.Table) != 1+len(c.paths) {
				t.Fatalf("%d runs, %d lines of the table", len(s.Runs), len(s.Table))
			}
			for i, want := range c.solvers {
				if s.Solvers[i].Name != want || s.Table[i+1][0] != want || s.Solvers[i].Run != i || len(s.Solvers[i].Accuracy.Mean) != 4 {
					t.Errorf("%+v, %q; want %s", s.Solvers[i], s.Table[i+1], want)
				}
			}
		})
	}
}

func TestAFileWithoutTheCourseOfItsRunsHasItsTable(t *testing.T) {
	var page bytes.Buffer
	if err := WriteFiles(&page, []*File{readOf(t, "old.json", saved(t, false)), readOf(t, "new.json", saved(t, true))}); err != nil {
		t.Fatal(err)
	}
	s := dataIn(t, page.String())
	if len(s.Solvers) != 1 || len(s.Table) != 3 || s.Table[1][0] != "adam · old" || s.Table[1][1] != "75.00%" {
		t.Errorf("%d solvers, table %q", len(s.Solvers), s.Table)
	}
	if len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], "old.json has no course of its runs") {
		t.Errorf("%q", s.Notes)
	}
}

func TestWhatIsNoFileOfThisKindIsRefused(t *testing.T) {
	whole := string(saved(t, true))
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":           {"nonsense", "invalid character"},
		"cut off":           {whole[:len(whole)/2], "unexpected end"},
		"no results":        {`{"steps":1}`, "no results"},
		"another version":   {strings.Replace(whole, `"every":10`, `"every":7`, 1), "does not know"},
		"points missing":    {strings.Replace(whole, `"values":4`, `"values":5`, 1), "adam is damaged"},
		"no widths":         {strings.Replace(whole, `"width":1`, `"width":0`, 1), "adam is damaged"},
		"no lists":          {strings.Replace(whole, `"parameters":[]`, `"parameters":null`, 1), "adam is damaged"},
		"no digits":         {strings.Replace(whole, `"digits":[`, `"figures":[`, 1), "no digits"},
		"phases that cross": {strings.Replace(whole, `"from":3`, `"from":1`, 1), "no sequence"},
	} {
		if _, err := Read("a", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzReadNeverPanicsAndWhatItTakesCanBeWritten(f *testing.F) {
	f.Add(saved(f, true))
	f.Add(saved(f, false))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read("a", b)
		if err != nil {
			return
		}
		if err := WriteFiles(io.Discard, []*File{file}); err != nil {
			t.Error(err)
		}
	})
}

func TestTheReportStandsInTheSummaryOnOneLine(t *testing.T) {
	b := saved(t, true)
	if !json.Valid(b) || bytes.Count(b, []byte("\n")) > 60 || !bytes.Contains(b, []byte("\n  \"report\": {\"runs\":")) {
		t.Errorf("%s", b)
	}
}
