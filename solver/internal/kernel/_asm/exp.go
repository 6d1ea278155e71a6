package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// exp is x = Exp(x), in the steps of exp.go.
func (f float) exp(x VecVirtual) {
	e := exps[f.bits]
	f.max(f.constantMem(e.min), x, x)
	f.min(f.constantMem(e.max), x, x)
	k, t := YMM(), YMM()
	f.mul(f.constantMem(math.Log2E), x, k)
	f.round(k, k)
	f.mul(f.constantMem(e.ln2High), k, t)
	f.sub(t, x, x)
	f.mul(f.constantMem(e.ln2Low), k, t)
	f.sub(t, x, x)
	f.power(k, k)
	// x is r now.
	r2 := YMM()
	f.mul(x, x, r2)
	q := f.pairs(x, r2, e.terms)
	f.mul(r2, q, q)
	f.add(x, q, q)
	f.add(f.constantMem(1), q, q)
	f.mul(k, q, x)
}

var exps = map[int]struct {
	min, max, ln2High, ln2Low float64
	terms                     []float64 // of (e^r − 1 − r) / r²
}{
	32: {-87.3, 88.3, 0.693359375, -2.12194440054690582767e-4, taylor(6)},
	64: {-708, 709, 6.93147180369123816490e-01, 1.90821492927058770002e-10, taylor(12)},
}

// taylor is 1/2!, 1/3!, ….
func taylor(n int) []float64 {
	terms, factorial := make([]float64, n), 1.0
	for i := range terms {
		factorial *= float64(i + 2)
		terms[i] = 1 / factorial
	}
	return terms
}

// pairs is the polynomial with these terms: Horner's rule in r², for pairs of
// terms, which is half as long a chain as in r.
func (f float) pairs(r, r2 VecVirtual, terms []float64) VecVirtual {
	pair := func(i int) VecVirtual {
		p := YMM()
		f.mul(f.constantMem(terms[i+1]), r, p)
		f.add(f.constantMem(terms[i]), p, p)
		return p
	}
	q := pair(len(terms) - 2)
	for i := len(terms) - 4; i >= 0; i -= 2 {
		p := pair(i)
		f.mul(r2, q, q)
		f.add(p, q, q)
	}
	return q
}

// power is p = 2^k, for an integer k.
func (f float) power(k, p VecVirtual) {
	if f.bits == 32 {
		VCVTPS2DQ(k, p)
		VPADDD(f.integerMem(127), p, p)
		VPSLLD(Imm(23), p, p)
		return
	}
	half := XMM()
	VCVTPD2DQY(k, half)
	VPMOVSXDQ(half, p)
	VPADDQ(f.integerMem(1023), p, p)
	VPSLLQ(Imm(52), p, p)
}
