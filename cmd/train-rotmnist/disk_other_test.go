//go:build !unix

package main

import "os"

var sizeSignals []os.Signal
