package compare

import (
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/mnist"
)

func TestWhoHasGivenNoFlagsIsToldTwoCommandsToGoOnWith(t *testing.T) {
	text := (&Job{}).next()
	if strings.Count(text, "\n  ") != 4 || !strings.Contains(text, "train-rotmnist -report run.html\n") || !strings.Contains(text, "train-rotmnist -data mnist\n") {
		t.Errorf("%q", text)
	}
	j := &Job{}
	j.CommandLine = []string{"-steps", "10"}
	if text := j.next(); text != "" {
		t.Errorf("%q", text)
	}
}

func TestTheIntroductionSaysWhatTheDigitsDo(t *testing.T) {
	jumps, err := mnist.Jumps([]float64{0, 60}, 400)
	if err != nil {
		t.Fatal(err)
	}
	still, err := mnist.Jumps([]float64{30}, 400)
	if err != nil {
		t.Fatal(err)
	}
	drift, err := mnist.Drift(0.5, 400)
	if err != nil {
		t.Fatal(err)
	}
	for want, schedule := range map[string]mnist.Schedule{"another angle every 400 steps": jumps, "stay at one angle": still, "turn by 0.5° every step": drift} {
		j := &Job{}
		if j.Schedule = schedule; want == "turn by 0.5° every step" {
			j.Protocol.Drift = 0.5
		}
		if text := j.introduction(); !strings.Contains(text, want) {
			t.Errorf("%q, want %q", text, want)
		}
	}
}
