package output

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
)

func TestTheTableIsAlignedAndShowsWhatIsMissing(t *testing.T) {
	nan := Number(math.NaN())
	var b bytes.Buffer
	if err := Table(&b, []Row{
		{Spec: "funnel", Accuracy: 0.91236, AfterShift: 0.8, Recovery: 45.25, Plateau: 0.95, HeldOut: []float64{0.9, 0.96}, StepMS: 3.456, SolverMS: 0.0512, Scale: 12.3456},
		{Spec: "adam:lr=0.003", Accuracy: 1, AfterShift: nan, Recovery: nan, Plateau: 0.5, StepMS: 10, SolverMS: 1, Scale: nan},
	}); err != nil {
		t.Fatal(err)
	}
	want := `
solver         accuracy  after shift  recovery  plateau  held-out  ms/step  solver ms  scale
funnel           91.24%       80.00%      45.2   95.00%    93.00%     3.46      0.051  12.35
adam:lr=0.003   100.00%            –         –   50.00%         –    10.00      1.000      –
`
	if b.String() != want[1:] {
		t.Errorf("got\n%swant\n%s", b.String(), want[1:])
	}
}

func TestAMissingNumberIsNullInJSON(t *testing.T) {
	b, err := json.Marshal(Row{Scale: Number(math.NaN()), Recovery: Number(math.Inf(1)), Accuracy: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	var r Row
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if !r.Scale.missing() || !r.Recovery.missing() || r.Accuracy != 0.5 || !strings.Contains(string(b), `"scale":null`) {
		t.Errorf("%s", b)
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

func TestProgressIsALineNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, "funnel", "steps", 0, 100)
	p.Set(1, "too early")
	p.spoken = time.Now().Add(-2 * between)
	p.start = time.Now().Add(-50 * time.Second)
	p.Set(50, "accuracy 90%")
	p.End()
	if b.String() != "funnel: 50 of 100, accuracy 90%, 50s left\n" {
		t.Errorf("%q", b.String())
	}
}

// A file that is no terminal gets no bar either.
func TestProgressInAFileHasNoControlCharacters(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := NewProgress(f, "funnel", "steps", 0, 10)
	p.Set(10, "")
	p.End()
	if b, _ := os.ReadFile(f.Name()); len(b) != 0 {
		t.Errorf("%q", b)
	}
}
