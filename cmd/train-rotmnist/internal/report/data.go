package report

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/mnist"
)

// Report makes the report of one comparison.
type Report struct {
	about
	solvers []spec.Spec
	steps   int
}

// Description is everything that determines a comparison.
type Description struct {
	results.Protocol
	Args     []string // of the command line, without the program
	Version  string
	Seed     uint64
	Schedule mnist.Schedule
	Solvers  []spec.Spec
	Digits   *mnist.Dataset // one of them is drawn at each angle
	SHA256   string         // of the data sets
}

// about is the part of the page's data that stays the same during the run.
type about struct {
	Run     string  `json:"run"` // its name, where the page has several runs
	Command string  `json:"command"`
	Version string  `json:"version"`
	Seed    string  `json:"seed"` // a string, since JavaScript's numbers hold only 53 bits
	Data    string  `json:"data"`
	SHA256  string  `json:"sha256"` // of the data sets; empty if unknown
	Stream  string  `json:"stream"`
	Model   string  `json:"model"`
	Steps   int     `json:"steps"`
	Phases  []phase `json:"phases"`
	Digits  []digit `json:"digits"`
}

// phase is a stretch of steps between two jumps of the angle.
type phase struct {
	From  int     `json:"from"` // its first and last step, counted from 1
	To    int     `json:"to"`
	Angle float64 `json:"angle"` // at the first
}

// New returns the report of a comparison that has not begun.
func New(d *Description) *Report {
	a := aboutOf(&d.Protocol, d.Seed, d.Schedule)
	a.Command, a.Version, a.SHA256, a.Digits = commandLine(d.Args), d.Version, d.SHA256, digitsOf(d.Digits, d.Schedule)
	return &Report{a, d.Solvers, a.Steps}
}

// aboutOf returns what follows from the protocol.
func aboutOf(p *results.Protocol, seed uint64, schedule mnist.Schedule) about {
	a := about{
		Seed: fmt.Sprint(seed), Data: p.Data, Stream: p.Stream(), Model: p.Model(), Steps: schedule.Steps(),
		Phases: []phase{}, Digits: []digit{},
	}
	length := schedule.PhaseLength()
	for i := range schedule.Phases() {
		a.Phases = append(a.Phases, phase{i*length + 1, (i + 1) * length, schedule.Angle(i * length)})
	}
	return a
}

// commandLine quotes arguments for a shell.
func commandLine(args []string) string {
	line := "train-rotmnist"
	for _, arg := range args {
		line += " " + Quote(arg)
	}
	return line
}

// Quote quotes a word for a shell, if it needs that.
func Quote(word string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=:,./+@%"
	if word == "" || strings.Trim(word, plain) != "" {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// Progress is how far the runs have come.
type Progress struct {
	Step  int           // the number of steps that all runs have made
	Left  time.Duration // estimated; negative if unknown
	State State
}

// State tells whether the runs go on.
type State string

const (
	Running  State = "running"
	Finished State = "finished"
	Stopped  State = "stopped" // before the end of the stream
)

// snapshot is all data of the page.
type snapshot struct {
	Runs    []about `json:"runs"`
	State   State   `json:"state"`
	Step    int     `json:"step"`
	Left    float64 `json:"left"` // seconds
	Solvers []line  `json:"solvers"`
	Every   int     `json:"every"`
	Octave  int     `json:"octave"` // bins
	summary
}

// summary is the table of results.
type summary struct {
	Cells       [][]string  `json:"table"`
	Definitions [][2]string `json:"definitions"` // of its columns
	Partial     []bool      `json:"partial"`     // rows of runs that ended before the others
	Notes       []string    `json:"notes"`       // facts that have no column
}

// tableOf returns the table of results. steps has, for each row, the steps of a run
// that did not end early.
func tableOf(rows []results.Row, steps []int) summary {
	t := summary{Cells: output.Cells(rows), Definitions: output.Definitions(), Partial: []bool{}, Notes: []string{}}
	for i, r := range rows {
		t.Partial = append(t.Partial, r.StepsDone < steps[i])
		t.Notes = append(t.Notes, notes(&r, steps[i])...)
	}
	return t
}

type line struct {
	Name       string      `json:"name"`
	Run        int         `json:"run"` // its index in Runs
	Accuracy   series      `json:"accuracy"`
	Loss       series      `json:"loss"`
	Scale      series      `json:"scale"`
	Rates      numbers     `json:"rates"` // η: one, or one for each point of the scale
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Name   string    `json:"name"`
	Shape  string    `json:"shape"`
	Scale  series    `json:"scale"`
	Gains  []numbers `json:"gains"`
	First  int       `json:"first"`
	Counts []int     `json:"counts"`
}

type series struct {
	Width  int     `json:"width"`
	Values int     `json:"values"`
	Mean   numbers `json:"mean"`
	Min    numbers `json:"min,omitempty"`
	Max    numbers `json:"max,omitempty"`
}

// numbers have in JSON six digits: more than a chart can show, so that the three of a table are rounded once.
type numbers []float64

func (ns numbers) MarshalJSON() ([]byte, error) {
	return history.Numbers(ns).Append(make([]byte, 0, 10*len(ns)+2), 6), nil
}

// Data returns everything that the page shows, in JSON that is safe inside a script
// element.
func (r *Report) Data(h *history.History, rows []results.Row, p Progress) ([]byte, error) {
	s := snapshot{
		Runs: []about{r.about}, State: p.State, Step: p.Step, Left: math.Round(p.Left.Seconds()),
		Solvers: []line{}, Every: history.Every, Octave: history.PerOctave, summary: tableOf(rows, slices.Repeat([]int{p.Step}, len(rows))),
	}
	for _, solver := range h.Solvers {
		s.Solvers = append(s.Solvers, r.line(solver))
	}
	return json.Marshal(&s)
}

// notes returns sentences for facts that have no column in the table.
func notes(r *results.Row, steps int) (texts []string) {
	if r.StepsDone < steps {
		texts = append(texts, fmt.Sprintf("%s ended after step %d, with an error; its figures are of those steps.", r.Spec, r.StepsDone))
	}
	if r.Skipped > 0 {
		texts = append(texts, fmt.Sprintf("%s skipped %d of %d batches: numbers that are not finite.", r.Spec, r.Skipped, r.StepsDone))
	}
	return texts
}

// UnmarshalJSON reads null as NaN.
func (ns *numbers) UnmarshalJSON(b []byte) error { return (*history.Numbers)(ns).UnmarshalJSON(b) }

func (r *Report) line(s *history.Solver) line {
	l := line{
		Name: s.Name, Accuracy: seriesOf(&s.Accuracy), Loss: seriesOf(&s.Loss), Scale: seriesOf(&s.Scale),
		Rates: r.rates(s), Parameters: []parameter{},
	}
	for _, p := range s.Parameters {
		q := parameter{Name: p.Name, Shape: shapeOf(p.Shape), Scale: seriesOf(&p.Scale), Gains: []numbers{}, Counts: []int{}}
		if p.Gains[0].Values > 0 {
			first, counts := p.Now.Bins()
			q.First, q.Counts = first, append(q.Counts, counts...)
			for _, g := range p.Gains {
				q.Gains = append(q.Gains, numbers(g.Mean))
			}
		}
		l.Parameters = append(l.Parameters, q)
	}
	return l
}

// rates returns the learning rate in the middle of each of the scale's points; only
// one if it does not change.
func (r *Report) rates(s *history.Solver) numbers {
	for _, spec := range r.solvers {
		if spec.Text != s.Name {
			continue
		}
		if _, decays := spec.Settings["decay"]; !decays {
			return numbers{spec.LearnRate()}
		}
		rates := make(numbers, len(s.Scale.Mean))
		for i := range rates {
			from, to := i*s.Scale.Width, min((i+1)*s.Scale.Width, s.Scale.Values)
			rates[i] = spec.LearnRateAt((from+to-1)*history.Every/2, r.steps)
		}
		return rates
	}
	return numbers{}
}

func seriesOf(s *history.Series) series {
	return series{s.Width, s.Values, numbers(s.Mean), numbers(s.Min), numbers(s.Max)}
}

func shapeOf(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "×")
}
