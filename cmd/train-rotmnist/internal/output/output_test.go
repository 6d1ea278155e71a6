package output

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
)

func TestTheTableIsAlignedAndShowsWhatIsMissing(t *testing.T) {
	nan := table.Number(math.NaN())
	var b bytes.Buffer
	if err := Table(&b, []results.Row{
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
