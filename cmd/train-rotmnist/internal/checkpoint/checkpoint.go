// Package checkpoint saves a comparison of solvers in a directory, so that it can
// go on after an interruption, a crash or a power cut.
//
// A checkpoint is a folder of that directory, step-0000000400 after 400 steps. It
// has run.json, a Record, and for each run that has not failed a file
// N.safetensors, N from 1, with its weights and its solver, as solver.Save writes
// it. The folder is written under another name, and renamed when all of it is on
// the disk.
package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/filelock"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// Directory has the last two checkpoints of a comparison. One process at a
// time has it open.
type Directory struct {
	path string
	lock *os.File
	last int // steps of the newest undamaged checkpoint; -1 if there is none
}

const (
	prefix   = "step-"
	unready  = ".unready" // the folder that is being written
	lockName = ".lock"
)

// ErrTaken says that a directory has a run in it already.
var ErrTaken = errors.New("it has a run in it")

// errNone says that a directory has no checkpoint.
var errNone = errors.New("there is no checkpoint in it")

// Create makes a directory for a new run, or takes one that has no run in it.
// Close it.
func Create(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	d, err := lock(path)
	if err != nil {
		return nil, err
	}
	steps, err := d.list()
	if err == nil && len(steps) > 0 {
		err = ErrTaken
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Open opens a directory that has a run in it. Close it.
func Open(path string) (*Directory, error) {
	steps, err := (&Directory{path: path}).list()
	if err == nil && len(steps) == 0 {
		err = errNone
	}
	if err != nil {
		return nil, err
	}
	return lock(path)
}

func lock(path string) (*Directory, error) {
	f, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	free, err := filelock.TryLock(f)
	if err == nil && !free {
		err = errors.New("another process is using it")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Directory{path: path, lock: f, last: -1}, nil
}

// Close lets other processes have the directory.
func (d *Directory) Close() error { return d.lock.Close() }

// list returns the steps of all checkpoints, the newest first.
func (d *Directory) list() ([]int, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		if n, ok := strings.CutPrefix(e.Name(), prefix); ok && e.IsDir() {
			if step, err := strconv.Atoi(n); err == nil && d.folder(step) == filepath.Join(d.path, e.Name()) {
				steps = append(steps, step)
			}
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	return steps, nil
}

func (d *Directory) folder(step int) string {
	return filepath.Join(d.path, fmt.Sprintf("%s%010d", prefix, step))
}

func values(folder string, run int) string {
	return filepath.Join(folder, fmt.Sprintf("%d.safetensors", run+1))
}

// Save adds a checkpoint with the runs, and with the record r, whose Runs it sets.
// It removes all others except the previous undamaged one; what cannot be removed
// stays until the next Save. On an error the existing checkpoints stay. Save does
// nothing if no step was made since the last checkpoint.
func (d *Directory) Save(r Record, runs []*experiment.Run) error {
	if r.Done == d.last {
		return nil
	}
	folder := filepath.Join(d.path, unready)
	err := d.fill(folder, r, runs)
	if err == nil {
		err = d.install(folder, r.Done)
	}
	if err != nil {
		os.RemoveAll(folder) // frees space on a full disk
		return err
	}
	before := d.last
	d.last = r.Done
	d.prune(d.last, before)
	return nil
}

// fill writes a checkpoint to a folder of its own.
func (d *Directory) fill(folder string, r Record, runs []*experiment.Run) error {
	if err := os.RemoveAll(folder); err != nil { // left by a process that was killed
		return err
	}
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	r.Runs = nil
	for i, run := range runs {
		one := Run{Name: run.Name, Metrics: run.Metrics}
		if err := run.Err(); err != nil {
			one.Error = err.Error()
		} else if err := solver.Save(values(folder, i), run.Model(), spec.Undecayed(run.Solver())); err != nil {
			return fmt.Errorf("%s: %w", run.Name, err)
		}
		r.Runs = append(r.Runs, one)
	}
	return r.write(folder)
}

// install renames a folder to the checkpoint of a step. If there is one already, it
// is damaged and the run has gone on from the one before.
func (d *Directory) install(folder string, step int) error {
	if err := os.RemoveAll(d.folder(step)); err != nil {
		return err
	}
	if err := os.Rename(folder, d.folder(step)); err != nil {
		return err
	}
	return atomicfile.SyncDir(d.path)
}

// prune removes all checkpoints, damaged ones too, except those of the steps keep.
func (d *Directory) prune(keep ...int) {
	steps, _ := d.list()
	for _, step := range steps {
		if slices.Contains(keep, step) {
			continue
		}
		// The record goes first: without it, what remains after a failure is no
		// checkpoint.
		os.Remove(filepath.Join(d.folder(step), recordName))
		os.RemoveAll(d.folder(step))
	}
}

// Newest returns the newest record that can be read, which has the flags of the run.
func (d *Directory) Newest() (*Record, error) {
	return d.newest(func(string, *Record) error { return nil }, func(error) {})
}

// Load restores the runs, which must have the names of those that were saved, from
// the newest checkpoint that is not damaged, and returns its record. It calls warn
// with the reason for each one that it passes over. After an error the runs must
// not be used.
func (d *Directory) Load(runs []*experiment.Run, warn func(error)) (*Record, error) {
	return d.newest(func(folder string, r *Record) error { return r.restore(folder, runs) }, warn)
}

// newest returns the newest record that use accepts.
func (d *Directory) newest(use func(folder string, r *Record) error, warn func(error)) (*Record, error) {
	steps, err := d.list()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, step := range steps {
		r, err := readRecord(d.folder(step))
		if err == nil && r.Done != step {
			err = fmt.Errorf("%s: it is of step %d", d.folder(step), r.Done)
		}
		if err == nil {
			err = use(d.folder(step), r)
		}
		if err == nil {
			for _, err := range errs {
				warn(fmt.Errorf("%w; going on from the checkpoint before, of step %d", err, step))
			}
			d.last = step
			return r, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// restore loads the runs from the folder of a checkpoint.
func (r *Record) restore(folder string, runs []*experiment.Run) error {
	if len(runs) != len(r.Runs) {
		return fmt.Errorf("%s: it is of %d solvers, and this run has %d", folder, len(r.Runs), len(runs))
	}
	for i, run := range runs {
		one := r.Runs[i]
		if run.Name != one.Name {
			return fmt.Errorf("%s: its solver %d is %q, and here %q", folder, i+1, one.Name, run.Name)
		}
		var failure error
		if one.Error != "" {
			failure = errors.New(one.Error)
		} else if err := solver.Load(values(folder, i), run.Model(), spec.Undecayed(run.Solver())); err != nil {
			return err
		}
		run.Restore(one.Metrics, failure)
	}
	return nil
}
