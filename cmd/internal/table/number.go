package table

import (
	"encoding/json"
	"fmt"
	"math"
)

// Number is a float64 that may be missing: NaN or infinite here, null in JSON, –
// in a table.
type Number float64

// Missing tells whether there is no number.
func (n Number) Missing() bool { return math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) }

// MarshalJSON writes null for a number that is missing.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.Missing() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Cell returns a number as a table shows it.
func (n Number) Cell(format func(Number) string) string {
	if n.Missing() {
		return "–"
	}
	return format(n)
}

// Percent formats a fraction of 1 as a percentage with two decimals.
func Percent(n Number) string { return fmt.Sprintf("%.2f%%", 100*float64(n)) }

// Decimals returns a format with d decimals.
func Decimals(d int) func(Number) string {
	return func(n Number) string { return fmt.Sprintf("%.*f", d, float64(n)) }
}

// Significant formats a number with four significant digits.
func Significant(n Number) string { return fmt.Sprintf("%.4g", float64(n)) }
