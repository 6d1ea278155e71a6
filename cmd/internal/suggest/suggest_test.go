package suggest

import "testing"

func TestTheNameThatIsCloseIsMeant(t *testing.T) {
	known := []string{"funnel", "funneladam", "adam", "lr", "gain-rate"}
	for name, want := range map[string]string{
		"funel": "funnel", "funnela": "funnel", "Adam": "adam", "amda": "adam", "gian-rate": "gain-rate", "gain": "gain-rate", "lt": "lr",
		"": "", "sgd": "", "x": "", "learning-rate": "",
	} {
		if got := Closest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := Meant("sgd", "known are", known); got != "; known are funnel, funneladam, adam, lr, gain-rate" {
		t.Errorf("%q", got)
	}
	if got := Meant("funel", "known are", known); got != "; did you mean funnel?" {
		t.Errorf("%q", got)
	}
}
