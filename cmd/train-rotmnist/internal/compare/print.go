package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/watch"
)

// announce prints what is about to run.
func (j *Job) announce(w io.Writer) {
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", j.Protocol.Data, j.setup.Train.Len(), j.setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, seed %d\n", j.Protocol.Stream(), j.Seed)
	fmt.Fprintf(w, "model   %s\n", j.Protocol.Model())
	if j.ranks != nil {
		fmt.Fprintf(w, "ranks   %d\n", j.ranks.Size())
	}
	fmt.Fprintf(w, "solvers %s\n", strings.Join(texts(j.Solvers), ", "))
	switch done, steps := j.comparison.Done(), j.Schedule.Steps(); {
	case j.Resume != "" && done == steps:
		fmt.Fprintf(w, "resume  the run in %s is finished: all of its %d steps are done\n", j.Resume, steps)
	case j.Resume != "":
		fmt.Fprintf(w, "resume  after step %d of %d\n", done, steps)
	}
	if j.server != nil {
		fmt.Fprintf(w, "page    %s\n", j.server.URL())
	}
}

func texts(specs []spec.Spec) []string {
	var ts []string
	for _, s := range specs {
		ts = append(ts, s.Text)
	}
	return ts
}

// progress shows how far the training is: as a view of all runs, if that is asked
// for and w is a terminal, or as a bar or lines.
func (j *Job) progress(w io.Writer) (show func([]*experiment.Step), end func()) {
	done, steps := j.comparison.Done(), j.Schedule.Steps()
	if view := watch.New(w, done); j.Watch && view != nil {
		if j.saver != nil {
			j.saver.warnings = view
		}
		return func(s []*experiment.Step) { view.Show(j.history, s[0].Number+1, steps, s[0].Angle) }, func() {}
	}
	bar := progress.New(w, "training", "steps", int64(done), int64(steps))
	return func(s []*experiment.Step) { bar.Set(int64(s[0].Number+1), note(s)) }, bar.End
}

// note has the angle and the accuracy of each solver, in the order in which they
// were announced: there is no room for names beside a bar.
func note(steps []*experiment.Step) string {
	text := fmt.Sprintf("%.0f°, accuracy", steps[0].Angle)
	for _, s := range steps {
		text += fmt.Sprintf(" %.0f%%", 100*s.Recent)
	}
	return text
}

// printSkipped prints how many batches each solver skipped.
func printSkipped(w io.Writer, rows []results.Row) error {
	for _, r := range rows {
		if r.Skipped > 0 {
			if _, err := fmt.Fprintf(w, "%s skipped %d of %d batches: numbers that are not finite\n", r.Spec, r.Skipped, r.StepsDone); err != nil {
				return err
			}
		}
	}
	return nil
}
