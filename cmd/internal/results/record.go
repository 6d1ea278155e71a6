package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
)

// Record is one run of a sweep, and all that it followed from: a line of the
// sweep's file.
type Record struct {
	Protocol
	Seed uint64 `json:"seed"`
	Row
	Error string `json:"error,omitempty"` // why there is no result
	File  string `json:"-"`               // that it was read from
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

// Read reads the runs in what -json wrote, or a sweep's file. A sweep's file may
// have none yet.
func Read(name string, b []byte) (records []Record, err error) {
	var s summary
	if json.Unmarshal(b, &s) == nil && s.Results != nil {
		records, err = s.records()
	} else {
		records, err = ReadRecords(b)
	}
	for i := range records {
		records[i].File = name
	}
	return records, err
}

// summary is a Summary whose rows are to be read.
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
		r := unread()
		r.Protocol, r.Seed = s.Protocol, s.Seed
		if err := r.read(text, &r.Row); err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// ReadRecords reads a sweep's file. Its last line is left out if it was cut
// short.
func ReadRecords(b []byte) ([]Record, error) {
	var records []Record
	for number := 1; len(b) > 0; number++ {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(bytes.TrimSpace(line)) == 0 || !whole && CutShort(line) {
			continue
		}
		r := unread()
		if err := r.read(line, &r); err != nil {
			return nil, fmt.Errorf("line %d is not a run of a sweep: %w", number, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// beginning is that of every line of a sweep's file.
var beginning = []byte(`{"data":`)

// CutShort tells whether a kill of its writer, or a power cut, which leaves
// bytes of zero, has left this of a line.
func CutShort(line []byte) bool {
	begun := bytes.HasPrefix(line, beginning) || bytes.HasPrefix(beginning, bytes.TrimRight(line, "\x00"))
	return begun && !json.Valid(line)
}

// unread is a record without a number.
func unread() Record { return Record{Row: NewRow(solvers.Spec{}, nil)} }

// read reads a part of the record, and checks the whole.
func (r *Record) read(text []byte, part any) error {
	if err := json.Unmarshal(text, part); err != nil {
		return err
	}
	return r.check()
}

func (r *Record) check() error {
	switch {
	case r.Solver == "" || r.Spec == "":
		return errors.New("it names no solver")
	case r.Steps < 1 || r.Batch < 1:
		return errors.New("it has no steps or no batch")
	case r.Error == "" && r.Accuracy.missing():
		return errors.New("it has no accuracy")
	case r.Recovery < 0 || float64(r.Recovery) > float64(r.Steps):
		return fmt.Errorf("a recovery of %v is not from 0 to its %d steps", r.Recovery, r.Steps)
	}
	shares := []float64{float64(r.Accuracy), float64(r.AfterShift), float64(r.Plateau)}
	for _, a := range append(shares, r.HeldOut...) {
		if a < 0 || a > 1 {
			return fmt.Errorf("an accuracy of %v is not from 0 to 1", a)
		}
	}
	return nil
}
