// Package output writes what runs produce: the table for people, the JSON
// summary and the CSV for programs.
package output

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/mnist"
)

// Protocol is what solvers are compared on.
type Protocol struct {
	Data       string    `json:"data"`
	Steps      int       `json:"steps"` // in each phase
	Batch      int       `json:"batch"`
	Angles     []float64 `json:"angles"` // of the phases, degrees
	Drift      float64   `json:"drift"`  // degrees a step
	Hidden     []int     `json:"hidden"`
	Parameters int       `json:"parameters"`
}

// Stream describes the batches, for people.
func (p *Protocol) Stream() string {
	if len(p.Angles) == 0 {
		return fmt.Sprintf("drifting %v° a step, %d steps, batches of %d", p.Drift, p.Steps, p.Batch)
	}
	return fmt.Sprintf("angles %s°, %d steps each, batches of %d", strings.Trim(fmt.Sprint(p.Angles), "[]"), p.Steps, p.Batch)
}

// Model describes the network, for people.
func (p *Protocol) Model() string {
	sizes := append(append([]int{mnist.Pixels}, p.Hidden...), mnist.Classes)
	return fmt.Sprintf("MLP %s, ReLU, %d parameters", strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", "-"), p.Parameters)
}

// Summary is a whole comparison: what was run, and how each solver did.
type Summary struct {
	Protocol
	Seed    uint64 `json:"seed"`
	Ranks   int    `json:"ranks"` // processes that trained together
	Results []Row  `json:"results"`
}

// Row is how one solver did.
type Row struct {
	Solver     string            `json:"solver"`
	Settings   map[string]string `json:"settings"`
	LearnRate  float64           `json:"learn_rate"`
	StepsDone  int               `json:"steps_done"`
	Accuracy   Number            `json:"accuracy"`
	AfterShift Number            `json:"after_shift"`
	Recovery   Number            `json:"recovery"`
	Plateau    Number            `json:"plateau"`
	HeldOut    []float64         `json:"heldout"`
	StepMS     Number            `json:"step_ms"`
	SolverMS   Number            `json:"solver_ms"`
	Scale      Number            `json:"scale"`
	Skipped    int               `json:"skipped,omitempty"`     // batches
	DivergedAt int               `json:"diverged_at,omitempty"` // the step, counted from 1

	Spec string `json:"spec"` // the solver with its settings, as the user wrote it
}

// NewRow is a solver's result. Without one every number is missing.
func NewRow(spec solvers.Spec, r *experiment.Result) Row {
	if r == nil {
		nan := math.NaN()
		r = &experiment.Result{Accuracy: nan, AfterShift: nan, Recovery: nan, Plateau: nan, StepMS: nan, SolverMS: nan, Scale: nan}
	}
	return Row{
		Solver: spec.Name, Settings: spec.Settings, LearnRate: spec.LearnRate(), StepsDone: r.Steps,
		Accuracy: Number(r.Accuracy), AfterShift: Number(r.AfterShift), Recovery: Number(r.Recovery), Plateau: Number(r.Plateau),
		HeldOut: r.HeldOut, StepMS: Number(r.StepMS), SolverMS: Number(r.SolverMS), Scale: Number(r.Scale), Skipped: r.Skipped, DivergedAt: r.DivergedAt,
		Spec: spec.Text,
	}
}

// meanHeldOut is over the phases.
func (r *Row) meanHeldOut() Number {
	sum := 0.0
	for _, a := range r.HeldOut {
		sum += a
	}
	return Number(sum / float64(len(r.HeldOut)))
}

// Number is a float64 that may be missing: NaN here, null in JSON, – in a
// table, and nothing in CSV.
type Number float64

func (n Number) missing() bool { return math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) }

// MarshalJSON writes null for a number that is missing.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.missing() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}
