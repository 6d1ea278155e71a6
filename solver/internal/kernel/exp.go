package kernel

import (
	"math"
	"unsafe"
)

// Exp is e^x, with the same bits on every machine, which math.Exp does not
// promise. Its argument saturates where the result would leave the normal
// numbers of T, so that it is never 0, subnormal or Inf: at -87.3 and 88.3 for
// float32, -708 and 709 for float64. Exp(0) is 1. The error is below 2 ulp in
// float32 and 1.5 ulp in float64. NaN gives NaN.
func Exp[T Float](x T) T {
	if unsafe.Sizeof(x) == 4 {
		return T(exp32(float32(x)))
	}
	return T(exp64(float64(x)))
}

// e^x = 2^k e^r with r = x − k ln 2, |r| ≤ ln(2)/2, and e^r = 1 + r + r² q(r) by its Taylor series.
// q is evaluated by Horner's rule in r², two terms at a time. ln 2 is split so that k·ln2High is
// exact.
const (
	log2E = 1.44269504088896340735992468100189214

	ln2High32 = 0.693359375
	ln2Low32  = -2.12194440054690582767e-4

	ln2High64 = 6.93147180369123816490e-01
	ln2Low64  = 1.90821492927058770002e-10
)

func exp32(x float32) float32 {
	x = min(max(x, -87.3), 88.3)
	k := float32(math.RoundToEven(float64(float32(x * log2E))))
	r := x - float32(k*ln2High32)
	r = r - float32(k*ln2Low32)
	r2 := r * r
	q := float32(r*(1./5040)) + 1./720
	q = float32(q*r2) + (float32(r*(1./120)) + 1./24)
	q = float32(q*r2) + (float32(r*(1./6)) + 1./2)
	e := float32(q*r2) + r
	e = e + 1
	return e * math.Float32frombits(uint32(int32(k)+127)<<23)
}

func exp64(x float64) float64 {
	x = min(max(x, -708), 709)
	k := math.RoundToEven(float64(x * log2E))
	r := x - float64(k*ln2High64)
	r = r - float64(k*ln2Low64)
	r2 := r * r
	q := float64(r*(1./6227020800)) + 1./479001600
	q = float64(q*r2) + (float64(r*(1./39916800)) + 1./3628800)
	q = float64(q*r2) + (float64(r*(1./362880)) + 1./40320)
	q = float64(q*r2) + (float64(r*(1./5040)) + 1./720)
	q = float64(q*r2) + (float64(r*(1./120)) + 1./24)
	q = float64(q*r2) + (float64(r*(1./6)) + 1./2)
	e := float64(q*r2) + r
	e = e + 1
	return e * math.Float64frombits(uint64(int64(k)+1023)<<52)
}

// Log is ln x of a finite x above 0, with the same bits on every machine, which
// math.Log does not promise. The error is below 2 ulp.
//
// ln x = k ln 2 + 2 atanh f with x = 2^k m, √½ ≤ m < √2 and f = (m − 1)/(m + 1), and
// atanh f = f + f³/3 + f⁵/5 + … by its Taylor series.
func Log(x float64) float64 {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	f := (m - 1) / (m + 1)
	f2, series := float64(f*f), 0.0
	for n := 21.0; n >= 3; n -= 2 {
		series = float64((series + 1/n) * f2)
	}
	rest := float64(float64(k)*ln2Low64) + float64(2*f*series)
	return float64(float64(k)*ln2High64) + (2*f + rest)
}
