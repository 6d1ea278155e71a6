package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// Record is one run of a sweep, and all that it followed from: a line of the
// sweep's file.
type Record struct {
	Protocol
	Seed uint64 `json:"seed"`
	Row
	Error string `json:"error,omitempty"` // why there is no result
}

// Key is equal for two records of one run.
func (r *Record) Key() string {
	settings := maps.Clone(r.Settings)
	delete(settings, "lr") // 1e-3 is 0.001
	return identity([]any{r.Protocol, r.Seed, r.Solver, settings, r.LearnRate})
}

// identity is equal for equal values.
func identity(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of a number that is not finite, which nothing read or parsed is
	}
	return string(b)
}

// Read reads what -json wrote, or a sweep's file: a summary or records.
func Read(b []byte) (*Summary, []Record, error) {
	var s Summary
	if json.Unmarshal(b, &s) == nil && s.Results != nil {
		return &s, nil, nil
	}
	records, err := ReadRecords(b)
	if err == nil && len(records) == 0 {
		err = errors.New("there is no run in it")
	}
	return nil, records, err
}

// ReadRecords reads a sweep's file. The last line may have been cut short, when
// its writer was killed, and is then left out.
func ReadRecords(b []byte) ([]Record, error) {
	var records []Record
	for number := 1; len(b) > 0; number++ {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(bytes.TrimSpace(line)) == 0 || !whole && !json.Valid(line) {
			continue
		}
		var r Record
		if err := errors.Join(json.Unmarshal(line, &r), r.check()); err != nil {
			return nil, fmt.Errorf("line %d is not a run of a sweep: %w", number, err)
		}
		records = append(records, r)
	}
	return records, nil
}

func (r *Record) check() error {
	switch {
	case r.Solver == "" || r.Spec == "":
		return errors.New("it names no solver")
	case r.Steps < 1 || r.Batch < 1:
		return errors.New("it has no steps or no batch")
	}
	return nil
}
