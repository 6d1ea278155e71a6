package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Solver is a checkpoint's record of a solver, without tensors.
type Solver struct {
	Kind            string                     `json:"kind"`
	Hyperparameters map[string]json.RawMessage `json:"hyperparameters,omitempty"` // only of this module's solvers
	Steps           int                        `json:"steps"`                     // 0 for an EGU
	Scale           float64                    `json:"scale,omitempty"`           // s with Global scope
	Parameters      []Parameter                `json:"parameters,omitempty"`
	Inner           *Solver                    `json:"inner,omitempty"` // of an Augmented
	Adapting
}

// Parameter is a checkpoint's record of a solver's state of one parameter, without tensors.
type Parameter struct {
	Name      string    `json:"name"`
	Steps     int       `json:"steps"`
	Scale     float64   `json:"scale"`               // s of its last step
	Direction []float64 `json:"direction,omitempty"` // of a FunnelAdam: the coefficients of d
	Start     float64   `json:"start,omitempty"`     // of a FunnelAdam: the weight of m_0 in m. Absent: β1^steps
	Flushes   bool      `json:"flushes,omitempty"`   // subnormal state is set to 0. Absent: it stays
	Averages  bool      `json:"averages,omitempty"`  // it has a step average
	Likeness  float64   `json:"likeness,omitempty"`  // of an Augmented: q, how alike its last steps were. Absent: 0
	Adapting
}

// Adapting is the state of a scale's adaptation. Files from before it existed lack it, which means
// that every step moved something.
type Adapting struct {
	Idle  int  `json:"idle,omitempty"`  // how many of the steps moved nothing
	Still bool `json:"still,omitempty"` // the last step moved nothing
	Learned
}

// Learned is what a scale's adaptation has learned besides the scale. A field is 0 until it is
// first set, and in files from before it existed.
type Learned struct {
	GradientNorm    float64 `json:"gradient_norm,omitempty"`    // ḡ, the running size of the gradient
	GradientPeak    float64 `json:"gradient_peak,omitempty"`    // G, which follows ḡ upwards
	GradientLargest float64 `json:"gradient_largest,omitempty"` // the largest ḡ since step τ
	GradientLow     float64 `json:"gradient_low,omitempty"`     // ḡ_low, the recent minimum of ḡ
	ValueLength     float64 `json:"value_length,omitempty"`     // ‖θ‖̄, the running mean of ‖θ‖

	// over steps that moved something
	ScaleSum float64 `json:"scale_sum,omitempty"` // A, the sum of the scales before the floor, outside of warm-ups
	ScaleLog float64 `json:"scale_log,omitempty"` // ln s̄, the mean of their logarithms
	Steady   float64 `json:"steady,omitempty"`    // T, the sum of the steps' weights in A

	WarmupSum   float64 `json:"warmup_sum,omitempty"`   // B, the same sum in warm-ups
	WarmupSteps float64 `json:"warmup_steps,omitempty"` // W, the sum of the steps' weights in B

	GradientRatio float64 `json:"gradient_ratio,omitempty"` // r, the last ‖g‖ over ḡ
	Warmup        float64 `json:"warmup,omitempty"`         // w, the weight of the warm-up, if it may begin again
	SignalSquare  float64 `json:"signal_square,omitempty"`  // σ², the running mean of c²
	Signal        float64 `json:"signal,omitempty"`         // z, the last c over σ
	SignalMean    float64 `json:"signal_mean,omitempty"`    // c̄, the running mean of c after warm-ups
	AverageSignal float64 `json:"average_signal,omitempty"` // ā, the running mean of the step average's part of the cosine
	AverageSteps  float64 `json:"average_steps,omitempty"`  // L, the number of steps in a step average that grows longer
}

// MaxSteps exceeds every real number of steps.
const MaxSteps = 1 << 53

func parseSolver(text string) (*Solver, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	s := new(Solver)
	err := d.Decode(s)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return s, nil
		}
		err = errors.New("more than one value")
	}
	if _, name, unknown := strings.Cut(err.Error(), "json: unknown field "); unknown {
		return nil, fmt.Errorf("%w: its solver has %s, which is not known here", ErrVersion, name)
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, solverKey, err)
}

// Number is a float64 in JSON: a number, or a string for NaN and Inf, which an option that the
// solver ignores may be set to.
type Number float64

// MarshalJSON writes the shortest text that reads as the same number.
func (x *Number) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(*x), 'g', -1, 64)
	if math.IsNaN(float64(*x)) || math.IsInf(float64(*x), 0) {
		return strconv.AppendQuote(nil, string(text)), nil
	}
	return text, nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (x *Number) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	*x = Number(f)
	return err
}
