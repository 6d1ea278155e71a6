package compare

import (
	"errors"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/checkpoint"
)

// saver saves and loads the checkpoints of a job. A nil saver does nothing.
type saver struct {
	options  *Options
	dir      *checkpoint.Directory
	warnings io.Writer
	last     int  // steps of the last checkpoint
	saved    bool // there is a checkpoint
}

// newSaver returns a saver for the directory of a run that is resumed or, where dir
// is nil, for a new one.
func newSaver(o *Options, dir *checkpoint.Directory, warnings io.Writer) (*saver, error) {
	if o.Checkpoint == "" {
		return nil, nil
	}
	if dir == nil {
		var err error
		dir, err = checkpoint.Create(o.Checkpoint)
		if errors.Is(err, checkpoint.ErrTaken) {
			return nil, fmt.Errorf("-checkpoint %s: %w; go on with -resume %[1]s, or name another directory", o.Checkpoint, err)
		}
		if err != nil {
			return nil, fmt.Errorf("-checkpoint %s: %w", o.Checkpoint, cli.Cause(err))
		}
	}
	return &saver{options: o, dir: dir, warnings: warnings}, nil
}

func (s *saver) close() {
	if s != nil {
		s.dir.Close()
	}
}

// restore loads the runs of a job that is resumed, and returns the record of its
// checkpoint; nil if the job is a new one.
func (s *saver) restore(j *Job) (*checkpoint.Record, error) {
	if s == nil || s.options.Resume == "" {
		return nil, nil
	}
	record, err := s.dir.Load(j.comparison.Runs(), s.warn)
	if err == nil && record.Digits != j.digest {
		err = fmt.Errorf("the digits of %s are not those that the run was started with", s.options.Protocol.Data)
	}
	if steps := s.options.Schedule.Steps(); err == nil && record.Steps != steps {
		err = fmt.Errorf("it has %d steps, and its flags now mean %d", record.Steps, steps)
	}
	if err != nil {
		return nil, fmt.Errorf("-resume %s: %w", s.options.Resume, err)
	}
	s.last, s.saved = record.Done, true
	return record, nil
}

// step saves a checkpoint if one is due. If that fails, it warns and the run goes
// on.
func (s *saver) step(j *Job) {
	if s == nil || j.comparison.Done()%s.options.CheckpointEvery > 0 {
		return
	}
	if err := s.save(j); err != nil {
		s.warn(fmt.Errorf("%w; the run goes on", err))
	}
}

func (s *saver) save(j *Job) error {
	if s == nil {
		return nil
	}
	record := checkpoint.Record{
		Flags: s.options.Flags, Arithmetic: s.options.Arithmetic, Ranks: j.ranks.Size(), Digits: j.digest, Done: j.comparison.Done(), Steps: s.options.Schedule.Steps(), History: j.history,
	}
	var err error
	if record.CSV, err = j.files.Written(); err == nil {
		err = s.dir.Save(record, j.comparison.Runs())
	}
	if err == nil {
		s.last, s.saved = record.Done, true
		return nil
	}
	err = fmt.Errorf("-checkpoint %s: step %d: %w", s.options.Checkpoint, record.Done, err)
	if s.saved {
		err = fmt.Errorf("%w; the last checkpoint is of step %d", err, s.last)
	}
	return err
}

func (s *saver) warn(err error) { cli.Complain(s.warnings, Program, err) }
