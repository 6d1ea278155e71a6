package sweep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestShardsMakeEveryRunOnce(t *testing.T) {
	all := make([]int, 17)
	for i := range all {
		all[i] = i
	}
	for n := 1; n < 20; n++ {
		count := make([]int, len(all))
		for i := range n {
			for _, r := range Shard(all, i, n) {
				count[r]++
			}
		}
		if slices.Min(count) != 1 || slices.Max(count) != 1 {
			t.Errorf("%d shards make the runs %v times", n, count)
		}
	}
}

func TestALearningRateIsTheSameHoweverItIsWritten(t *testing.T) {
	for _, text := range []string{"1e-6..1", " 1e-6 .. 1 ", "0.000001..1e0", "1e-06,0.00001,1e-4,0.001,1e-2,.1,1.0"} {
		lr, err := LearningRates(text)
		want := []string{"1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1", "1"}
		if err != nil || !slices.Equal(lr, want) {
			t.Errorf("%s: %v, %v", text, lr, err)
		}
	}
}

func TestSeedsMayHaveSpacesAroundThem(t *testing.T) {
	if seeds, err := Seeds(" 1, 3 .. 5 "); err != nil || !slices.Equal(seeds, []uint64{1, 3, 4, 5}) {
		t.Errorf("%v, %v", seeds, err)
	}
}

func TestEveryRunIsSavedOnce(t *testing.T) {
	var saved []int
	double := func(_ context.Context, n int) int { return 2 * n }
	save := func(n int) error { saved = append(saved, n); return nil }
	if err := Do(context.Background(), 3, []int{1, 2, 3, 4, 5, 6, 7}, double, save); err != nil {
		t.Fatal(err)
	}
	slices.Sort(saved)
	if !slices.Equal(saved, []int{2, 4, 6, 8, 10, 12, 14}) {
		t.Errorf("saved %v", saved)
	}
}

func TestAnErrorOfSaveEndsAll(t *testing.T) {
	full, saved := errors.New("disk full"), 0
	err := Do(context.Background(), 2, make([]int, 100), func(_ context.Context, n int) int { return n }, func(int) error { saved++; return full })
	if err != full || saved != 1 {
		t.Errorf("%v after %d runs", err, saved)
	}
}

func TestRunsThatHaveBegunAreDroppedWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	run := func(ctx context.Context, n int) int { sync.OnceFunc(cancel)(); <-ctx.Done(); return n }
	if err := Do(ctx, 2, make([]int, 100), run, func(int) error { t.Error("saved"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
