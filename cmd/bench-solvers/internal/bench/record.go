package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/jsonlines"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Record is the result of one run: a line of the file.
type Record struct {
	Problem    string       `json:"problem"`
	Steps      int          `json:"steps"`
	Seed       uint64       `json:"seed"`
	Solver     string       `json:"solver"`                // Contestant.Name
	End        table.Number `json:"end"`                   // mean score over the last tenth of the steps; null if it diverged
	Mean       table.Number `json:"mean"`                  // mean score over all steps
	DivergedAt int          `json:"diverged_at,omitempty"` // step, counted from 1; 0 if it did not diverge
	Seconds    float64      `json:"seconds"`
	Error      string       `json:"error,omitempty"` // why there is no result
}

// Lines is the format of a file of records.
var Lines = jsonlines.Format[Record]{Beginning: `{"problem":`, What: "a run of bench-solvers", Parse: parseRecord}

func parseRecord(line []byte) (r Record, err error) {
	r.End, r.Mean = table.Number(math.NaN()), table.Number(math.NaN())
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	switch {
	case r.Problem == "" || r.Solver == "":
		return r, errors.New("it names no problem or no solver")
	case r.Steps < 1:
		return r, fmt.Errorf("it has %d steps", r.Steps)
	case r.DivergedAt < 0 || r.DivergedAt > r.Steps:
		return r, fmt.Errorf("step %d, where it diverged, is not one of its %d", r.DivergedAt, r.Steps)
	case r.Error == "" && r.DivergedAt == 0 && (r.End.Missing() || r.Mean.Missing()):
		return r, errors.New("it has no result")
	}
	if c, err := parseContestant(r.Solver); err == nil {
		r.Solver = c.Name // files from earlier versions may spell it differently
	}
	return r, nil
}

// Key identifies a run.
type Key struct {
	problem string
	steps   int
	seed    uint64
	solver  string
}

func (r *Record) Key() Key { return Key{r.Problem, r.Steps, r.Seed, r.Solver} }

// score returns the final score: +Inf if the run diverged, NaN if it failed.
func (r *Record) score() float64 {
	switch {
	case r.Error != "":
		return math.NaN()
	case r.DivergedAt > 0:
		return math.Inf(1)
	}
	return float64(r.End)
}

func (r *Run) Key() Key { return Key{r.Problem.Name, r.Problem.Steps, r.Seed, r.Contestant.Name} }
