//go:build !mpi || !cgo

package main

import (
	"strings"
	"testing"
)

func TestWithoutMPITheFlagSaysWhatToInstall(t *testing.T) {
	status, out, errs := invoke("-mpi")
	if status != 1 || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	for _, want := range []string{"-tags mpi", "libopenmpi-dev", "openmpi-bin"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %s in %s", want, errs)
		}
	}
}
