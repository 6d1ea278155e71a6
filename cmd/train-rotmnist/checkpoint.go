package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/mnist"
)

// keeper makes the checkpoints of a comparison. A nil keeper makes none.
type keeper struct {
	config     *config
	dir        *checkpoint.Directory
	comparison *experiment.Comparison
	history    *history.History
	digits     string // what the data sets are known by
	warnings   io.Writer
	last       int // steps of the last checkpoint
}

// newKeeper is of the directory of a run that is resumed, or of a new one.
func newKeeper(c *config, dir *checkpoint.Directory, warnings io.Writer) (*keeper, error) {
	if c.checkpoint == "" {
		return nil, nil
	}
	if dir == nil {
		var err error
		dir, err = checkpoint.Create(c.checkpoint)
		if errors.Is(err, checkpoint.ErrTaken) {
			return nil, fmt.Errorf("-checkpoint %s: %w; go on with -resume %[1]s, or name another directory", c.checkpoint, err)
		}
		if err != nil {
			return nil, fmt.Errorf("-checkpoint %s: %w", c.checkpoint, cause(err))
		}
	}
	return &keeper{config: c, dir: dir, warnings: warnings}, nil
}

func (k *keeper) close() {
	if k != nil {
		k.dir.Close()
	}
}

// begin knows the comparison that is kept. Where it is one that is resumed, it
// is restored, and what is known of it returned.
func (k *keeper) begin(comparison *experiment.Comparison, setup *experiment.Setup) (*checkpoint.Record, error) {
	if k == nil {
		return nil, nil
	}
	k.comparison, k.history, k.digits = comparison, new(history.History), digest(setup.Train, setup.Test)
	if k.config.resume == "" {
		return nil, nil
	}
	record, err := k.dir.Load(comparison.Runs(), k.warn)
	if err == nil && record.Digits != k.digits {
		err = fmt.Errorf("the digits of %s are not those that the run was started with", k.config.Data)
	}
	if err == nil && record.Steps != setup.Schedule.Steps() {
		err = fmt.Errorf("it has %d steps, and its flags now mean %d", record.Steps, setup.Schedule.Steps())
	}
	if err != nil {
		return nil, fmt.Errorf("-resume %s: %w", k.config.resume, err)
	}
	comparison.Resume(record.Done)
	k.history = record.History
	k.last, k.config.kept = record.Done, true
	return record, nil
}

// digest is what data sets are known by.
func digest(sets ...*mnist.Dataset) string {
	h := sha256.New()
	for _, d := range sets {
		fmt.Fprintln(h, d.Len())
		h.Write(d.Images)
		h.Write(d.Labels)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// step notes a step, and makes a checkpoint if it is time to. Where it cannot, it says so, and the
// run goes on.
func (k *keeper) step(steps []*experiment.Step, f *files) {
	if k == nil {
		return
	}
	k.history.Add(steps)
	if k.comparison.Done()%k.config.checkpointEvery > 0 {
		return
	}
	if err := k.save(f); err != nil {
		k.warn(fmt.Errorf("%w; the run goes on", err))
	}
}

// save makes a checkpoint.
func (k *keeper) save(f *files) error {
	if k == nil {
		return nil
	}
	done := k.comparison.Done()
	csv, err := f.written()
	if err == nil {
		record := checkpoint.Record{Flags: k.config.given, Digits: k.digits, Done: done, Steps: k.config.schedule.Steps(), CSV: csv, History: k.history}
		err = k.dir.Save(record, k.comparison.Runs())
	}
	if err != nil {
		err = fmt.Errorf("-checkpoint %s: step %d: %w", k.config.checkpoint, done, err)
		if k.config.kept {
			err = fmt.Errorf("%w; the last checkpoint is of step %d", err, k.last)
		}
		return err
	}
	k.last, k.config.kept = done, true
	return nil
}

func (k *keeper) warn(err error) { complain(k.warnings, failed, err) }
