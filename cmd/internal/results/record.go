package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/seed1e560811/funnel/cmd/internal/jsonlines"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Record is one run of a sweep with everything that determines it, a line of the
// sweep's file.
type Record struct {
	Protocol
	Seed uint64 `json:"seed"`
	Row
	Error string `json:"error,omitempty"` // why there is no result
	File  string `json:"-"`               // the file that it was read from
}

// Key identifies a run.
func (r *Record) Key() string {
	return Identity([]any{r.Protocol, r.Seed, r.WithoutRate(), r.LearnRate})
}

// Identity returns equal texts for equal values.
func Identity(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // for a number that is not finite; flags and files have none
	}
	return string(b)
}

// Read reads the runs in a file that -json or a sweep wrote. A sweep's may still be
// empty. The name is for messages.
func Read(name string, b []byte) (records []Record, err error) {
	var s summary
	if json.Unmarshal(b, &s) == nil && s.Results != nil {
		records, err = s.records()
	} else {
		records, err = Lines.Read(b)
	}
	for i := range records {
		records[i].File = name
	}
	return records, err
}

// summary is a Summary whose rows are not decoded yet.
type summary struct {
	Protocol
	Seed    uint64            `json:"seed"`
	Results []json.RawMessage `json:"results"`
}

func (s *summary) records() ([]Record, error) {
	if len(s.Results) == 0 {
		return nil, errors.New("it has no results")
	}
	var records []Record
	for i, text := range s.Results {
		r := Record{Protocol: s.Protocol, Seed: s.Seed, Row: unread()}
		if err := r.read(text, &r.Row); err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// Lines is the format of a sweep's file.
var Lines = jsonlines.Format[Record]{Beginning: `{"data":`, Parse: parse, What: "a run of a sweep"}

func parse(line []byte) (Record, error) {
	r := Record{Row: unread()}
	err := r.read(line, &r)
	return r, err
}

// uncounted marks Unrecovered as missing from a file.
const uncounted = math.MinInt

// unread returns a row to decode into.
func unread() Row {
	row := Missing()
	row.Unrecovered = uncounted
	return row
}

// read decodes a part of the record, and checks the whole.
func (r *Record) read(text []byte, part any) error {
	if err := json.Unmarshal(text, part); err != nil {
		return err
	}
	if r.Unrecovered == uncounted { // the file is from an earlier version
		r.Unrecovered = 0
		if r.Recovery == table.Number(r.Steps) { // there was no recovery
			r.Recovery, r.Unrecovered = table.Number(math.NaN()), max(0, len(r.Angles)-1)
		}
	}
	return r.check()
}

func (r *Record) check() error {
	switch {
	case r.Solver == "" || r.Spec == "":
		return errors.New("it names no solver")
	case r.Steps < 1 || r.Batch < 1:
		return errors.New("it has no steps or no batch")
	case r.Error == "" && r.Accuracy.Missing() && r.DivergedAt == 0:
		return errors.New("it has no accuracy")
	case r.Unrecovered < 0:
		return fmt.Errorf("%d jumps without recovery are not a number of jumps", r.Unrecovered)
	case r.Recovery < 0 || float64(r.Recovery) > float64(r.Steps):
		return fmt.Errorf("a recovery of %v is not from 0 to its %d steps", r.Recovery, r.Steps)
	}
	fractions := []float64{float64(r.Accuracy), float64(r.AfterShift), float64(r.Plateau)}
	for _, a := range append(fractions, r.HeldOut...) {
		if a < 0 || a > 1 {
			return fmt.Errorf("an accuracy of %v is not from 0 to 1", a)
		}
	}
	return nil
}
