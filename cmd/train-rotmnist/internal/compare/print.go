package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/progress"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"github.com/seed1e560811/funnel/cmd/internal/table"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/watch"
)

// announce prints what is about to run.
func (j *Job) announce(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n", table.Wrap(j.introduction(), "", output.Width))
	fmt.Fprintf(w, "data    %s: %d digits to train on, %d held out\n", j.Protocol.Data, j.setup.Train.Len(), j.setup.Test.Len())
	fmt.Fprintf(w, "stream  %s, seed %d\n", j.Protocol.Stream(), j.Seed)
	fmt.Fprintf(w, "model   %s\n", j.Protocol.Model())
	if j.ranks != nil {
		fmt.Fprintf(w, "ranks   %d\n", j.ranks.Size())
	}
	line := func(name, text string) {
		fmt.Fprintf(w, "%-8s%s\n", name, table.Wrap(text, "        ", output.Width))
	}
	line("solvers", strings.Join(texts(j.Solvers), ", "))
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

// introduction says what the runs are.
func (j *Job) introduction() string {
	what := fmt.Sprintf("that turn to another angle every %d steps", j.Schedule.PhaseLength())
	switch {
	case j.Protocol.Drift != 0:
		what = fmt.Sprintf("that turn by %v° every step", j.Protocol.Drift)
	case j.Schedule.Phases() == 1:
		what = "that stay at one angle"
	}
	text := "Networks learn to read digits " + what + ". Each solver trains one, from the same weights and on the same batches."
	var ours []string
	for _, s := range j.Solvers {
		if _, chosen := s.Settings["lr"]; !chosen && spec.Adapts(s.Name) {
			ours = append(ours, s.Text)
		}
	}
	if n := len(ours); 0 < n && n < len(j.Solvers) && n < 3 {
		text += fmt.Sprintf(" Nobody has to choose a learning rate (lr) for %s; for the others it matters.", strings.Join(ours, " and "))
	}
	return text
}

func texts(specs []spec.Spec) []string {
	var ts []string
	for _, s := range specs {
		ts = append(ts, s.Text)
	}
	return ts
}

// progress shows how far the training is: as a view of all runs, if that was asked
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

// note gives the angle, and the range of the solvers' accuracies: there is no room
// for each beside a bar.
func note(steps []*experiment.Step) string {
	low, high := steps[0].Recent, steps[0].Recent
	for _, s := range steps {
		low, high = min(low, s.Recent), max(high, s.Recent)
	}
	text := fmt.Sprintf("%.0f°, accuracy %.0f%%", steps[0].Angle, 100*low)
	if len(steps) > 1 {
		text += fmt.Sprintf(" to %.0f%%", 100*high)
	}
	return text
}

// explain prints what the table's columns mean, the verdict and, after a complete
// run without flags, what to do next.
func (j *Job) explain(w io.Writer, rows []results.Row) error {
	fmt.Fprintln(w)
	err := output.Legend(w, rows)
	if verdict := output.Verdict(rows, j.comparison.Done()); err == nil && verdict != "" {
		_, err = fmt.Fprintf(w, "\n%s\n", table.Wrap(verdict, "", output.Width))
	}
	if err == nil && j.comparison.Done() == j.Schedule.Steps() {
		_, err = io.WriteString(w, j.next())
	}
	return err
}

// next suggests two commands; none to users who have given flags, and so know them.
func (j *Job) next() string {
	if len(j.CommandLine) > 0 {
		return ""
	}
	return fmt.Sprintf(`
Next:
  %s -report run.html
        the same with charts, in a page to open in a browser
  %[1]s -data mnist
        real handwriting, downloaded once (11 MB)
`, cli.Command(Program))
}
