package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/problem"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

func contestants(t testing.TB, list string) []Contestant {
	t.Helper()
	cs, err := ParseContestants(list)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

func TestEqualSolversHaveOneName(t *testing.T) {
	for text, want := range map[string]string{
		"adam":                                "adam:lr=0.001",
		"adam:lr=1e-3":                        "adam:lr=0.001",
		" adam:beta1=0.8:lr=3e-4":             "adam:beta1=0.8:lr=0.0003",
		"funnel:scope=global:scale-rate=0.1":  "funnel:lr=0.001:scale-rate=0.1:scope=global",
		"funnel:scale-rate=0.1:scope=global ": "funnel:lr=0.001:scale-rate=0.1:scope=global",
		"dog":                                 "dog",
		"funnel:gain-rate=1e-2":               "funnel:gain-rate=0.01:lr=0.001",
		"funnel:gain-rate=0.010":              "funnel:gain-rate=0.01:lr=0.001",
		"funnel:scale-bounds=1e-3..10":        "funnel:lr=0.001:scale-bounds=0.001..10",
		"funnel:scale-warmup=.5/3e1":          "funnel:lr=0.001:scale-warmup=0.5/30",
	} {
		if c := contestants(t, text)[0]; c.Name != want || c.Text != strings.TrimSpace(text) || c.New() == c.New() {
			t.Errorf("%q is %+v", text, c)
		}
	}
}

func TestListsOfSolversThatMeanNothingAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"funel":                          "did you mean funnel?",
		"prod":                           "did you mean prodigy?",
		"xyz":                            "known are funnel, funneladam",
		"adam:beta1=0.80,adam:beta1=0.8": "are one solver",
		"adam,adam:lr=1e-3":              `"adam" and "adam:lr=1e-3" are one solver`,
		"dog:lr=1":                       "dog has no settings",
		"adam:lr":                        "write key=value",
		"augment":                        "inner=NAME comes first",
		"":                               "known are",
	} {
		if _, err := ParseContestants(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

// plan has two problems and seeds, which need not exist.
func plan(t testing.TB) *Plan {
	return &Plan{
		Problems: []*problem.Problem{
			{Name: "hills", Floor: 0.01, Steps: 10}, {Name: "a-valley", Floor: 0.01, Steps: 20},
		},
		Contestants: contestants(t, "funnel,adam"),
		Grid:        contestants(t, "adam:lr=0.001,adam:lr=0.1,momentum:lr=0.001,momentum:lr=0.1"),
		Seeds:       []uint64{1, 2},
	}
}

// records has the same end for both seeds.
func records(p *Plan, ends map[string]map[string]float64) []Record {
	var rs []Record
	for _, r := range p.Runs() {
		end, ok := ends[r.Problem.Name][r.Contestant.Name]
		if !ok {
			continue
		}
		record := Record{Problem: r.Problem.Name, Steps: r.Problem.Steps, Seed: r.Seed, Solver: r.Contestant.Name, End: table.Number(end), Mean: table.Number(end)}
		if math.IsInf(end, 1) {
			record.DivergedAt = 3
		}
		rs = append(rs, record)
	}
	return rs
}

func TestARunIsMadeOnceAndThoseOfOneProblemTogether(t *testing.T) {
	p := plan(t)
	runs := p.Runs()
	if len(runs) != 2*2*5 { // adam is in the grid, too
		t.Fatalf("%d runs", len(runs))
	}
	done := []Record{
		{Problem: "hills", Steps: 10, Seed: 1, Solver: "adam:lr=0.001"},
		{Problem: "hills", Steps: 10, Seed: 9, Solver: "adam:lr=0.1"},    // another seed
		{Problem: "a-valley", Steps: 10, Seed: 1, Solver: "adam:lr=0.1"}, // the problem has changed
	}
	missing := Missing(runs, done)
	if len(missing) != len(runs)-1 || slices.ContainsFunc(missing, func(r Run) bool { return r.Key() == done[0].Key() }) {
		t.Errorf("%d of %d runs are missing", len(missing), len(runs))
	}
	for i := range 5 {
		if runs[i].Problem.Name != "hills" {
			t.Errorf("run %d is of %s", i, runs[i].Problem.Name)
		}
	}
}

func write(t testing.TB, p *Plan, rs []Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Table(&b, rs, 100); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// has finds lines in a table, however wide its columns are.
func has(t testing.TB, table string, lines ...string) {
	t.Helper()
	var all []string
	for _, line := range strings.Split(table, "\n") {
		all = append(all, strings.Join(strings.Fields(line), " "))
	}
	for _, line := range lines {
		if !slices.Contains(all, line) {
			t.Errorf("no line %q in\n%s", line, table)
		}
	}
}

func TestTheTableHasTheBestPeersAndTheRatiosToTheBest(t *testing.T) {
	p := plan(t)
	inf := math.Inf(1)
	got := write(t, p, records(p, map[string]map[string]float64{
		"hills":    {"funnel:lr=0.001": 0.3, "adam:lr=0.001": 0.8, "adam:lr=0.1": 0.4, "momentum:lr=0.001": inf, "momentum:lr=0.1": 0.2},
		"a-valley": {"funnel:lr=0.001": inf, "adam:lr=0.001": 0.02, "adam:lr=0.1": 0.001, "momentum:lr=0.001": 0.5, "momentum:lr=0.1": inf},
	}))
	want := `
problem    adam    at  momentum    at    funnel  ratio  adam  ratio
hills       0.4  1e-1       0.2  1e-1       0.3   1.50   0.8   4.00
a-valley  0.001  1e-1       0.5  1e-3  diverged  ≥1000  0.02   2.00

ratio, geometric mean  to the best  worst            to adam  worst            problems
funnel                       38.73  ≥1000  a-valley    27.39  ≥1000  a-valley         2
adam                          2.83   4.00     hills     2.00   2.00     hills         2
`
	if "\n"+got != want {
		t.Errorf("got\n%swant%s", got, want)
	}
}

func TestWithoutTunedPeersTheRatiosAreToThoseThatTakePart(t *testing.T) {
	p := plan(t)
	p.Grid = nil
	got := write(t, p, records(p, map[string]map[string]float64{
		"hills": {"funnel:lr=0.001": 0.3, "adam:lr=0.001": 0.4}, "a-valley": {"funnel:lr=0.001": 0.5, "adam:lr=0.001": 0.5},
	}))
	has(t, got, "problem funnel ratio adam ratio", "hills 0.3 0.75 0.4 1.00")
	tiny := records(p, map[string]map[string]float64{"hills": {"funnel:lr=0.001": 0.02, "adam:lr=0.001": 20}})
	has(t, write(t, p, tiny), "hills 0.02 1e-3 20 1.00")
	p.Contestants = contestants(t, "funnel,dog")
	if got := write(t, p, nil); strings.Contains(got, "ratio") || strings.HasSuffix(got, "\n\n") {
		t.Errorf("ratios to nothing:\n%s", got)
	}
}

func TestWhatIsMissingIsADashAndCountsNothing(t *testing.T) {
	p := plan(t)
	rs := records(p, map[string]map[string]float64{
		"hills": {"funnel:lr=0.001": 0.3, "adam:lr=0.001": 0.1, "adam:lr=0.1": 0.2}, "a-valley": {"funnel:lr=0.001": 0.5, "adam:lr=0.1": 0.5},
	})
	rs[len(rs)-1].Error = "panic" // of adam:lr=0.1 with one of the seeds
	got := write(t, p, rs)
	has(t, got, "a-valley – – 0.5 – – –", "funnel 3.00 3.00 hills 3.00 3.00 hills 1")
}

func TestScoresAreMeansOverTheSeeds(t *testing.T) {
	p := plan(t)
	rs := records(p, map[string]map[string]float64{"hills": {"funnel:lr=0.001": 0.3}})
	rs[1].End = 0.5
	has(t, write(t, p, rs), "hills – – 0.4 – – –")
}

func TestNoLineIsLongerThanAsked(t *testing.T) {
	p := plan(t)
	p.Contestants = contestants(t, "funnel,funneladam,adam,eggain,rmsprop,vanilla,prodigy,dog,schedulefree")
	got := write(t, p, nil)
	for _, line := range strings.Split(got, "\n") {
		if utf8.RuneCountInString(line) > 100 {
			t.Errorf("%d: %s", utf8.RuneCountInString(line), line)
		}
	}
	for _, c := range p.Contestants {
		if !strings.Contains(got, c.Text) {
			t.Errorf("no %s in\n%s", c.Text, got)
		}
	}
}

func TestARunThatDivergedIsReadAsItWasWritten(t *testing.T) {
	for _, r := range []Record{
		{Problem: "hills", Steps: 10, Seed: 1, Solver: "dog", End: 0.5, Mean: 1, Seconds: 2},
		{Problem: "hills", Steps: 10, Seed: 1, Solver: "dog", End: table.Number(math.Inf(1)), Mean: table.Number(math.Inf(1)), DivergedAt: 7},
		{Problem: "hills", Steps: 10, Seed: 1, Solver: "dog", End: table.Number(math.NaN()), Mean: table.Number(math.NaN()), Error: "panic"},
	} {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		read, err := Lines.Read(append(line, '\n'))
		if err != nil || len(read) != 1 {
			t.Fatalf("%s: %v, %v", line, read, err)
		}
		same := read[0].score() == r.score() || math.IsNaN(r.score()) && math.IsNaN(read[0].score())
		if !same || read[0].Key() != r.Key() || read[0].DivergedAt != r.DivergedAt || read[0].Error != r.Error {
			t.Errorf("%+v became %+v", r, read[0])
		}
	}
}

// A version before wrote some settings as the user had.
func TestARunWhoseSolverHasAnotherSpellingIsFound(t *testing.T) {
	read, err := Lines.Read([]byte(`{"problem":"hills","steps":10,"seed":1,"solver":"funnel:gain-rate=1e-2:lr=0.001","end":1,"mean":1}` + "\n"))
	if want := contestants(t, "funnel:gain-rate=0.01")[0].Name; err != nil || read[0].Solver != want {
		t.Errorf("%+v, %v; want %s", read, err, want)
	}
}

func TestALineThatIsNoRunIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		`{"problem":"hills","steps":10,"seed":1,"end":1,"mean":1}`:                                 "names no problem or no solver",
		`{"problem":"hills","steps":0,"seed":1,"solver":"dog","end":1,"mean":1}`:                   "0 steps",
		`{"problem":"hills","steps":10,"seed":1,"solver":"dog","diverged_at":11}`:                  "step 11",
		`{"problem":"hills","steps":10,"seed":1,"solver":"dog","end":null,"mean":1}`:               "no result",
		`{"problem":"hills","steps":10,"seed":-1,"solver":"dog","end":1,"mean":1}`:                 "seed",
		`{"problem":"hills","steps":10,"seed":1,"solver":"dog","end":1,"mean":1} {"problem":"no"}`: "invalid",
	} {
		if _, err := Lines.Read([]byte(line + "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", line, err, want)
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"problem":"td","steps":10,"seed":1,"solver":"dog","end":0.5,"mean":1,"seconds":2}` + "\n"))
	f.Add([]byte(`{"problem":"td","steps":10,"seed":1,"solver":"dog","end":null,"mean":null,"diverged_at":3,"seconds":2}` + "\n" + `{"pro`))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := Lines.Read(b)
		if err != nil {
			return
		}
		var written []byte
		for _, r := range records {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			written = append(append(written, line...), '\n')
		}
		again, err := Lines.Read(written)
		if err != nil || len(again) != len(records) {
			t.Fatalf("%q became %q: %v", b, written, err)
		}
		for i := range records {
			if records[i].Key() != again[i].Key() || records[i].DivergedAt != again[i].DivergedAt {
				t.Errorf("%+v became %+v", records[i], again[i])
			}
		}
		plan := plan(t)
		plan.Table(&bytes.Buffer{}, records, 80)
	})
}
