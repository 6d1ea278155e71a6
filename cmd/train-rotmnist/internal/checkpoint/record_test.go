package checkpoint

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
)

// sample is a record of a run of two solvers, one of which has failed.
func sample() *Record {
	return &Record{
		Version: 1, Flags: map[string]string{"seed": "1"}, Digits: "d", Done: 3, Steps: 6, CSV: &Written{10, "c"}, History: new(history.History),
		Runs: []Run{
			{Name: "funnel", Metrics: experiment.Metrics{Accuracies: []float64{0.1, 0.25, 1. / 3}, HeldOut: []float64{0.5}, Skipped: 1}},
			{Name: "adam", Metrics: experiment.Metrics{Accuracies: []float64{0.1}, HeldOut: []float64{}}, Error: "adam: step 2: <broken>"},
		},
	}
}

func seal(run []byte) []byte {
	text, _ := json.Marshal(sealed{digest(run), run})
	return text
}

func text(t testing.TB, r *Record) []byte {
	t.Helper()
	run, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return seal(run)
}

func TestARecordComesBackAsItWas(t *testing.T) {
	got, err := parseRecord(text(t, sample()))
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestADamagedRecordIsRefused(t *testing.T) {
	whole := text(t, sample())
	for n := range whole {
		if _, err := parseRecord(whole[:n]); err == nil {
			t.Fatalf("cut after %d bytes of %d, it is read", n, len(whole))
		}
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[n] ^= 1 << bit
			got, err := parseRecord(flipped)
			if err == nil && !reflect.DeepEqual(got, sample()) { // keys of the seal differ in case only
				t.Fatalf("with bit %d of byte %d flipped it is read as %+v", bit, n, got)
			}
		}
	}
}

func TestARecordThatNoRunCanHaveIsRefused(t *testing.T) {
	for what, change := range map[string]func(*Record){
		"no history":            func(r *Record) { r.History = nil },
		"an unsound history":    func(r *Record) { r.History.Solvers = []*history.Solver{nil} },
		"steps not made":        func(r *Record) { r.Done = 4 },
		"more done than all":    func(r *Record) { r.Steps = 2 },
		"steps below 0":         func(r *Record) { r.Done = -1 },
		"version 0":             func(r *Record) { r.Version = 0 },
		"a newer version":       func(r *Record) { r.Version = 2 },
		"a file below 0 bytes":  func(r *Record) { r.CSV.Size = -1 },
		"too many phases":       func(r *Record) { r.Runs[1].HeldOut = []float64{1, 1} },
		"more skipped than all": func(r *Record) { r.Runs[0].Skipped = 4 },
		"time below 0":          func(r *Record) { r.Runs[0].Solving = -1 },
	} {
		r := sample()
		change(r)
		if _, err := parseRecord(text(t, r)); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
	for _, run := range []string{``, `null`, `3`, `[]`, `{}`, `{"version":1,"done":"x"}`, `{"version":99999999999999999999}`} {
		if _, err := parseRecord([]byte(`{"sha256":"` + digest([]byte(run)) + `","run":` + run + `}`)); err == nil {
			t.Errorf("%s: it is read", run)
		}
	}
	r := sample()
	r.Version = 7
	if _, err := parseRecord(text(t, r)); err == nil || !strings.Contains(err.Error(), "a later version of this program wrote it: format 7, and this one reads up to 1") {
		t.Errorf("a newer version: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	run, _ := json.Marshal(sample())
	f.Add(run)
	f.Add([]byte(`{"version":1,"runs":[{}]}`))
	f.Fuzz(func(t *testing.T, run []byte) {
		parseRecord(run)
		r, err := parseRecord(seal(run))
		if err == nil && r.check() != nil {
			t.Errorf("%s is read as %+v", run, r)
		}
	})
}
