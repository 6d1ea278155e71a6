package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
	"github.com/seed1e560811/funnel/mnist"
)

// keeper makes the checkpoints of the main job. A nil keeper makes none.
type keeper struct {
	config   *config
	dir      *checkpoint.Directory
	warnings io.Writer
	last     int // steps of the last checkpoint
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

// restore makes the runs of a job what they were, if it is one that goes on, and
// returns what else is known of it.
func (k *keeper) restore(j *comparing) (*checkpoint.Record, error) {
	if k == nil {
		return nil, nil
	}
	if k.config.resume == "" {
		return nil, nil
	}
	record, err := k.dir.Load(j.comparison.Runs(), k.warn)
	if err == nil && record.Digits != j.digits {
		err = fmt.Errorf("the digits of %s are not those that the run was started with", k.config.Data)
	}
	if err == nil && record.Arithmetic != arithmetic {
		err = fmt.Errorf("its matrices were multiplied by %s, and this program has %s; only with the same does it end with the same bits", record.Arithmetic, arithmetic)
	}
	if steps := k.config.schedule.Steps(); err == nil && record.Steps != steps {
		err = fmt.Errorf("it has %d steps, and its flags now mean %d", record.Steps, steps)
	}
	if err != nil {
		return nil, fmt.Errorf("-resume %s: %w", k.config.resume, err)
	}
	k.last, k.config.kept = record.Done, true
	return record, nil
}

// arithmetic is what the bits of a network's gradients depend on. (Those of a
// step of ours depend on nothing but the gradients.)
const arithmetic = blas + "/" + runtime.GOARCH

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

// step makes a checkpoint if it is time to. Where it cannot, it says so, and the
// run goes on.
func (k *keeper) step(j *comparing) {
	if k == nil || j.comparison.Done()%k.config.checkpointEvery > 0 {
		return
	}
	if err := k.save(j); err != nil {
		k.warn(fmt.Errorf("%w; the run goes on", err))
	}
}

// save makes a checkpoint.
func (k *keeper) save(j *comparing) error {
	if k == nil {
		return nil
	}
	record := checkpoint.Record{
		Flags: k.config.given, Arithmetic: arithmetic, Ranks: k.config.ranks.size(), Digits: j.digits, Done: j.comparison.Done(), Steps: k.config.schedule.Steps(), History: j.history,
	}
	var err error
	if record.CSV, err = j.files.written(); err == nil {
		err = k.dir.Save(record, j.comparison.Runs())
	}
	if err == nil {
		k.last, k.config.kept = record.Done, true
		return nil
	}
	err = fmt.Errorf("-checkpoint %s: step %d: %w", k.config.checkpoint, record.Done, err)
	if k.config.kept {
		err = fmt.Errorf("%w; the last checkpoint is of step %d", err, k.last)
	}
	return err
}

func (k *keeper) warn(err error) { complain(k.warnings, failed, err) }
