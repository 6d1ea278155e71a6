package results

import (
	"strings"
	"testing"
)

// line is one that a sweep has written.
const line = `{"data":"digits","steps":400,"batch":128,"angles":[0,60],"drift":0,"hidden":[128],"parameters":0,"seed":1,` +
	`"solver":"adam","settings":{"lr":"1"},"learn_rate":1,"steps_done":800,"accuracy":0.9,"heldout":[],"spec":"adam:lr=1"}`

func TestALineThatIsNoRunIsNamed(t *testing.T) {
	good := line + "\n"
	for text, want := range map[string]string{
		good + "{}\n" + good: "line 2",
		"\n\nnonsense\n":     "line 3",
		"nonsense":           "line 1",
		`{"data":"x"}`:       "line 1",
	} {
		if _, err := Read("a", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
	for text, want := range map[string]int{
		"": 0, `{"data":"`: 0, "\x00\x00": 0, good + "\r\n" + good[:40]: 1, good + good[:40] + "\x00\x00": 1, good + strings.TrimSpace(good): 2,
	} {
		if rs, err := Read("a", []byte(text)); err != nil || len(rs) != want {
			t.Errorf("%q: %d runs, error %v, want %d", text, len(rs), err, want)
		}
	}
}

func TestNumbersThatNoRunHasAreRefused(t *testing.T) {
	for change, want := range map[string]string{
		`"accuracy":1e308`:                        "accuracy of 1e+308 is not from 0 to 1",
		`"accuracy":-1`:                           "accuracy of -1",
		`"accuracy":null`:                         "no accuracy",
		`"acuracy":1`:                             "no accuracy",
		`"accuracy":0.5,"plateau":2`:              "accuracy of 2",
		`"accuracy":0.5,"after_shift":2`:          "accuracy of 2",
		`"accuracy":0.5,"heldout":[0.5,7]`:        "accuracy of 7",
		`"accuracy":0.5,"recovery":1e308`:         "recovery of 1e+308",
		`"accuracy":0.5,"recovery":null`:          "",
		`"accuracy":null,"error":"panic: oh"`:     "",
		`"accuracy":1,"plateau":0,"recovery":400`: "",
	} {
		protocol, row := `"data":"x","steps":400,"batch":1`, `"solver":"a","spec":"a",`+change
		for _, text := range []string{"{" + protocol + "," + row + "}", "{" + protocol + `,"results":[{` + row + "}]}"} {
			if strings.Contains(text, "error") && strings.Contains(text, "results") {
				continue // a summary has no failures
			}
			rs, err := Read("a", []byte(text))
			if want == "" && (err != nil || len(rs) != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: error %v, want %q", text, err, want)
			}
		}
	}
}

func TestWhatARowDoesNotSayIsMissing(t *testing.T) {
	rs, err := Read("a", []byte(`{"data":"x","steps":1,"batch":1,"results":[{"solver":"a","spec":"a","accuracy":0.5}]}`))
	if err != nil || !rs[0].Plateau.Missing() || !rs[0].Scale.Missing() || rs[0].File != "a" {
		t.Errorf("%+v, %v", rs, err)
	}
}

func TestASummaryWithoutRunsIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"results":[]}`:        "it has no results",
		`{"results":[{"a":1}]}`: "result 1: it names no solver",
		`{"steps":1,"batch":1,"results":[{"solver":"a","spec":"a","accuracy":0.5},7]}`: "result 2: ",
		`{"results":[{"solver":"a","spec":"a","accuracy":0.5}]}`:                       "result 1: it has no steps",
	} {
		if _, err := Read("a", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestOneRunHasOneKeyHoweverItsSettingsAreWritten(t *testing.T) {
	key := func(settings map[string]string) string {
		r := Record{Row: Row{Solver: "funnel", Settings: settings, LearnRate: 0.001}}
		return r.Key()
	}
	want := key(map[string]string{"clip": "1", "scale-bounds": "0.001..10", "lr": "0.001"})
	if got := key(map[string]string{"clip": "1.0", "scale-bounds": "1e-3..1e1", "lr": "1e-3"}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := key(map[string]string{"clip": "1.5", "scale-bounds": "0.001..10"}); got == want {
		t.Errorf("another clip has the key %s", got)
	}
}

// Earlier versions wrote the length of the phase for a jump without recovery.
func TestARecoveryOfTheWholePhaseWasNone(t *testing.T) {
	for text, want := range map[string]int{
		strings.Replace(line, `"accuracy":0.9`, `"accuracy":0.9,"recovery":400`, 1):                  1,
		strings.Replace(line, `"accuracy":0.9`, `"accuracy":0.9,"recovery":null,"unrecovered":1`, 1): 1,
		strings.Replace(line, `"accuracy":0.9`, `"accuracy":0.9,"recovery":52.5`, 1):                 0,
		strings.Replace(line, `"accuracy":0.9`, `"accuracy":0.9,"recovery":400,"unrecovered":0`, 1):  0, // in the last step
	} {
		rs, err := Read("a", []byte(text+"\n"))
		if err != nil || rs[0].Unrecovered != want || rs[0].Recovery.Missing() != (want == 1) {
			t.Errorf("%s: %v, %+v", text, err, rs)
		}
	}
}
