// Command train-rotmnist trains a network to read digits while they rotate,
// and compares the solvers that train it. See train-rotmnist -h.
package main

import (
	"context"
	"io"

	"github.com/seed1e560811/funnel/cmd/internal/cli"
)

func main() { cli.Main(run) }

// verbs are the subcommands; a comparison has none.
var verbs = []string{"report", "sweep", "table"}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "table":
			return runTable(args[1:], stdout, stderr)
		case "report":
			return runReport(args[1:], stdout, stderr)
		case "sweep":
			return runSweep(ctx, args[1:], stdout, stderr)
		}
	}
	return runCompare(ctx, args, stdout, stderr)
}
