package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/mnist"
)

// File is a comparison, read from a file that -json wrote.
type File struct {
	path string
	page snapshot
	rows []results.Row
}

// Read reads what -json wrote to a file. Earlier versions did not write the course
// of the runs; their files have only the rows of the table.
func Read(path string, b []byte) (*File, error) {
	var s struct {
		results.Summary
		Report *snapshot `json:"report"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	if s.Results == nil {
		return nil, errors.New("it has no results")
	}
	records, err := results.Read(path, b)
	if err != nil {
		return nil, err
	}
	f := &File{path: path}
	for _, r := range records {
		f.rows = append(f.rows, r.Row)
	}
	if s.Report == nil {
		return f, f.withoutCourse(&s.Summary)
	}
	f.page = *s.Report
	return f, f.page.check()
}

// withoutCourse makes a page without charts.
func (f *File) withoutCourse(s *results.Summary) error {
	schedule, err := mnist.Jumps(s.Angles, s.Steps)
	if len(s.Angles) == 0 {
		schedule, err = mnist.Drift(s.Drift, s.Steps)
	}
	if err != nil {
		return err
	}
	f.page = snapshot{Runs: []about{aboutOf(&s.Protocol, s.Seed, schedule)}, State: Finished, Solvers: []line{}}
	for _, r := range f.rows {
		f.page.Step = max(f.page.Step, r.StepsDone)
	}
	return nil
}

// check finds data that the page's script cannot draw.
func (s *snapshot) check() error {
	if len(s.Runs) != 1 || s.Every != history.Every || s.Octave != history.PerOctave {
		return errors.New("its report is of a version that this one does not know")
	}
	run := &s.Runs[0]
	if run.Steps < 1 || len(run.Phases) == 0 || run.Digits == nil {
		return errors.New("its report has no steps, no angles or no digits")
	}
	for at, p := range run.Phases {
		if p.From < 1 || p.To < p.From || at > 0 && p.From != run.Phases[at-1].To+1 {
			return fmt.Errorf("the phases of its report are no sequence: from step %d to %d", p.From, p.To)
		}
	}
	for _, l := range s.Solvers {
		if !l.sound() {
			return fmt.Errorf("what its report has of %s is damaged", l.Name)
		}
	}
	return nil
}

func (l *line) sound() bool {
	points := len(l.Scale.Mean)
	ok := l.Run == 0 && l.Parameters != nil && l.Accuracy.sound() && l.Loss.sound() && l.Scale.sound() && (len(l.Rates) == 1 || len(l.Rates) == points)
	for _, p := range l.Parameters {
		ok = ok && p.Gains != nil && p.Counts != nil && (len(p.Gains) == 0) == (len(p.Counts) == 0) && p.Scale.sound() && len(p.Scale.Mean) == points && (len(p.Gains) == 0 || len(p.Gains) == len(history.Probabilities))
		for _, g := range p.Gains {
			ok = ok && len(g) == points
		}
	}
	return ok
}

func (s *series) sound() bool {
	if s.Values == 0 {
		return len(s.Mean)+len(s.Min)+len(s.Max) == 0
	}
	extremes := 0
	if s.Width > 1 {
		extremes = len(s.Mean)
	}
	return s.Width >= 1 && s.Values > 0 && len(s.Mean) == 1+(s.Values-1)/s.Width && len(s.Min) == extremes && len(s.Max) == extremes
}

// WriteFiles writes one page of the comparisons in all files.
func WriteFiles(w io.Writer, files []*File) error {
	all := snapshot{Runs: []about{}, Solvers: []line{}, State: Finished, Every: history.Every, Octave: history.PerOctave}
	names := namesOf(files)
	var rows []results.Row
	var steps []int       // of each row's file
	remarks := []string{} // not nil, which JSON would have as null
	for i, f := range files {
		run := f.page.Runs[0]
		run.Run = names[i]
		all.Runs, all.Step = append(all.Runs, run), max(all.Step, f.page.Step)
		for _, l := range f.page.Solvers {
			l.Name, l.Run = label(l.Name, names[i]), i
			all.Solvers = append(all.Solvers, l)
		}
		for _, r := range f.rows {
			r.Spec = label(r.Spec, names[i])
			rows, steps = append(rows, r), append(steps, f.page.Step)
		}
		if f.page.State == Stopped {
			remarks = append(remarks, fmt.Sprintf("%s was stopped after %d of %d steps.", filepath.Base(f.path), f.page.Step, run.Steps))
		}
		if len(f.page.Solvers) == 0 {
			remarks = append(remarks, fmt.Sprintf("%s has no course of its runs to draw, only what they came to; this version writes it, too.", filepath.Base(f.path)))
		}
	}
	all.summary = tableOf(rows, steps)
	all.Notes = append(remarks, all.Notes...)
	data, err := json.Marshal(&all)
	if err != nil {
		return err
	}
	return write(w, Policy(), data)
}

func label(solver, run string) string {
	if run == "" {
		return solver
	}
	return solver + " · " + run
}

// namesOf returns short names that differ: the files' names, or their paths where
// two are equal; none for one file.
func namesOf(files []*File) []string {
	names := make([]string, len(files))
	if len(files) == 1 {
		return names
	}
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f.path), ".json")
	}
	short := slices.Clone(names)
	for i, f := range files {
		if slices.Index(short, short[i]) != i || slices.Contains(short[i+1:], short[i]) {
			names[i] = f.path
		}
	}
	return names
}
