package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/solver"
	"github.com/seed1e560811/funnel/solver/distributed"
)

// errFirst is the error on the other ranks when rank 0 has failed.
var errFirst = errors.New("rank 0 has no checkpoint")

// Broadcast gives rank 0's record to every rank. If rank 0 passes nil, the others
// get errFirst.
func Broadcast(w *distributed.World, r *Record) (*Record, error) {
	var text []byte
	var failure error
	if r != nil {
		text, failure = json.Marshal(r)
	}
	text, err := w.Broadcast(text)
	if err != nil || w.Rank() == 0 {
		return r, cmp.Or(failure, err)
	}
	if text == nil {
		return nil, errFirst
	}
	r = new(Record)
	return r, json.Unmarshal(text, r)
}

// BroadcastRuns gives the runs of rank 0, which it has loaded, to every rank:
// only rank 0 needs to see the directory. A rank that fails takes part to the
// end, since the others wait for it.
func BroadcastRuns(w *distributed.World, r *Record, runs []*experiment.Run) error {
	var errs []error
	for i, run := range runs {
		var failure error
		if r.Runs[i].Error != "" {
			failure = errors.New(r.Runs[i].Error)
		} else if err := broadcastRun(w, run); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", run.Name, err))
		}
		if w.Rank() > 0 {
			run.Restore(r.Runs[i].Metrics, failure)
		}
	}
	return errors.Join(errs...)
}

// broadcastRun gives a run's weights and the state of its solver to every rank.
func broadcastRun(w *distributed.World, run *experiment.Run) error {
	var file bytes.Buffer
	var failure error
	if w.Rank() == 0 {
		failure = solver.Write(&file, run.Model(), spec.Undecayed(run.Solver()))
	}
	content, err := w.Broadcast(file.Bytes())
	if err != nil || w.Rank() == 0 {
		return cmp.Or(failure, err)
	}
	return solver.Read(bytes.NewReader(content), run.Model(), spec.Undecayed(run.Solver()))
}
