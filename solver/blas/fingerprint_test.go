package blas

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// fingerprints are the SHA-256 of the results of many products. They come out on
// every machine and in every build: amd64 with AVX2, with AVX-512 and without
// either (-tags purego), GOAMD64=v3, arm64. make fingerprint runs them.
var fingerprints = map[string]string{
	"float32": "657f079eec42e516ddef9136bf5c2c11e4e41cc4dfce2ac827927963ecaddd8d",
	"float64": "758f500ebf122c6881e7dba38c37382a212809d9b33c980d02dbcb05773ff489",
}

// integers makes numbers between −1 and 1, of as many bits as the type has: in
// either, a product that is not rounded before it is added shows.
type integers struct{ rand.PCG }

func fill[T float](from *integers, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(int64(from.Uint64())>>11) / (1 << 52)
	}
	return x
}

func write[T float](h hash.Hash, xs ...T) {
	for _, x := range xs {
		h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(x))))
	}
}

func fingerprint[T float](r routines[T]) string {
	h, from := sha256.New(), new(integers)
	from.Seed(1, 2)
	for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {12, 16, 256}, {37, 45, 300}, {128, 10, 64}, {64, 130, 784}, {1, 200, 600}, {200, 1, 600}} {
		m, n, k := size[0], size[1], size[2]
		for _, tA := range transpositions[:2] {
			for _, tB := range transpositions[:2] {
				a, b, c := fill[T](from, m*k), fill[T](from, k*n), fill[T](from, m*n)
				lda, ldb := k, n
				if tA == blas.Trans {
					lda = m
				}
				if tB == blas.Trans {
					ldb = k
				}
				for _, beta := range []T{0, 1, -0.3} {
					r.gemm(tA, tB, m, n, k, 1-beta/3, a, lda, b, ldb, beta, c, n)
					write(h, c...)
				}
				x, y := fill[T](from, k), fill[T](from, m)
				if tA == blas.NoTrans {
					r.gemv(tA, m, k, 0.7, a, lda, x, 1, 0.1, y, 1)
				} else {
					r.gemv(tA, k, m, 0.7, a, lda, x, -1, 0.1, y, -1)
				}
				write(h, y...)
				r.ger(k, m, 0.9, x, 1, y, 1, a, m)
				write(h, a...)
				write(h, r.dot(k, x, 1, b, 1))
				r.axpy(k, 0.3, b, 1, x, 1)
				write(h, x...)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestProductsHaveTheSameBitsOnEveryMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	eachSet(t, func(t *testing.T) {
		for name, got := range map[string]string{
			"float32": fingerprint(of32(Implementation{})),
			"float64": fingerprint(of64(Implementation{})),
		} {
			if got != fingerprints[name] {
				t.Errorf("%s: %s, not %s", name, got, fingerprints[name])
			}
		}
	})
}
