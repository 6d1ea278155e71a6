package kernel

import (
	"fmt"
	"math"
	"testing"
)

func TestWhatIsBelowTheSmallestNormalNumberIsFlushed(t *testing.T) {
	testFlush[float32](t, math.SmallestNonzeroFloat32, 0x1p-126)
	testFlush[float64](t, math.SmallestNonzeroFloat64, 0x1p-1022)
}

func testFlush[T Float](t *testing.T, smallest, normal T) {
	t.Helper()
	below := normal - smallest
	for _, c := range []struct{ x, y, flushedX, flushedY T }{
		{smallest, 1, 0, 1},
		{-smallest, -1, 0, -1},
		{below, below, 0, 0},
		{-below, normal, 0, normal},
		{normal, -normal, normal, -normal},
		{1, smallest, 1, 0},
		{0, 0, 0, 0},
	} {
		// Of as many elements as the assembly has, and of as many as it leaves.
		for _, n := range []int{1, 2*lanes + 3} {
			list := func(x T) []T {
				xs := make([]T, n)
				for i := range xs {
					xs[i] = x
				}
				return xs
			}
			check := func(name string, got []T, want T) {
				t.Helper()
				for i := range got {
					if got[i] != want {
						t.Errorf("%s of %v, %v makes element %d %v, want %v", name, c.x, c.y, i, got[i], want)
					}
				}
			}
			nu, m := list(c.x), list(c.y)
			FlushFunnel(nu, m)
			check("FlushFunnel", nu, c.flushedX)
			check("FlushFunnel", m, c.flushedY)

			m, v := list(c.x), list(c.y)
			FlushAdam(m, v)
			check("FlushAdam", m, c.flushedX)
			if c.flushedX == 0 {
				check("FlushAdam", v, c.flushedY)
			} else {
				check("FlushAdam", v, c.y) // as d needs it
			}
		}
	}
}

func TestEachBlockIsFlushedOnceInEveryPeriod(t *testing.T) {
	for block := range 20 {
		for first := range 3 {
			due := 0
			for step := first; step < first+flushPeriod; step++ {
				if FlushDue(step, block) {
					due++
				}
			}
			if due != 1 {
				t.Errorf("block %d is flushed %d times from step %d on", block, due, first)
			}
		}
	}
}

// What one Flush of a block costs, to be divided by flushPeriod for what a step
// pays.
func BenchmarkFlush(b *testing.B) {
	for _, value := range []float32{0, 1} {
		nu, m := make([]float32, Block), make([]float32, Block)
		for i := range nu {
			nu[i], m[i] = value, value
		}
		b.Run(fmt.Sprint("of ", value), func(b *testing.B) {
			for b.Loop() {
				FlushFunnel(nu, m)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/Block, "ns/element")
		})
	}
}
