// Package sweep makes many independent runs, several at a time, and reads the
// flags that say which.
package sweep

import (
	"context"
	"sync"
)

// Shard returns every n-th run, the first being number i, from 0. The n shards
// together have every run once.
func Shard[Run any](runs []Run, i, n int) []Run {
	var shard []Run
	for k := i; k < len(runs); k += n {
		shard = append(shard, runs[k])
	}
	return shard
}

// Do makes runs with do, as many at a time as there are workers, and calls save with
// each result, one at a time, in the order in which the runs end. When ctx ends or
// save fails, the runs that have begun are dropped; do must return soon after its
// ctx ends.
func Do[Run, Record any](ctx context.Context, workers int, runs []Run, do func(context.Context, Run) Record, save func(Record) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan Run)
	var saving sync.Mutex
	var working sync.WaitGroup
	for range workers {
		working.Add(1)
		go func() {
			defer working.Done()
			for run := range next {
				record := do(ctx, run)
				saving.Lock()
				if ctx.Err() == nil { // or the run may have been cut short
					if err := save(record); err != nil {
						cancel(err)
					}
				}
				saving.Unlock()
			}
		}()
	}
	for _, run := range runs {
		select {
		case next <- run:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	working.Wait()
	return context.Cause(ctx)
}
