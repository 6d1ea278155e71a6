package compare

import (
	"context"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

// serve starts to serve the page, if that was asked for.
func (j *Job) serve(stderr io.Writer) (err error) {
	if j.HTTP == "" {
		return nil
	}
	if j.server, err = live.New(j.HTTP, j.page, j.Schedule.Steps()); err != nil {
		return fmt.Errorf("-http %s: %w", j.HTTP, err)
	}
	if warning := j.server.Warning(); warning != "" {
		cli.Complain(stderr, Program, fmt.Errorf("-http: %s", warning))
	}
	if j.Quiet {
		fmt.Fprintf(stderr, "page    %s\n", j.server.URL()) // whoever asked for port 0 does not know it
	}
	return nil
}

// ended returns how far the runs came.
func (j *Job) ended() report.Progress {
	p := report.Progress{Step: j.comparison.Done(), State: report.Finished}
	if p.Step < j.Schedule.Steps() {
		p.State = report.Stopped
	}
	return p
}

// finishPage shows the final results on the served page.
func (j *Job) finishPage(summary *results.Summary) {
	if j.server != nil {
		j.server.Finish(j.comparison.Done(), j.history, summary.Results)
		j.finished = true
	}
}

// Linger goes on serving the page until ctx ends, if that was asked for and there
// is something to see.
func (j *Job) Linger(ctx context.Context, stdout, stderr io.Writer) {
	if j == nil || !j.HTTPLinger || !j.finished || ctx.Err() != nil {
		return
	}
	if j.Quiet {
		stdout = stderr
	}
	fmt.Fprintf(stdout, "\nthe page stays at %s until Ctrl-C\n", j.server.URL())
	<-ctx.Done()
}
