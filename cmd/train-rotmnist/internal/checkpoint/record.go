package checkpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/history"
	"github.com/seed1e560811/funnel/solver/atomicfile"
)

// Record is everything in a checkpoint except the weights and the solvers.
type Record struct {
	Version    int               `json:"version"`
	Flags      map[string]string `json:"flags"`      // that the run was started with
	Ranks      int               `json:"ranks"`      // that train together; 0 in older files, which means 1
	Digits     string            `json:"digits"`     // SHA-256 of the data sets
	Arithmetic string            `json:"arithmetic"` // of the networks; empty in older files
	Done       int               `json:"done"`       // steps
	Steps      int               `json:"steps"`      // of the whole stream
	CSV        *Written          `json:"csv,omitempty"`
	History    *history.History  `json:"history"`
	Runs       []Run             `json:"runs"`
}

// Written identifies the content that a file had at the checkpoint.
type Written struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Run is one run of the comparison.
type Run struct {
	Name string `json:"name"`
	experiment.Metrics
	Error string `json:"error,omitempty"` // why it failed, if it did
}

const (
	version    = 1
	recordName = "run.json"
)

// sealed is the content of the file: a record with its checksum.
type sealed struct {
	SHA256 string          `json:"sha256"` // of run
	Run    json.RawMessage `json:"run"`
}

func (r *Record) write(folder string) error {
	r.Version = version
	text, err := json.Marshal(r)
	if err == nil {
		text, err = json.Marshal(sealed{digest(text), text})
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(folder, recordName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err := cmp.Or(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return atomicfile.SyncDir(folder)
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func readRecord(folder string) (*Record, error) {
	path := filepath.Join(folder, recordName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parseRecord(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func parseRecord(text []byte) (*Record, error) {
	var s sealed
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("damaged, or not a checkpoint: %w", err)
	}
	if digest(s.Run) != s.SHA256 {
		return nil, errors.New("damaged: its checksum is not that of its content")
	}
	var v struct{ Version int }
	if err := json.Unmarshal(s.Run, &v); err != nil {
		return nil, fmt.Errorf("not a checkpoint: %w", err)
	}
	if v.Version > version {
		return nil, fmt.Errorf("a later version of this program wrote it: format %d, and this one reads up to %d", v.Version, version)
	}
	r := new(Record)
	err := json.Unmarshal(s.Run, r)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, fmt.Errorf("not a checkpoint: %w", err)
	}
	return r, nil
}

// check returns an error for values that no run can have.
func (r *Record) check() error {
	if r.Version < 1 || r.Done < 0 || r.Done > r.Steps || r.CSV != nil && r.CSV.Size < 0 {
		return errors.New("its numbers of steps are impossible")
	}
	if r.History == nil || !r.History.Sound() {
		return errors.New("its history is impossible")
	}
	for _, run := range r.Runs {
		made := len(run.Accuracies)
		if made > r.Done || made < r.Done && run.Error == "" || len(run.HeldOut) > made || run.Skipped < 0 || run.Skipped > made || run.DivergedAt < 0 || run.Training < 0 || run.Solving < 0 {
			return fmt.Errorf("the metrics of %s are impossible", run.Name)
		}
	}
	return nil
}
