package output

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
)

// made is a row of a run of 400 steps.
func made(spec string, accuracy float64, settings ...string) results.Row {
	r := results.Missing()
	r.Solver, _, _ = strings.Cut(spec, ":")
	r.Spec, r.StepsDone, r.Settings = spec, 400, map[string]string{}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		r.Settings[key] = value
	}
	r.Accuracy, r.AfterShift, r.Recovery, r.Plateau, r.StepMS = table.Number(accuracy), 0.8, 45.25, 0.95, 3.456
	r.HeldOut = []float64{0.9, 0.96}
	return r
}

// printed is the table of the rows.
func printed(t *testing.T, rows ...results.Row) string {
	t.Helper()
	var b bytes.Buffer
	if err := Table(&b, rows, 400); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheTableSaysHowEveryRunDid(t *testing.T) {
	never, late := made("adam:lr=0.1", 0.5, "lr=0.1"), made("adam:lr=0.01", 0.6, "lr=0.01")
	never.Recovery, never.Unrecovered = table.Number(math.NaN()), 5
	late.Unrecovered = 1
	diverged, failed := made("momentum:lr=1", 0.1, "lr=1"), made("vanilla", 0.1)
	diverged.DivergedAt, diverged.StepsDone, failed.StepsDone = 2, 1, 299
	nothing := results.Missing()
	nothing.Solver, nothing.Spec, nothing.StepsDone = "rmsprop", "rmsprop", 400
	want := `
solver         accuracy  after shift  recovery  plateau  held-out  ms/step
funneladam       91.24%       80.00%      45.2   95.00%    93.00%     3.46

adam:lr=0.01     60.00%       80.00%     ≥45.2   95.00%    93.00%     3.46
adam:lr=0.1      50.00%       80.00%     never   95.00%    93.00%     3.46
momentum:lr=1  diverged at step 2
vanilla        failed at step 300
rmsprop               –            –         –        –         –        –
`
	if got := printed(t, made("funneladam", 0.91236), late, never, diverged, failed, nothing); got != want[1:] {
		t.Errorf("got\n%swant\n%s", got, want[1:])
	}
}

func TestTheTableFits80Columns(t *testing.T) {
	long, skipping := made("augment:inner=momentum:scale-rate=0.05:lr=0.001", 0.5), made("momentum:lr=0.001", 0.5)
	skipping.Skipped = 7
	for _, rows := range [][]results.Row{{long}, {skipping}, {long, skipping}, {made("momentum:momentum=0.95", 0.5), skipping}} {
		text := printed(t, rows...)
		for _, line := range strings.Split(text, "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%d characters in\n%s", utf8.RuneCountInString(line), text)
			}
		}
		if !strings.Contains(text, " held-out") || !strings.Contains(text, " ms/step") {
			t.Errorf("the table lacks columns that matter\n%s", text)
		}
		if rows[len(rows)-1].Skipped > 0 && !strings.HasSuffix(text, " 7\n") {
			t.Errorf("skipped batches are not in their row\n%s", text)
		}
	}
}

func TestTheLegendHasALineForEachColumn(t *testing.T) {
	rows := []results.Row{made("funneladam", 0.9), made("adam:lr=1", 0.8)}
	rows[1].Skipped = 3
	var b bytes.Buffer
	if err := Legend(&b, rows); err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(printed(t, rows...), "\n")
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		title := strings.TrimSpace(line[:11])
		if !strings.Contains(header, title) || utf8.RuneCountInString(line) > 80 {
			t.Errorf("%s\nis not about a column of\n%s", line, header)
		}
		header = strings.Replace(header, title, "", 1)
	}
	if left := strings.Fields(header); len(left) != 1 || left[0] != "solver" {
		t.Errorf("nothing about %v", left)
	}
}

func TestTheVerdictFollowsFromTheFigures(t *testing.T) {
	ours, other := made("funneladam", 0.92), made("funnel", 0.91)
	a, b, c := made("adam:lr=0.001", 0.9, "lr=0.001"), made("adam:lr=0.1", 0.5, "lr=0.1"), made("momentum:lr=0.1", 0.85, "lr=0.1")
	good, better := made("adam:lr=0.003", 0.925, "lr=0.003"), made("adam:lr=0.01", 0.93, "lr=0.01")
	slow, tuned, diverged, failed, lost := a, made("funnel:lr=0.1", 0.95, "lr=0.1"), b, b, made("eggain", 0.99)
	slow.StepMS, diverged.DivergedAt, failed.StepsDone, lost.StepsDone = 2*ours.StepMS, 7, 3, 3
	for name, row := range map[string]struct {
		rows []results.Row
		want string
	}{
		"ours win": {[]results.Row{ours, other, a, b, c}, "funneladam read 92.0% of the digits right with no learning rate to choose; " +
			"adam and momentum read 50.0% to 90.0%, depending on which of 3 learning rates one takes. The best of them, adam:lr=0.001, is 2.00 points behind. A step took 1.00 times adam's and 1.00 times momentum's."},
		"a peer wins": {[]results.Row{other, ours, a, good, b}, "funneladam read 92.0% of the digits right with no learning rate to choose; " +
			"adam read 50.0% to 92.5%, depending on which of 3 learning rates one takes. One of them won: adam:lr=0.003, by 0.50 points. A step took 1.00 times adam's."},
		"two win":           {[]results.Row{ours, good, better}, "2 of them won, adam:lr=0.01 by most, 1.00 points."},
		"a peer wins alone": {[]results.Row{ours, good}, "; adam read 92.5%. That is 0.50 points more. A step"},
		"one peer":          {[]results.Row{ours, made("adam", 0.7)}, "; adam read 70.0%. A step"},
		"one slow peer":     {[]results.Row{ours, slow}, "A step took 0.50 times adam's."},
		"peers of any set":  {[]results.Row{ours, made("adam", 0.7), made("rmsprop", 0.6)}, "adam and rmsprop read 60.0% to 70.0%, depending on which of these 2 one takes. The best of them, adam, is 22.00 points behind. A step"},
		"one diverged":      {[]results.Row{ours, a, diverged, c}, "depending on which of 3 learning rates one takes, and diverged at 1. The best of them, adam:lr=0.001, is 2.00 points behind. A step"},
		"one failed":        {[]results.Row{ours, a, failed, c}, "depending on which of 3 learning rates one takes, and failed at 1. The best"},
		"one of each":       {[]results.Row{ours, a, failed, diverged, c}, "which of 4 learning rates one takes, and diverged at 1, and failed at 1. The best"},
		"ours is tuned":     {[]results.Row{tuned, a}, "funnel:lr=0.1 read 95.0% of the digits right at that learning rate; adam"},
		"ours failed":       {[]results.Row{ours, lost, a}, "funneladam read 92.0%"},
	} {
		if got := Verdict(row.rows, 400); !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	for name, rows := range map[string][]results.Row{"no peer": {ours, other}, "none of ours": {a, b}, "none": nil, "all peers diverged": {ours, diverged}} {
		if got := Verdict(rows, 400); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestANumberThatIsNoneIsAnEmptyFieldInCSV(t *testing.T) {
	var b bytes.Buffer
	c := NewCSV(&b)
	if err := c.Write(&experiment.Step{Solver: "adam", Number: 4, Angle: 60, Loss: 0.123456789, Accuracy: 0.5}); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\nadam,5,60,0.123457,0.5,,,,,,\n") {
		t.Errorf("%s", b.String())
	}
}
