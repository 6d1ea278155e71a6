package solver

import "math"

// domain is the set of values that an option can have.
type domain struct {
	symbols string // in documentation; empty if the option takes no argument
	words   string // in errors
	has     func(values []any) bool
}

var (
	finiteFromZero = numbers("[0, ∞)", "a finite number of at least 0", func(x float64) bool { return x >= 0 && x <= math.MaxFloat64 })
	finite         = numbers("(−∞, ∞)", "a finite number", isFinite)
	fromZero       = numbers("[0, ∞]", "a number of at least 0", func(x float64) bool { return x >= 0 })
	aboveZero      = numbers("(0, ∞)", "a finite number above 0", func(x float64) bool { return x > 0 && x <= math.MaxFloat64 })
	belowOne       = numbers("[0, 1)", "at least 0 and below 1", func(x float64) bool { return x >= 0 && x < 1 })

	zeroOrFromOne = numbers("0, [1, ∞)", "0 or a finite number of at least 1", func(x float64) bool { return x == 0 || x >= 1 && x <= math.MaxFloat64 })

	rateAndSteps = &domain{"[0, ∞), (0, ∞)", "two finite numbers, rate ≥ 0, steps > 0", func(v []any) bool {
		return finiteFromZero.has(v[:1]) && aboveZero.has(v[1:])
	}}
	bounds = &domain{"0 ≤ min ≤ max < ∞", "two finite numbers, 0 ≤ min ≤ max", func(v []any) bool {
		return 0 <= v[0].(float64) && v[0].(float64) <= v[1].(float64) && v[1].(float64) <= math.MaxFloat64
	}}
	signals      = &domain{"Normalized, Raw", "Normalized or Raw", func(v []any) bool { return v[0] == Normalized || v[0] == Raw }}
	scaleSignals = &domain{"Relative, Normalized, Raw", "Relative, Normalized or Raw", func(v []any) bool { return v[0] == Relative || v[0] == Normalized || v[0] == Raw }}
	scopes       = &domain{"Global, PerParameter", "Global or PerParameter", func(v []any) bool { return v[0] == Global || v[0] == PerParameter }}
	truth        = &domain{"", "true or false", func([]any) bool { return true }}
)

func numbers(symbols, words string, has func(float64) bool) *domain {
	return &domain{symbols, words, func(v []any) bool { return has(v[0].(float64)) }}
}
