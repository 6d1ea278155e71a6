package spec

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/solver"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func TestEverySolverIsMadeFromItsName(t *testing.T) {
	specs, err := Parse("funnel, funneladam,eggain,adam,momentum,rmsprop,vanilla")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range specs {
		if s.Name != Names()[i] || s.New() == nil || s.LearnRate() != 0.001 {
			t.Errorf("%+v", s)
		}
		if s.New() == s.New() {
			t.Errorf("%s: one solver for two runs", s.Name)
		}
	}
}

func TestTheDefaultLearningRateIsEverySolvers(t *testing.T) {
	for _, s := range family(t) {
		same, err := parse(s.Text + ":lr=0.001")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(trace(t, s.New()), trace(t, same.New())) || same.LearnRate() != DefaultLearnRate {
			t.Errorf("%s has another", s.Name)
		}
	}
}

func TestSettingsAreReadAsWritten(t *testing.T) {
	specs, err := Parse("funnel:lr=0.01:scope=parameter:gain-bounds=0.5..2,adam:lr=3e-3")
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) != 2 || specs[0].LearnRate() != 0.01 || specs[0].Settings["scope"] != "parameter" || specs[1].LearnRate() != 0.003 {
		t.Errorf("%+v", specs)
	}
}

func TestAnAugmentedSolversKeysAreItsInnersAndItsScales(t *testing.T) {
	specs, err := Parse("augment:inner=rmsprop:lr=0.02:rho=0.5:scale-rate=0.3")
	if err != nil {
		t.Fatal(err)
	}
	s := specs[0]
	if _, inner := s.Settings["inner"]; inner || s.Name != "augment:inner=rmsprop" || s.LearnRate() != 0.02 {
		t.Errorf("%+v", s)
	}
	want := solver.Augment(gorgonia.NewRMSPropSolver(gorgonia.WithLearnRate(0.02), gorgonia.WithRho(0.5)), solver.WithScaleRate(0.3))
	if !slices.Equal(trace(t, s.New()), trace(t, want)) {
		t.Error("it is another solver than Augment makes")
	}
}

// parameter is one for a solver to step.
type parameter struct{ value, gradient *tensor.Dense }

func (p *parameter) Value() gorgonia.Value         { return p.value }
func (p *parameter) Grad() (gorgonia.Value, error) { return p.gradient, nil }

// trace is what a solver makes of a fixed problem.
func trace(t *testing.T, s gorgonia.Solver) []float64 {
	t.Helper()
	p := &parameter{tensor.New(tensor.WithBacking([]float64{1, 2, 0.5})), tensor.New(tensor.WithBacking(make([]float64, 3)))}
	for i := range 8 {
		copy(p.gradient.Float64s(), []float64{1, math.Sin(float64(i)), 0.25})
		if err := Pace(s, i, 8); err != nil {
			t.Fatal(err)
		}
		if err := s.Step([]gorgonia.ValueGrad{p}); err != nil {
			t.Fatal(err)
		}
	}
	return p.value.Float64s()
}

// flipping is what a solver makes of gradients that flip at every step.
func flipping(t *testing.T, s gorgonia.Solver) []float64 {
	t.Helper()
	p := &parameter{tensor.New(tensor.WithBacking([]float64{1, 2})), tensor.New(tensor.WithBacking(make([]float64, 2)))}
	for i := range 8 {
		g := float64(1 - 2*(i%2))
		copy(p.gradient.Float64s(), []float64{g, g})
		if err := s.Step([]gorgonia.ValueGrad{p}); err != nil {
			t.Fatal(err)
		}
	}
	return p.value.Float64s()
}

// family has a specification of every kind of solver, alone and augmented.
func family(t *testing.T) []Spec {
	t.Helper()
	var all []Spec
	for _, name := range Names() {
		for _, text := range []string{name, augment + name} {
			s, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
	}
	return all
}

// near says whether two results are equal up to rounding.
func near(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x)) })
}

// Every key of every solver changes what it does, but for those that Gorgonia
// or the equations make mean nothing.
func TestEveryKeyReachesItsHyperparameter(t *testing.T) {
	values := map[string]string{
		"lr": "0.5", "momentum": "0.3", "beta1": "0.3", "beta2": "0.3", "eps": "0.5", "rho": "0.5",
		"decay": "inverse", "batch-size": "3", "clip": "0.1", "l1": "0.5", "l2": "0.5",
		"gain-rate": "0.5", "scale-rate": "0.5", "gradient-decay": "0.1",
		"gain-bounds": "0.999..1.001", "scale-bounds": "0.9..0.95",
		"gain-signal": "raw", "scale-signal": "raw", "signals": "raw", "scope": "parameter", "bias-correction": "on",
		"gain-decay": "0.5", "momentum-warmup": "0.9", "scale-warmup": "0.5/3", "initial-step": "0.003", "paper-step": "on",
		"max-step": "1e-4", "scale-floor": "0.99", "noise-correction": "50", "noise-limit": "2", "scale-restart": "0.01", "gradient-growth": "1", "signal-pooling": "3", "step-average": "0",
	}
	nothing := []string{
		"scope", "signal-pooling", // of one parameter
		"bias-correction",                                                                                 // of normalized signals, and with β = 0
		"eggain gain-signal", "eggain signals", "eggain scale-signal", "augment:inner=eggain gain-signal", // it is raw, and has no scale rate
		"eggain scale-warmup", "eggain initial-step", "eggain paper-step", "eggain max-step", "eggain scale-floor", "eggain noise-correction", "eggain noise-limit", "eggain scale-restart", "eggain gradient-growth", "eggain step-average", "eggain momentum-warmup", "augment:inner=eggain momentum-warmup",
		"augment:inner=funnel lr", "augment:inner=funneladam lr", "augment:inner=funnel batch-size", // the inner Funnel's initial step makes up for it
	}
	for _, k := range family(t) {
		for _, setting := range k.keys() {
			if setting.name == "scale-floor" {
				continue // this scale does not fall; see below
			}
			start := "" // with one of its own, a solver does not see how large gradients are
			if setting.name != "initial-step" && setting.name != "paper-step" && slices.ContainsFunc(k.keys(), func(k *key) bool { return k.name == "initial-step" }) {
				start = ":initial-step=0"
				if setting.name != "max-step" {
					start += ":max-step=0" // where every step is the longest, nothing else shows
				}
			}
			specs, err := Parse(k.Name + start + "," + k.Name + start + ":" + setting.name + "=" + values[setting.name])
			if err != nil {
				t.Errorf("%s %s: %v", k.Name, setting.name, err)
				continue
			}
			expected := !slices.Contains(nothing, setting.name) && !slices.Contains(nothing, k.Name+" "+setting.name)
			same := slices.Equal[[]float64]
			if setting.name == "lr" || setting.name == "scope" || setting.name == "batch-size" && !expected {
				same = near // what makes up for it rounds, and so does a mean of one
			}
			if changed := !same(trace(t, specs[0].New()), trace(t, specs[1].New())); changed != expected {
				t.Errorf("%s %s: changed the result: %v", k.Name, setting.name, changed)
			}
		}
	}
	raw, _ := Parse("funnel:signals=raw,funnel:signals=raw:bias-correction=on")
	if slices.Equal(trace(t, raw[0].New()), trace(t, raw[1].New())) {
		t.Error("bias correction does nothing to raw signals")
	}
	floors, _ := Parse("funnel:scale-rate=1,funnel:scale-rate=1:scale-floor=0.99")
	if slices.Equal(flipping(t, floors[0].New()), flipping(t, floors[1].New())) {
		t.Error("a floor does nothing to a scale that falls")
	}
	scopes, _ := Parse("funnel:scope=parameter")
	f := scopes[0].New().(*solver.Funnel)
	trace(t, f)
	if f.Apply(solver.WithScaleScope(solver.Global)) == nil {
		t.Error("scope=parameter does not reach the solver")
	}
}

func TestALearningRateDecaysFromTheOneGiven(t *testing.T) {
	for name, want := range map[string][4]float64{ // after none, a quarter, a half, three quarters of the stream
		"cosine":  {1, (1 + math.Sqrt2/2) / 2, 0.5, (1 - math.Sqrt2/2) / 2},
		"inverse": {1, 1 / 3.25, 1 / 5.5, 1 / 7.75},
		"step":    {1, 1, 0.1, 0.01},
	} {
		for i, x := range []float64{0, 0.25, 0.5, 0.75} {
			if got := decays[name](x); math.Abs(got-want[i]) > 1e-15 {
				t.Errorf("%s after %v: %v, want %v", name, x, got, want[i])
			}
		}
	}
}

func TestSettingTheLearningRateBetweenStepsKeepsWhatTheSolverHasLearned(t *testing.T) {
	for _, s := range family(t) {
		whole, inner := s.make()
		same := &decaying{whole, inner, DefaultLearnRate, func(float64) float64 { return 1 }}
		if !slices.Equal(trace(t, same), trace(t, s.New())) {
			t.Errorf("%s: set to what it was, the learning rate changes the result", s.Name)
		}
	}
}

func TestASolverWhoseLearningRateDecaysStillShowsItsAdaptations(t *testing.T) {
	specs, err := Parse("funnel:decay=cosine,adam:decay=cosine")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0} {
		s := specs[i].New()
		trace(t, s)
		if got := len(Adaptations(s)); got != want {
			t.Errorf("%s: %d adaptations, want %d", specs[i].Text, got, want)
		}
	}
}

func TestAMistakeIsOneSentenceThatSaysWhatIsKnown(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "the name of a solver is missing; known are funnel",
		"funel":                                `unknown solver "funel"; did you mean funnel?`,
		"Adam":                                 "did you mean adam?",
		"augment:inner=adma":                   "did you mean adam?",
		"funnel:gian-rate=1":                   `unknown key "gian-rate"; did you mean gain-rate?`,
		"adam:l3=1":                            `unknown key "l3"; did you mean l`,
		"sgd":                                  "known are funnel, funneladam, eggain, adam, momentum, rmsprop, vanilla",
		"augment":                              "inner=NAME comes first, as in augment:inner=adam:lr=1",
		"augment:lr=1:inner=adam":              `solver "augment:lr=1:inner=adam": inner=NAME comes first`,
		"SGD":                                  "augment:inner=NAME of each",
		"augment:inner=sgd":                    `unknown solver "sgd"`,
		"augment:inner=augment":                `unknown solver "augment"`,
		"augment:inner=rmsprop:gain-rate=1":    "augment:inner=rmsprop takes lr, decay, rho, eps, clip, l2, scale-rate",
		"augment:inner=adam:scale-bounds=3..2": `scale-bounds: "3..2" is not two finite numbers`,
		"funneladam:momentum=0.9":              "funneladam takes lr",
		"adam:momentum=0.9":                    "adam takes lr, decay, beta1, beta2",
		"adam:lr":                              "write key=value",
		"adam:lr=fast":                         "not a finite number",
		"adam:lr=NaN":                          "not a finite number",
		"adam:lr=-1":                           "not a finite number",
		"adam:lr=1:lr=2":                       "set twice",
		"adam,funnel,adam":                     "given twice",
		"adam:decay=fast":                      "not one of cosine, inverse, step",
		"funnel:signals=cooked":                "not one of normalized, raw",
		"funnel:gain-bounds=3":                 "write MIN..MAX",
		"funnel:gain-bounds=a..b":              "not a finite number",
		"funnel:gain-bounds=1..b":              "not a finite number",
		"funnel:gain-bounds=3..2":              `gain-bounds: "3..2" is not two finite numbers`,
		"funnel:momentum=1":                    "not below 1", "momentum:momentum=2": "not below 1", "adam:beta1=1": "not below 1", "vanilla:batch-size=0": "not above 0",
		"funnel:batch-size=0": "not above 0", "funnel:scale-warmup=1/0": `scale-warmup: "1/0" is not two finite numbers`,
		"funnel,": "the name of a solver is missing",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "With") {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("funnel:scope=parameter:signals=raw,adam:lr=0.003")
	f.Add("funnel:gain-bounds=1..2:bias-correction=on")
	f.Add("augment:inner=momentum:scale-rate=0.3")
	f.Fuzz(func(t *testing.T, text string) {
		specs, err := Parse(text)
		if err != nil {
			return
		}
		for _, s := range specs {
			if s.New() == nil || !(s.LearnRate() >= 0) {
				t.Errorf("%q: %+v", text, s)
			}
		}
	})
}
