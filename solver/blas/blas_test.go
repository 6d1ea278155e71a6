package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// routines are the methods of a precision.
type routines[T float] struct {
	gemm func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)
	gemv func(tA blas.Transpose, m, n int, alpha T, a []T, lda int, x []T, incX int, beta T, y []T, incY int)
	ger  func(m, n int, alpha T, x []T, incX int, y []T, incY int, a []T, lda int)
	dot  func(n int, x []T, incX int, y []T, incY int) T
	axpy func(n int, alpha T, x []T, incX int, y []T, incY int)
}

type implementation interface {
	blas.Float32
	blas.Float64
}

func of32(i implementation) routines[float32] {
	return routines[float32]{i.Sgemm, i.Sgemv, i.Sger, i.Sdot, i.Saxpy}
}

func of64(i implementation) routines[float64] {
	return routines[float64]{i.Dgemm, i.Dgemv, i.Dger, i.Ddot, i.Daxpy}
}

// operation is the arguments of a gemm.
type operation[T float] struct {
	tA, tB        blas.Transpose
	m, n, k       int
	alpha, beta   T
	a, b, c       []T
	lda, ldb, ldc int
}

func (c *operation[T]) do(r routines[T]) {
	r.gemm(c.tA, c.tB, c.m, c.n, c.k, c.alpha, c.a, c.lda, c.b, c.ldb, c.beta, c.c, c.ldc)
}

func (c *operation[T]) String() string {
	return fmt.Sprintf("%T: %c%c %d×%d×%d, α %v, β %v, leading dimensions %d %d %d", c.alpha, c.tA, c.tB, c.m, c.n, c.k, c.alpha, c.beta, c.lda, c.ldb, c.ldc)
}

// define computes C as the definition has it, an element after the other.
func (c *operation[T]) define() []T {
	result := slices.Clone(c.c)
	a, b := rowMajor(c.a, c.lda, c.tA), rowMajor(c.b, c.ldb, c.tB)
	for i := range c.m {
		for j := range c.n {
			e := &result[i*c.ldc+j]
			if c.alpha == 0 || c.k == 0 {
				if c.beta == 0 {
					*e = 0
				} else {
					*e *= c.beta
				}
				continue
			}
			beta := c.beta
			for k := 0; k < c.k; k += blockDepth {
				x, y := a.from(i, k), b.from(k, j)
				*e = update(c.alpha, sum(min(blockDepth, c.k-k), x.data, x.column, y.data, y.row), beta, *e)
				beta = 1
			}
		}
	}
	return result
}

// source makes elements.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

// elements are between −1 and 1, with a zero of either sign now and then. They
// begin at odd places, so that they are not aligned.
func elements[T float](s source, n int) []T {
	x := make([]T, n+3)[1+s.IntN(3):][:n]
	for i := range x {
		switch s.IntN(20) {
		case 0:
			x[i] = T(math.Copysign(0, s.Float64()-0.5))
		default:
			x[i] = T(2*s.Float64() - 1)
		}
	}
	return x
}

// length is what a matrix needs.
func length(rows, columns, stride int) int {
	if rows == 0 {
		return 0
	}
	return (rows-1)*stride + columns
}

// newOperation is a gemm with C in the midst of other numbers and gaps between rows.
func newOperation[T float](s source, tA, tB blas.Transpose, m, n, k int, alpha, beta T) *operation[T] {
	c := &operation[T]{tA: tA, tB: tB, m: m, n: n, k: k, alpha: alpha, beta: beta}
	rows, columns := m, k
	if tA != blas.NoTrans {
		rows, columns = k, m
	}
	c.lda = max(1, columns) + s.IntN(4)
	c.a = elements[T](s, length(rows, columns, c.lda))
	rows, columns = k, n
	if tB != blas.NoTrans {
		rows, columns = n, k
	}
	c.ldb = max(1, columns) + s.IntN(4)
	c.b = elements[T](s, length(rows, columns, c.ldb))
	c.ldc = max(1, n) + s.IntN(4)
	c.c = elements[T](s, length(m, n, c.ldc)+s.IntN(4))
	return c
}

// same fails where bits differ, other than those of one NaN from those of another.
func same[T float](t *testing.T, what fmt.Stringer, got, want []T) {
	t.Helper()
	for i := range want {
		if float64bits(got[i]) != float64bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("%v: element %d is %v, by the definition %v", what, i, got[i], want[i])
		}
	}
}

func float64bits[T float](x T) uint64 { return math.Float64bits(float64(x)) }

// transpositions of real matrices; ConjTrans is Trans.
var transpositions = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}

// sizes of m, n and k: none, one, those around tiles, panels, blocks, pieces.
var sizes = [][3]int{
	{0, 3, 3}, {3, 0, 3}, {3, 3, 0}, {1, 1, 1}, {1, 16, 5}, {1, 70, 300}, {70, 1, 300}, {2, 3, 4}, {6, 16, 8}, {7, 17, 9},
	{11, 15, 31}, {12, 16, 32}, {13, 33, 255}, {25, 64, 256}, {24, 65, 257}, {37, 29, 600}, {128, 10, 64}, {100, 530, 3}, {205, 20, 513},
}

func checkAll[T float](t *testing.T, r routines[T]) {
	s := newSource(1)
	for i, tA := range transpositions {
		for _, tB := range transpositions[i/2*2:][:2-i/2] {
			for _, size := range sizes {
				for _, scalars := range [][2]T{{1, 0}, {1, 1}, {0, 0.5}, {0, 0}, {-0.7, 0}, {0.3, -1.1}, {0, 1}} {
					c := newOperation(s, tA, tB, size[0], size[1], size[2], scalars[0], scalars[1])
					want := c.define()
					c.do(r)
					same(t, c, c.c, want)
				}
			}
		}
	}
}

func TestEveryProductHasTheBitsOfTheDefinition(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	eachSet(t, func(t *testing.T) {
		checkAll(t, of32(Implementation{}))
		checkAll(t, of64(Implementation{}))
	})
}

func TestRowsThatShareTheirPlacesInTheCacheHaveTheBitsOfTheDefinition(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		s := newSource(2)
		for _, tA := range transpositions[:2] {
			c := newOperation[float32](s, tA, blas.NoTrans, 30, 70, 40, 1, 0)
			c.lda = 1024
			c.a = elements[float32](s, 40*c.lda)
			want := c.define()
			c.do(of32(Implementation{}))
			same(t, c, c.c, want)
		}
	})
}

func TestNaNAndInfGoWhereTheDefinitionTakesThem(t *testing.T) {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0}
	eachSet(t, func(t *testing.T) {
		s := newSource(3)
		for range 300 {
			pick := func() float32 { return special[s.IntN(len(special))] }
			scalar := func() float32 {
				if s.IntN(4) == 0 {
					return pick()
				}
				return []float32{0, 1, 0.5}[s.IntN(3)]
			}
			c := newOperation(s, transpositions[s.IntN(2)], transpositions[s.IntN(2)], 1+s.IntN(30), 1+s.IntN(40), s.IntN(300), scalar(), scalar())
			for _, x := range [][]float32{c.a, c.b, c.c} {
				for range 3 {
					if len(x) > 0 {
						x[s.IntN(len(x))] = pick()
					}
				}
			}
			want := c.define()
			c.do(of32(Implementation{}))
			same(t, c, c.c, want)
		}
	})
}

func TestZeroTimesNaNIsNaN(t *testing.T) {
	c := []float32{5}
	Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, 1, 1, 2, 1, []float32{0, 1}, 2, []float32{float32(math.NaN()), 1}, 1, 0, c, 1)
	if c[0] == c[0] {
		t.Errorf("0·NaN + 1·1 is %v", c[0])
	}
}

// cores sets GOMAXPROCS for a test.
func cores(t *testing.T, n int) {
	t.Helper()
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func TestTheNumberOfCoresDoesNotMatter(t *testing.T) {
	s := newSource(4)
	for _, size := range [][3]int{{150, 140, 300}, {5, 900, 280}, {900, 5, 280}, {64, 1040, 20}} {
		for _, tA := range transpositions[:2] {
			for _, tB := range transpositions[:2] {
				c := newOperation(s, tA, tB, size[0], size[1], size[2], 0.9, float32(0.1))
				want, before := c.define(), slices.Clone(c.c)
				for n := 1; n <= 4; n++ {
					cores(t, n)
					copy(c.c, before)
					c.do(of32(Implementation{}))
					same(t, c, c.c, want)
				}
			}
		}
	}
}

func TestCallersDoNotDisturbEachOther(t *testing.T) {
	cores(t, 4)
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			s := newSource(uint64(i))
			for range 5 {
				c := newOperation(s, transpositions[s.IntN(2)], transpositions[s.IntN(2)], 60+s.IntN(50), 60+s.IntN(50), 100+s.IntN(200), 1, float64(0))
				want := c.define()
				c.do(of64(Implementation{}))
				for i := range want {
					if c.c[i] != want[i] {
						t.Errorf("%v: element %d is %v, by the definition %v", c, i, c.c[i], want[i])
						return
					}
				}
			}
		}()
	}
	callers.Wait()
}

func TestAProductAllocatesNothing(t *testing.T) {
	s := newSource(5)
	for n := 1; n <= 2; n++ {
		cores(t, n)
		for _, size := range [][3]int{{9, 17, 5}, {128, 128, 300}} {
			c := newOperation(s, blas.Trans, blas.Trans, size[0], size[1], size[2], 1, float32(0))
			c.do(of32(Implementation{}))
			// One in many may still meet a helper of its own for the first time.
			if allocations := testing.AllocsPerRun(200, func() { c.do(of32(Implementation{})) }); allocations > 0 {
				t.Errorf("%v, %d cores: %v allocations", c, n, allocations)
			}
		}
		x, y, a := elements[float64](s, 400), elements[float64](s, 400), elements[float64](s, 200*200)
		if allocations := testing.AllocsPerRun(100, func() {
			Implementation{}.Dgemv(blas.NoTrans, 200, 200, 1, a, 200, x, 2, 0, y, 2)
			Implementation{}.Dger(200, 200, 0.1, x, -2, y, 2, a, 200)
			Implementation{}.Ddot(200, x, 2, y, -2)
			Implementation{}.Daxpy(200, 0.1, x, 2, y, 2)
		}); allocations > 0 {
			t.Errorf("vectors: %v allocations", allocations)
		}
	}
}

func TestProductsAreGonumsToRounding(t *testing.T) {
	s := newSource(6)
	for range 50 {
		c := newOperation(s, transpositions[s.IntN(2)], transpositions[s.IntN(2)], s.IntN(90), s.IntN(90), s.IntN(600), 2*s.Float64()-1, 2*s.Float64()-1)
		ours := slices.Clone(c.c)
		c.do(of64(gonum.Implementation{}))
		c.c, ours = ours, c.c
		c.do(of64(Implementation{}))
		for i := range ours {
			if math.Abs(ours[i]-c.c[i]) > 1e-13*float64(c.k+1) {
				t.Fatalf("%v: element %d is %v, gonum's %v", c, i, c.c[i], ours[i])
			}
		}
	}
}

// strided is x with its elements inc apart, and how it was.
func strided[T float](x []T, inc int) []T {
	y := make([]T, max(0, (len(x)-1)*max(inc, -inc)+1))
	scatter(x, y, inc)
	if inc == 1 {
		copy(y, x)
	}
	return y
}

type text string

func (t text) String() string { return string(t) }

func checkVectors[T float](t *testing.T, r routines[T]) {
	s := newSource(7)
	for _, size := range [][2]int{{1, 1}, {1, 40}, {40, 1}, {13, 300}, {300, 13}, {70, 530}} {
		for _, incX := range []int{1, 2, -1, -3} {
			for _, incY := range []int{1, 3, -1, -2} {
				m, n := size[0], size[1]
				what := text(fmt.Sprintf("%T %d×%d, increments %d %d", T(0), m, n, incX, incY))
				// A product's row or column in contiguous vectors is the same.
				for _, tA := range transpositions {
					c := newOperation[T](s, tA, blas.NoTrans, m, 1, n, 0.7, 0.3)
					c.ldb, c.ldc = 1, 1
					c.b, c.c = elements[T](s, n), elements[T](s, m)
					want := c.define()
					rows, columns := m, n
					if tA != blas.NoTrans {
						rows, columns = n, m
					}
					y := strided(c.c, incY)
					r.gemv(tA, rows, columns, c.alpha, c.a, c.lda, strided(c.b, incX), incX, c.beta, y, incY)
					same(t, what, y, strided(want, incY))
				}

				c := newOperation[T](s, blas.NoTrans, blas.NoTrans, m, n, 1, 0.7, 1)
				c.a, c.b, c.lda, c.ldb = elements[T](s, m), elements[T](s, n), 1, n
				want := c.define()
				r.ger(m, n, c.alpha, strided(c.a, incX), incX, strided(c.b, incY), incY, c.c, c.ldc)
				same(t, what, c.c, want)

				x, y := elements[T](s, m*n), elements[T](s, m*n)
				c = &operation[T]{tA: blas.NoTrans, tB: blas.NoTrans, m: 1, n: 1, k: m * n, alpha: 1, a: x, lda: m * n, b: y, ldb: 1, c: make([]T, 1), ldc: 1}
				same(t, what, []T{r.dot(m*n, strided(x, incX), incX, strided(y, incY), incY)}, c.define())

				want = make([]T, m*n)
				for i := range want {
					want[i] = y[i] + T(-0.3*x[i])
				}
				y = strided(y, incY)
				r.axpy(m*n, -0.3, strided(x, incX), incX, y, incY)
				same(t, what, y, strided(want, incY))
			}
		}
	}
}

func TestVectorsHaveTheBitsOfTheDefinition(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; without -short it runs")
	}
	eachSet(t, func(t *testing.T) {
		checkVectors(t, of32(Implementation{}))
		checkVectors(t, of64(Implementation{}))
	})
}

// wrong calls each method with one argument that is not right.
func wrong[T float](r routines[T]) map[string]func() {
	x := make([]T, 12)
	calls := map[string]func(){}
	type arguments struct {
		tA, tB        blas.Transpose
		m, n, k       int
		a, b, c       []T
		lda, ldb, ldc int
	}
	for name, change := range map[string]func(*arguments){
		"tA": func(a *arguments) { a.tA = 'x' }, "tB": func(a *arguments) { a.tB = 'x' },
		"m": func(a *arguments) { a.m = -1 }, "n": func(a *arguments) { a.n = -1 }, "k": func(a *arguments) { a.k = -1 },
		"lda": func(a *arguments) { a.lda = 2 }, "ldb": func(a *arguments) { a.ldb = 3 }, "ldc": func(a *arguments) { a.ldc = 3 },
		"a": func(a *arguments) { a.a = x[:5] }, "b": func(a *arguments) { a.b = x[:11] }, "c": func(a *arguments) { a.c = x[:7] },
		"nothing": func(*arguments) {},
	} {
		calls["gemm, "+name] = func() {
			a := arguments{blas.NoTrans, blas.NoTrans, 2, 4, 3, x[:6], x, x, 3, 4, 4}
			change(&a)
			r.gemm(a.tA, a.tB, a.m, a.n, a.k, 1, a.a, a.lda, a.b, a.ldb, 0, a.c, a.ldc)
		}
	}
	for _, inc := range []int{0, 2, -2} {
		calls[fmt.Sprint("gemv, increment of x ", inc)] = func() { r.gemv(blas.NoTrans, 3, 4, 1, x, 4, x[:4], inc, 0, x[:3], 1) }
		calls[fmt.Sprint("gemv, increment of y ", inc)] = func() { r.gemv(blas.Trans, 3, 4, 1, x, 4, x[:3], 1, 0, x[:4], inc) }
		calls[fmt.Sprint("ger, increment of x ", inc)] = func() { r.ger(3, 4, 1, x[:3], inc, x[:4], 1, x, 4) }
		calls[fmt.Sprint("dot, increment of x ", inc)] = func() { r.dot(4, x[:4], inc, x[:4], 1) }
		calls[fmt.Sprint("axpy, increment of y ", inc)] = func() { r.axpy(4, 1, x[:4], 1, x[:4], inc) }
	}
	calls["gemv, short a"] = func() { r.gemv(blas.NoTrans, 3, 4, 1, x[:11], 4, x, 1, 0, x, 1) }
	calls["ger, short a"] = func() { r.ger(3, 4, 1, x, 1, x, 1, x[:11], 4) }
	calls["dot, short y"] = func() { r.dot(4, x, 1, x[:3], 1) }
	calls["dot, n below 0"] = func() { r.dot(-1, x, 1, x, 1) }
	calls["axpy, n below 0"] = func() { r.axpy(-1, 1, x, 1, x, 1) }
	return calls
}

// said is what f panics with.
func said(f func()) (what any) {
	defer func() { what = recover() }()
	f()
	return nil
}

func TestArgumentsThatAreWrongPanicAsGonumsDo(t *testing.T) {
	check := func(ours, gonums map[string]func()) {
		for name := range ours {
			if got, want := said(ours[name]), said(gonums[name]); got != want {
				t.Errorf("%s: %v; gonum: %v", name, got, want)
			}
		}
	}
	check(wrong(of32(Implementation{})), wrong(of32(gonum.Implementation{})))
	check(wrong(of64(Implementation{})), wrong(of64(gonum.Implementation{})))
}

func FuzzProduct(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint16(3), uint16(4), uint16(5), float32(1), float32(0))
	f.Add(uint64(2), uint8(3), uint16(13), uint16(17), uint16(257), float32(-0.5), float32(2))
	f.Add(uint64(3), uint8(6), uint16(130), uint16(128), uint16(100), float32(math.NaN()), float32(math.Inf(1)))
	f.Fuzz(func(t *testing.T, seed uint64, how uint8, m, n, k uint16, alpha, beta float32) {
		s := newSource(seed)
		tA, tB := transpositions[how%2], transpositions[how/2%2]
		if how&4 == 0 {
			check(t, newOperation(s, tA, tB, int(m%200), int(n%600), int(k%600), alpha, beta), of32(Implementation{}))
		} else {
			check(t, newOperation(s, tA, tB, int(m%200), int(n%600), int(k%600), float64(alpha), float64(beta)), of64(Implementation{}))
		}
	})
}

func check[T float](t *testing.T, c *operation[T], r routines[T]) {
	want, before := c.define(), slices.Clone(c.c)
	eachSet(t, func(t *testing.T) {
		copy(c.c, before)
		c.do(r)
		same(t, c, c.c, want)
	})
}

func TestAxpyOfNothingReadsNothing(t *testing.T) {
	y := []float64{math.Copysign(0, -1), 2}
	Implementation{}.Daxpy(2, 0, []float64{math.NaN(), math.Inf(1)}, 1, y, 1)
	if !math.Signbit(y[0]) || y[1] != 2 {
		t.Errorf("y is %v, want [-0 2]", y)
	}
}
