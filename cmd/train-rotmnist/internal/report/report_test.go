package report

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/mnist"
)

// reportOf is of these solvers on a short stream.
func reportOf(t testing.TB, list string, schedule mnist.Schedule, args ...string) *Report {
	t.Helper()
	specs, err := spec.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return New(&Description{
		Protocol: results.Protocol{Data: "synthetic", Steps: schedule.PhaseLength(), Batch: 8},
		Args:     args, Seed: math.MaxUint64, Schedule: schedule, Solvers: specs, Digits: mnist.Synthetic(30, 1),
	})
}

func jumps(t testing.TB, angles []float64, steps int) mnist.Schedule {
	t.Helper()
	s, err := mnist.Jumps(angles, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seriesWith has these numbers.
func seriesWith(numbers ...float64) history.Series {
	return history.Series{Width: 1, Values: len(numbers), Mean: numbers}
}

func pageOf(t *testing.T, r *Report, h *history.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, h, nil, Progress{Step: 4, State: Finished}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// dataIn is what the page's script reads.
func dataIn(t *testing.T, page string) (s struct {
	Runs    []map[string]any
	Solvers []struct {
		Name     string
		Run      int
		Accuracy struct{ Mean []any }
		Rates    []float64
	}
	Table [][]string
	Notes []string
}) {
	t.Helper()
	match := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	if match == nil {
		t.Fatal("there are no data")
	}
	if err := json.Unmarshal([]byte(match[1]), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatTheUserTypedIsTextInThePage(t *testing.T) {
	const bad = `</script><script>alert(1)</script><!--`
	r := reportOf(t, "adam", jumps(t, []float64{0, 60}, 2), "-report", bad)
	page := pageOf(t, r, &history.History{Solvers: []*history.Solver{{Name: bad, Accuracy: seriesWith(0.5)}}})
	if strings.Contains(page, "<script>alert") {
		t.Error("it is markup")
	}
	s := dataIn(t, page)
	if s.Runs[0]["command"] != "train-rotmnist -report '"+bad+"'" || s.Solvers[0].Name != bad {
		t.Errorf("%q, %q", s.Runs[0]["command"], s.Solvers[0].Name)
	}
	if s.Runs[0]["seed"] != "18446744073709551615" {
		t.Errorf("seed %v", s.Runs[0]["seed"])
	}
}

func TestANumberThatIsNoneIsNullInThePage(t *testing.T) {
	r := reportOf(t, "adam", jumps(t, []float64{0, 60}, 2))
	s := dataIn(t, pageOf(t, r, &history.History{Solvers: []*history.Solver{{Name: "adam", Accuracy: seriesWith(0.12345649, math.NaN(), math.Inf(1))}}}))
	if got := s.Solvers[0].Accuracy.Mean; len(got) != 3 || got[0] != 0.123456 || got[1] != nil || got[2] != nil {
		t.Errorf("%v", got)
	}
}

func TestThePageMayLoadNothing(t *testing.T) {
	page := pageOf(t, reportOf(t, "adam", jumps(t, []float64{0}, 2)), new(history.History))
	outside := regexp.MustCompile(`(src|href)="[^"]*"|@import|url\(`)
	for _, found := range outside.FindAllString(page, -1) {
		if found != `href="data:,"` && found != `href="https://github.com/seed1e560811/funnel#readme"` { // an icon, and a link to follow
			t.Errorf("%s", found)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;; script-src &#39;sha256-") || strings.Contains(Policy(), "unsafe") {
		t.Errorf("the policy is %q", Policy())
	}
	if !strings.Contains(page, "Copyright (c) 2022 Leon Sorokin") {
		t.Error("uPlot's licence is missing")
	}
}

func TestTheLearningRateOfAStepSizeIsThatOfItsSteps(t *testing.T) {
	r := reportOf(t, "funnel:lr=0.5,funnel:lr=1:decay=step", jumps(t, []float64{0, 60}, 20))
	looks := history.Series{Width: 2, Values: 4, Mean: history.Numbers{1, 1}, Min: history.Numbers{1, 1}, Max: history.Numbers{1, 1}}
	s := dataIn(t, pageOf(t, r, &history.History{Solvers: []*history.Solver{
		{Name: "funnel:lr=0.5", Scale: looks}, {Name: "funnel:lr=1:decay=step", Scale: looks},
	}}))
	if a, b := s.Solvers[0].Rates, s.Solvers[1].Rates; len(a) != 1 || a[0] != 0.5 || len(b) != 2 || b[0] != 1 || b[1] != 0.1 {
		t.Errorf("%v, %v", a, b)
	}
}

func TestThereIsADigitAtEachAngle(t *testing.T) {
	drift, err := mnist.Drift(0.5, 181)
	if err != nil {
		t.Fatal(err)
	}
	data := mnist.Synthetic(30, 1)
	if ds := digitsOf(data, jumps(t, []float64{0, 60, 120}, 10)); len(ds) != 3 || ds[1].Angle != 60 || ds[1].From != 11 || ds[1].To != 20 || ds[0].Image == ds[1].Image {
		t.Errorf("of jumps: %d digits", len(ds))
	}
	if ds := digitsOf(data, drift); len(ds) != ofDrift || ds[0].Angle != 0 || ds[ofDrift-1].Angle != 90 {
		t.Errorf("of a drift: %d digits", len(ds))
	}
	if ds := digitsOf(data, jumps(t, make([]float64, 1000), 1)); len(ds) > most || len(ds) < most/2 {
		t.Errorf("of 1000 jumps: %d digits", len(ds))
	}
}

func TestTheCommandLineIsOneForAShell(t *testing.T) {
	got := commandLine([]string{"-solvers", "adam:lr=0.1,funnel", "-csv", "my file.csv", "it's", ""})
	if want := `train-rotmnist -solvers adam:lr=0.1,funnel -csv 'my file.csv' 'it'\''s' ''`; got != want {
		t.Errorf("%s", got)
	}
}

func TestTheDataSayHowFarTheRunsAre(t *testing.T) {
	b, err := reportOf(t, "adam", jumps(t, []float64{0}, 9)).Data(new(history.History), nil, Progress{3, 90 * time.Second, Running})
	if err != nil || !bytes.Contains(b, []byte(`"state":"running","step":3,"left":90`)) {
		t.Errorf("%s, %v", b, err)
	}
}
