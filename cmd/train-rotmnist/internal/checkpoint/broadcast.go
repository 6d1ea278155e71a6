package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/solvers"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
)

// ErrFirst is what other ranks know of a failure of rank 0.
var ErrFirst = errors.New("rank 0 has no checkpoint")

// Broadcast gives rank 0's record to every rank. Rank 0 passes nil where it has
// none, and the others get ErrFirst.
func Broadcast(w *distributed.World, r *Record) (*Record, error) {
	var text []byte
	if r != nil {
		var err error
		if text, err = json.Marshal(r); err != nil {
			return nil, err
		}
	}
	text, err := w.Broadcast(text)
	if err != nil || w.Rank() == 0 {
		return r, err
	}
	if text == nil {
		return nil, ErrFirst
	}
	r = new(Record)
	return r, json.Unmarshal(text, r)
}

// BroadcastRuns gives the runs of rank 0, which it has loaded, to every rank:
// only rank 0 needs to see the directory.
func BroadcastRuns(w *distributed.World, r *Record, runs []*experiment.Run) error {
	for i, run := range runs {
		var failure error
		if r.Runs[i].Error != "" {
			failure = errors.New(r.Runs[i].Error)
		} else if err := broadcastRun(w, run); err != nil {
			return err
		}
		if w.Rank() > 0 {
			run.Restore(r.Runs[i].Metrics, failure)
		}
	}
	return nil
}

// broadcastRun gives its weights and its solver.
func broadcastRun(w *distributed.World, run *experiment.Run) error {
	var file bytes.Buffer
	if w.Rank() == 0 {
		if err := solver.Write(&file, run.Model(), solvers.Keepable(run.Solver())); err != nil {
			return err
		}
	}
	content, err := w.Broadcast(file.Bytes())
	if err != nil || w.Rank() == 0 {
		return err
	}
	return solver.Read(bytes.NewReader(content), run.Model(), solvers.Keepable(run.Solver()))
}
