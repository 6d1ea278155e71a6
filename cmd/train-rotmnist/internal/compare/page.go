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
	if c.ranks != nil {
		args = append(args, "-mpi")
	}
	for _, name := range slices.Sorted(maps.Keys(c.given)) {
		args = append(args, "-"+name, c.given[name])
	}
	return args
}

// serve begins to serve the page, if that is asked for.
func (j *comparing) serve(stderr io.Writer) (err error) {
	if j.http == "" {
		return nil
	}
	if j.server, err = live.New(j.http, j.page, j.schedule.Steps()); err != nil {
		return fmt.Errorf("-http %s: %w", j.http, err)
	}
	if warning := j.server.Warning(); warning != "" {
		complain(stderr, done, fmt.Errorf("-http: %s", warning))
	}
	if j.quiet {
		fmt.Fprintf(stderr, "page    %s\n", j.server.URL()) // its port may not be known
	}
	return nil
}

// ended is how far the runs came.
func (j *comparing) ended() report.Progress {
	p := report.Progress{Step: j.comparison.Done(), State: report.Finished}
	if p.Step < j.schedule.Steps() {
		p.State = report.Stopped
	}
	return p
}

// leave tells those who look at the page that all is done.
func (j *comparing) leave(summary *output.Summary) {
	if j.server != nil {
		j.server.Finish(j.comparison.Done(), j.history, summary.Results)
		j.finished = true
	}
}

// stay lets them look for as long as that is asked for.
func (c *config) stay(ctx context.Context, stdout, stderr io.Writer) {
	if !c.linger || !c.finished || ctx.Err() != nil {
		return
	}
	if c.quiet {
		stdout = stderr
	}
	fmt.Fprintf(stdout, "\nthe page stays at %s until Ctrl-C\n", c.server.URL())
	<-ctx.Done()
}

func (c *config) stopServing() {
	if c.server != nil {
		c.server.Close()
	}
}
