package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/live"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/report"
)

// commandLine is what was given, or what the run that is resumed was started
// with.
func (c *config) commandLine() []string {
	if c.resume == "" {
		return c.args
	}
	var args []string
	for _, name := range slices.Sorted(maps.Keys(c.given)) {
		args = append(args, "-"+name, c.given[name])
	}
	return args
}

// serve begins to serve the page, if that is asked for.
func (j *comparing) serve(warnings io.Writer) (err error) {
	if j.http == "" {
		return nil
	}
	if j.server, err = live.New(j.http, j.page, j.schedule.Steps()); err != nil {
		return fmt.Errorf("-http %s: %w", j.http, err)
	}
	if warning := j.server.Warning(); warning != "" {
		complain(warnings, done, fmt.Errorf("-http: %s", warning))
	}
	return nil
}

func (j *comparing) closeServer() {
	if j.server != nil {
		j.server.Close()
	}
}

// ended is how far the runs came.
func (j *comparing) ended() report.Progress {
	p := report.Progress{Step: j.comparison.Done(), State: report.Finished}
	if p.Step < j.schedule.Steps() {
		p.State = report.Stopped
	}
	return p
}

// leave tells those who look at the page that all is done, and lets them look
// for as long as that is asked for.
func (j *comparing) leave(ctx context.Context, summary *output.Summary, news io.Writer) {
	if j.server == nil {
		return
	}
	j.server.Finish(j.comparison.Done(), j.history, summary.Results)
	if j.linger && ctx.Err() == nil {
		fmt.Fprintf(news, "\nthe page stays at %s until Ctrl-C\n", j.server.URL())
		<-ctx.Done()
	}
}
