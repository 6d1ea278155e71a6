//go:build unix

package main

import (
	"os"
	"syscall"
)

// sizeSignals come with a file that is larger than the limit.
var sizeSignals = []os.Signal{syscall.SIGXFSZ}
