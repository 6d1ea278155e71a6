// Package results has the results of runs on rotating digits, and the files that
// hold them: the summary of one comparison in JSON, and the records of a sweep in
// lines of JSON.
package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/mnist"
)

// Protocol is what the runs of a comparison have in common.
type Protocol struct {
	Data       string    `json:"data"`
	Steps      int       `json:"steps"` // in each phase
	Batch      int       `json:"batch"`
	Angles     []float64 `json:"angles"`          // of the phases, degrees
	Drift      float64   `json:"drift"`           // degrees a step
	Network    string    `json:"model,omitempty"` // Conv; empty for an MLP
	Hidden     []int     `json:"hidden"`          // sizes of an MLP's layers
	Parameters int       `json:"parameters"`
}

// Stream describes the batches in words.
func (p *Protocol) Stream() string {
	if len(p.Angles) == 0 {
		return fmt.Sprintf("drifting %v° a step, %d steps, batches of %d", p.Drift, p.Steps, p.Batch)
	}
	return fmt.Sprintf("angles %s°, %d steps each, batches of %d", strings.Trim(fmt.Sprint(p.Angles), "[]"), p.Steps, p.Batch)
}

// TotalSteps returns the number of steps of a complete run.
func (p *Protocol) TotalSteps() int { return p.Steps * max(1, len(p.Angles)) }

// Conv is the name of the convnet.
const Conv = "conv"

// Model describes the network in words.
func (p *Protocol) Model() string {
	if p.Network == Conv {
		return fmt.Sprintf("convnet, 8 kernels of 5×5 and 16 of 3×3, ReLU, %d parameters", p.Parameters)
	}
	sizes := append(append([]int{mnist.Pixels}, p.Hidden...), mnist.Classes)
	return fmt.Sprintf("MLP %s, ReLU, %d parameters", strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", "-"), p.Parameters)
}

// Summary is one comparison: what was run, and how each solver did.
type Summary struct {
	Protocol
	Seed    uint64 `json:"seed"`
	Ranks   int    `json:"ranks"` // processes that trained together
	Results []Row  `json:"results"`

	// Report is the data of the report page, for train-rotmnist report. It stands last
	// in the file, as "report"; nil for none.
	Report json.RawMessage `json:"-"`
}

// Write writes the summary in indented JSON, with the report on one line.
func (s *Summary) Write(w io.Writer) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if s.Report != nil {
		b = fmt.Appendf(bytes.TrimSuffix(b, []byte("\n}")), ",\n  \"report\": %s\n}", s.Report)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Row has the results of one solver.
type Row struct {
	Solver      string            `json:"solver"`
	Settings    map[string]string `json:"settings"`
	LearnRate   float64           `json:"learn_rate"`
	StepsDone   int               `json:"steps_done"`
	Accuracy    table.Number      `json:"accuracy"`
	AfterShift  table.Number      `json:"after_shift"`
	Recovery    table.Number      `json:"recovery"`    // null if there was none
	Unrecovered int               `json:"unrecovered"` // jumps without recovery; the mean counts them as the whole phase
	Plateau     table.Number      `json:"plateau"`
	HeldOut     []float64         `json:"heldout"`
	StepMS      table.Number      `json:"step_ms"`
	SolverMS    table.Number      `json:"solver_ms"`
	Scale       table.Number      `json:"scale"`
	Skipped     int               `json:"skipped,omitempty"`     // batches
	DivergedAt  int               `json:"diverged_at,omitempty"` // step, counted from 1

	Spec string `json:"spec"` // the solver with its settings, as the user wrote it
}

// MeanHeldOut is the mean held-out accuracy over the phases.
func (r *Row) MeanHeldOut() table.Number {
	sum := 0.0
	for _, a := range r.HeldOut {
		sum += a
	}
	return table.Number(sum / float64(len(r.HeldOut)))
}

// Missing returns a row without any number.
func Missing() Row {
	nan := table.Number(math.NaN())
	return Row{Accuracy: nan, AfterShift: nan, Recovery: nan, Plateau: nan, StepMS: nan, SolverMS: nan, Scale: nan}
}

// WithoutRate returns the solver with all of its settings but the learning rate.
func (r *Row) WithoutRate() string {
	name := r.Solver
	for _, key := range slices.Sorted(maps.Keys(r.Settings)) {
		if key != "lr" {
			name += ":" + key + "=" + Canonical(r.Settings[key])
		}
	}
	return name
}

// Canonical returns the same text for equal values of a setting: a number, two, or a
// word.
func Canonical(value string) string {
	for _, between := range []string{"..", "/"} {
		if a, b, two := strings.Cut(value, between); two {
			return Canonical(a) + between + Canonical(b)
		}
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
