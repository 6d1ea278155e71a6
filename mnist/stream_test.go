package mnist

import (
	"math"
	"runtime"
	"slices"
	"testing"
	"time"
)

func jumps(t testing.TB, angles []float64, steps int) Schedule {
	t.Helper()
	s, err := Jumps(angles, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stream(t testing.TB, d *Dataset, s Schedule, batch int, seed uint64, opts ...StreamOption) *Stream {
	t.Helper()
	st, err := NewStream(d, s, batch, seed, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st
}

func TestSchedulesGiveEveryStepItsAngle(t *testing.T) {
	drift, err := Drift(0.5, 4)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		schedule Schedule
		phases   int
		want     []float64
	}{
		"jumps": {jumps(t, []float64{0, 60, -90}, 2), 3, []float64{0, 0, 60, 60, -90, -90}},
		"drift": {drift, 1, []float64{0, 0.5, 1, 1.5}},
	} {
		if c.schedule.Steps() != len(c.want) || c.schedule.Phases() != c.phases {
			t.Errorf("%s: %d steps in %d phases", name, c.schedule.Steps(), c.schedule.Phases())
		}
		for i, want := range c.want {
			if got := c.schedule.Angle(i); got != want {
				t.Errorf("%s: step %d at %v°, want %v°", name, i, got, want)
			}
		}
	}
}

func TestAScheduleThatCannotBeIsAnError(t *testing.T) {
	for name, f := range map[string]func() (Schedule, error){
		"no angles": func() (Schedule, error) { return Jumps(nil, 10) },
		"no steps":  func() (Schedule, error) { return Jumps([]float64{0}, 0) },
		"NaN":       func() (Schedule, error) { return Jumps([]float64{0, math.NaN()}, 10) },
		"Inf drift": func() (Schedule, error) { return Drift(math.Inf(1), 10) },
		"-1 steps":  func() (Schedule, error) { return Drift(1, -1) },
		"too many":  func() (Schedule, error) { return Jumps([]float64{0, 1}, math.MaxInt) },
		"far drift": func() (Schedule, error) { return Drift(1e308, 3) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAStreamFollowsFromItsSeed(t *testing.T) {
	d := Synthetic(50, 1)
	read := func(seed uint64) (labels []byte, images []float32) {
		s := stream(t, d, jumps(t, []float64{0, 30}, 8), 7, seed)
		for b := s.Next(); b != nil; b = s.Next() {
			labels = append(labels, b.Labels...)
			images = append(images, b.Images...)
		}
		return labels, images
	}
	l1, i1 := read(1)
	l2, i2 := read(1)
	l3, i3 := read(2)
	if !slices.Equal(l1, l2) || !slices.Equal(i1, i2) {
		t.Error("one seed, two streams")
	}
	if slices.Equal(l1, l3) && slices.Equal(i1, i3) {
		t.Error("two seeds, one stream")
	}
	if len(l1) != 16*7 {
		t.Errorf("%d labels, want 16 batches of 7", len(l1))
	}
}

// indexed is a data set whose images tell their number.
func indexed(n int) *Dataset {
	d := &Dataset{Images: make([]byte, n*Pixels), Labels: make([]byte, n)}
	for i := range n {
		d.Image(i)[0], d.Labels[i] = byte(i), byte(i%Classes)
	}
	return d
}

func TestBatchesAreDrawnWithoutReplacement(t *testing.T) {
	const n, batch = 50, 8 // 6 batches an epoch, 2 images left over
	s := stream(t, indexed(n), jumps(t, []float64{0}, 18), batch, 1)
	seen := map[int]bool{}
	var first []int
	for b := s.Next(); b != nil; b = s.Next() {
		if b.Step%6 == 0 {
			clear(seen)
		}
		for k, l := range b.Labels {
			i := int(math.Round(float64(b.Images[k*Pixels]) * 255))
			if seen[i] || l != byte(i%Classes) {
				t.Fatalf("step %d: image %d with label %d, seen before: %v", b.Step, i, l, seen[i])
			}
			seen[i] = true
			if b.Step%6 == 0 {
				first = append(first, i)
			}
		}
	}
	if slices.Equal(first[:batch], first[batch:2*batch]) {
		t.Error("the second epoch is in the order of the first")
	}
}

func TestBatchesAreRotatedAsTheScheduleSays(t *testing.T) {
	d := Synthetic(10, 1)
	s := stream(t, d, jumps(t, []float64{0, 37}, 1), 10, 1)
	upright := append([]float32(nil), s.Next().Images...)
	turned := s.Next()
	if turned.Angle != 37 || turned.Step != 1 {
		t.Errorf("step %d at %v°", turned.Step, turned.Angle)
	}
	if slices.Equal(upright, turned.Images) {
		t.Error("nothing is rotated")
	}
	want := make([]float32, Pixels)
	found := false
	for i := range d.Len() {
		NewRotation(37).Apply(want, d.Image(i))
		found = found || slices.Equal(want, turned.Images[:Pixels])
	}
	if !found {
		t.Error("the first image is none of the data set turned by 37°")
	}
}

func TestABatchLargerThanTheDataIsAnError(t *testing.T) {
	for _, batch := range []int{0, -1, 11} {
		if _, err := NewStream(Synthetic(10, 1), jumps(t, []float64{0}, 1), batch, 1); err == nil {
			t.Errorf("batch of %d: no error", batch)
		}
	}
}

func TestClosingAStreamEarlyLeaksNoGoroutine(t *testing.T) {
	d := Synthetic(100, 1)
	before := runtime.NumGoroutine()
	for taken := range 20 {
		s, err := NewStream(d, jumps(t, []float64{0}, 1000), 10, 1)
		if err != nil {
			t.Fatal(err)
		}
		for range taken {
			s.Next()
		}
		s.Close()
		s.Close() // twice does no harm
		if s.Next() != nil {
			t.Error("a batch after Close")
		}
	}
	// A goroutine that has done its work may take a moment to be gone.
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// The share of its time that a trainer waits for its batches.
func BenchmarkTrainerWaits(b *testing.B) {
	data := Synthetic(5000, 1)
	m := newTestMLP(b, []int{128, 64}, 128, 1)
	s := stream(b, data, jumps(b, []float64{0, 60, 120}, 1_000_000), 128, 1)
	var waited time.Duration
	for b.Loop() {
		start := time.Now()
		batch := s.Next()
		waited += time.Since(start)
		if err := m.Run(batch.Images, batch.Labels); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100*waited.Seconds()/b.Elapsed().Seconds(), "%waiting")
}

func TestAStreamFromALaterStepGoesOnWithTheSameBatches(t *testing.T) {
	d, schedule := Synthetic(50, 1), jumps(t, []float64{0, 30}, 10)
	whole := stream(t, d, schedule, 7, 1)
	var batches []Batch
	for b := whole.Next(); b != nil; b = whole.Next() {
		batches = append(batches, Batch{b.Step, b.Epoch, b.Index, b.Angle, slices.Clone(b.Images), slices.Clone(b.Labels)})
	}
	for _, first := range []int{1, 7, 13, 20} { // within an epoch of 7 batches, at its start, and at the end
		s := stream(t, d, schedule, 7, 1, From(first))
		for _, want := range batches[first:] {
			b := s.Next()
			if b == nil || b.Step != want.Step || b.Epoch != want.Epoch || b.Index != want.Index || b.Angle != want.Angle || !slices.Equal(b.Labels, want.Labels) || !slices.Equal(b.Images, want.Images) {
				t.Fatalf("from step %d: step %d is another batch", first, want.Step)
			}
		}
		if b := s.Next(); b != nil {
			t.Errorf("from step %d: a batch after the last", first)
		}
	}
}

func TestThePartsOfAllRanksAreTogetherTheBatch(t *testing.T) {
	d, schedule := Synthetic(50, 1), jumps(t, []float64{0, 30}, 10)
	whole := stream(t, d, schedule, 12, 1)
	var parts []*Stream
	for rank := range 3 {
		parts = append(parts, stream(t, d, schedule, 12, 1, OfRank(rank, 3)))
	}
	for want := whole.Next(); want != nil; want = whole.Next() {
		var images []float32
		var labels []byte
		for _, s := range parts {
			b := s.Next()
			if b.Step != want.Step || b.Angle != want.Angle || len(b.Labels) != 4 {
				t.Fatalf("step %d: a part is of step %d, and has %d images", want.Step, b.Step, len(b.Labels))
			}
			images, labels = append(images, b.Images...), append(labels, b.Labels...)
		}
		if !slices.Equal(images, want.Images) || !slices.Equal(labels, want.Labels) {
			t.Fatalf("step %d: the parts are not the batch", want.Step)
		}
	}
}

func TestAStreamOfNoStepOrRankIsAnError(t *testing.T) {
	d, schedule := Synthetic(50, 1), jumps(t, []float64{0}, 10)
	for name, opt := range map[string]StreamOption{
		"12 images among 5 ranks": OfRank(0, 5), "rank 3 of 3": OfRank(3, 3), "rank -1": OfRank(-1, 3), "of no ranks": OfRank(0, 0), "from step -1": From(-1),
	} {
		if _, err := NewStream(d, schedule, 12, 1, opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
