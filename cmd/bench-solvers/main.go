// Command bench-solvers trains many solvers on many small problems, to see how well
// an untuned solver does. See bench-solvers -h.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
)

func main() { cli.Main(run) }

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parseFlags(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return cli.Done
	}
	state := func() string { return "" }
	switch {
	case err == nil && c.version:
		_, err = fmt.Fprintln(stdout, cli.Version("bench-solvers"))
	case err == nil && c.list:
		err = list(stdout)
	case err == nil:
		var b *benchmark
		if b, err = open(c); err == nil {
			err = errors.Join(b.run(ctx, stdout, stderr), b.close())
			state = b.state
		}
	}
	return cli.Conclude(stderr, "bench-solvers", err, state)
}
