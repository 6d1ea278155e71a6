// Package output writes what runs produce: the table for people, the JSON
// summary and the CSV for programs.
package output

import (
	"encoding/json"
	"math"
)

// Summary is a whole comparison: what was run, and how each solver did.
type Summary struct {
	Data       string    `json:"data"`
	Seed       uint64    `json:"seed"`
	Steps      int       `json:"steps"` // in each phase
	Batch      int       `json:"batch"`
	Angles     []float64 `json:"angles"` // of the phases, degrees
	Drift      float64   `json:"drift"`  // degrees a step
	Hidden     []int     `json:"hidden"`
	Parameters int       `json:"parameters"`
	Results    []Row     `json:"results"`
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

	Spec string `json:"spec"` // the solver with its settings, as the user wrote it
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
