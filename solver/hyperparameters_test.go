package solver

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
)

var everySolver = []kind{funnel, funnelAdam, egGain, egu, augment}

// A hyperparameter that is not in the table would be neither checked nor saved.
func TestTheTableHasEveryHyperparameterOnce(t *testing.T) {
	var h hyperparameters
	options, fields := map[string]bool{}, map[uintptr]string{}
	names := map[string]bool{}
	for i := range settings {
		s := &settings[i]
		if s.option != "" && options[s.option] {
			t.Errorf("%s is there twice", s.option)
		}
		options[s.option] = true
		if s.name() == "" {
			t.Errorf("an error would not name %v", s.saved)
		}
		places := s.at(&h)
		if len(places) != len(s.saved) || len(places) != len(s.value) {
			t.Errorf("%s: %d hyperparameters, %d names, %d defaults", s.option, len(places), len(s.saved), len(s.value))
		}
		for k, p := range places {
			if names[s.saved[k]] {
				t.Errorf("%s is saved twice", s.saved[k])
			}
			names[s.saved[k]] = true
			fields[reflect.ValueOf(p).Pointer()] = s.saved[k]
		}
		for _, kind := range everySolver {
			if !s.domain.has(s.defaultOf(kind)) {
				t.Errorf("%s: the default of %s is none that it can have", s.option, kind)
			}
		}
	}
	v := reflect.ValueOf(&h).Elem()
	for i := range v.NumField() {
		if fields[v.Field(i).Addr().Pointer()] == "" {
			t.Errorf("%s is not in the table", v.Type().Field(i).Name)
		}
	}
}

// statement is a default as documentation has it.
func statement(values []any) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprint(v))
	}
	return strings.Join(texts, ", ")
}

// defaultsStatement states the defaults of all solvers that take an option.
func (s *setting) defaultsStatement() string {
	takers := s.takers
	text := "Default " + statement(s.defaultOf(takers[0]))
	done := []string{statement(s.defaultOf(takers[0]))}
	for _, k := range takers[1:] {
		value := statement(s.defaultOf(k))
		if slices.Contains(done, value) {
			continue
		}
		done = append(done, value)
		var alike []string
		for _, other := range takers[1:] {
			if statement(s.defaultOf(other)) == value {
				alike = append(alike, string(other))
			}
		}
		text += "; " + strings.Join(alike, ", ") + " " + value
	}
	return text + "."
}

// words is a text without line breaks.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// documentation returns the comments of this package's functions.
func documentation(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				docs[fn.Name.Name] = fn.Doc.Text()
			}
		}
	}
	return docs
}

func TestEveryOptionDocumentsItsDefaultsAndItsRange(t *testing.T) {
	docs := documentation(t)
	for i := range settings {
		s := &settings[i]
		if s.option == "" || strings.HasPrefix(s.option, "gorgonia.") {
			continue
		}
		doc := words(docs[s.option])
		wants := []string{s.defaultsStatement()}
		if s.domain.symbols != "" {
			wants = append(wants, "Range "+s.domain.symbols+".")
		}
		for _, want := range wants {
			if !strings.Contains(doc, want) {
				t.Errorf("%s: its documentation does not say %q", s.option, want)
			}
		}
		for _, symbol := range strings.Split(s.symbol, ", ") {
			if !strings.Contains(doc, symbol) {
				t.Errorf("%s: its documentation does not name %s", s.option, symbol)
			}
		}
	}
}

func TestEveryConstructorDocumentsItsOptionsAndDefaults(t *testing.T) {
	docs := documentation(t)
	for constructor, k := range map[string]kind{"NewFunnel": funnel, "NewFunnelAdam": funnelAdam, "Augment": augment} {
		doc := words(docs[constructor])
		for i := range settings {
			s := &settings[i]
			line := words(s.option + " " + constructorStatement(s, k))
			if takes := s.option != "" && slices.Contains(s.takers, k); takes && !strings.Contains(doc, line) {
				t.Errorf("%s: its documentation does not say %q", constructor, line)
			}
		}
	}
}

// constructorStatement is an option's symbol and default as a constructor's
// documentation has them.
func constructorStatement(s *setting, k kind) string {
	values := s.defaultOf(k)
	switch {
	case s.domain == bounds:
		return fmt.Sprintf("[%v, %v]", values[0], values[1])
	case s.domain == rateAndSteps:
		return fmt.Sprintf("γw %v, τ %v", values[0], values[1])
	case values[0] == false || s.domain == fromZero || strings.HasSuffix(s.option, "Reg"):
		return "off"
	}
	return s.symbol + " " + statement(values)
}

// The table for readers says what the table of the program says.
func TestTheReadmeStatesTheTable(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range settings {
		if row := settings[i].markdown(); settings[i].option != "" && !strings.Contains(string(readme), row) {
			t.Errorf("README.md of this package lacks the row\n%s", row)
		}
	}
}

// markdown is the option's row in README.md.
func (s *setting) markdown() string {
	row := fmt.Sprintf("| `%s` | %s |", s.option, s.symbol)
	for _, k := range everySolver {
		if slices.Contains(s.takers, k) {
			row += " " + statement(s.defaultOf(k)) + " |"
		} else {
			row += " |"
		}
	}
	return row + fmt.Sprintf(" %s | %s |\n", s.domain.symbols, s.meaning)
}

func TestAnOptionThatIsNilIsAnErrorOfStepAndApply(t *testing.T) {
	for name, s := range map[string]interface {
		gorgonia.Solver
		Apply(...gorgonia.SolverOpt) error
	}{
		"Funnel": NewFunnel(WithGainRate(0.1), nil), "FunnelAdam": NewFunnelAdam(nil), "EGGain": NewEGGain(nil),
		"EGU": NewEGU(nil), "Augmented": Augment(gorgonia.NewVanillaSolver(), nil),
	} {
		var he *HyperparameterError
		if err := s.Step(nil); !errors.As(err, &he) || !strings.Contains(err.Error(), "option number") {
			t.Errorf("%s: Step says %v", name, err)
		}
		if err := s.Apply(nil); !errors.As(err, &he) {
			t.Errorf("%s: Apply says %v", name, err)
		}
		if err := s.Apply(); err != nil {
			t.Errorf("%s: Apply without options says %v", name, err)
		}
		if err := s.Step(nil); err != nil {
			t.Errorf("%s: after Apply Step says %v", name, err)
		}
		if f, ok := s.(*Funnel); ok && name == "Funnel" && f.adaptive.gainRate != 0.1 {
			t.Errorf("the option beside it is lost: %v", f.adaptive.gainRate)
		}
	}
}

func TestASolverThatNoConstructorMadeSaysSo(t *testing.T) {
	for name, s := range map[string]interface {
		gorgonia.Solver
		Apply(...gorgonia.SolverOpt) error
	}{
		"nil Funnel": (*Funnel)(nil), "nil FunnelAdam": (*FunnelAdam)(nil), "nil EGU": (*EGU)(nil), "nil Augmented": (*Augmented)(nil),
		"Funnel": new(Funnel), "FunnelAdam": new(FunnelAdam), "EGU": new(EGU), "Augmented": new(Augmented),
	} {
		for what, err := range map[string]error{"Step": s.Step(nil), "Apply": s.Apply(), "Write": Write(nil, nil, s)} {
			if !errors.Is(err, ErrNotMade) || !strings.Contains(err.Error(), "is made with") {
				t.Errorf("%s: %s says %v", name, what, err)
			}
		}
		if a, ok := s.(Adaptive); ok && a.Adaptations() != nil {
			t.Errorf("%s: it has learned something", name)
		}
		WithGainRate(1)(s) // must not panic
	}
}
