package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// disk is a small disk of its own, if the test may mount one.
func disk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// folderSize is how much the files of a checkpoint take.
func folderSize(t *testing.T, folder string) (size int) {
	t.Helper()
	filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			size += (int(info.Size()) + 4095) &^ 4095
		}
		return err
	})
	return size
}

func TestAFullDiskIsToldAndTheRunGoesOnAndItsLastCheckpointIsSound(t *testing.T) {
	long(t)
	flags := []string{"-solvers", "funnel,adam", "-checkpoint-every", "10"}
	args, wantDir, wantCSV := resumable(t, flags...)
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	size := folderSize(t, newest(wantDir))
	// There is room for so many checkpoints, of the three that there are while
	// one is written: it fails early in the third, late in it, or never.
	for _, room := range []float64{1.2, 1.9, 2.1, 2.6, 2.95, 3.5} {
		small := disk(t, int(room*float64(size)))
		args, _, csv := resumable(t, flags...)
		dir := filepath.Join(small, "run")
		status, out, errs := invoke(append(args, "-checkpoint", dir)...)
		if room > 3 {
			if status != 0 || errs != "" {
				t.Errorf("room for %v: status %d, %s", room, status, errs)
			}
			continue
		}
		if status != 1 || !strings.Contains(errs, "no space left on device") || !strings.Contains(errs, "; the last checkpoint is of step ") || !strings.Contains(errs, "; the run goes on\n") || !strings.Contains(out, "\nfunnel ") {
			t.Errorf("room for %v: status %d, %s", room, status, errs)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".unready")); left != nil {
			t.Errorf("room for %v: %v is left", room, left)
		}
		if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=100m"); err != nil {
			t.Fatal(err)
		}
		if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
			t.Errorf("room for %v, then more: status %d, %s", room, status, errs)
		}
		sameEnd(t, dir, csv, wantDir, wantCSV)
	}
}

func TestADiskTooSmallForTheFirstCheckpointEndsTheRunBeforeItBegins(t *testing.T) {
	args, _, _ := resumable(t, "-solvers", "funnel")
	status, out, errs := invoke(append(args, "-checkpoint", filepath.Join(disk(t, 8192), "run"))...)
	if status != 1 || out != "" || !strings.Contains(errs, "no space left on device") || strings.Count(errs, "\n") != 1 {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
}

func TestACSVOnAFullDiskEndsTheRunAndItGoesOnWhenThereIsRoom(t *testing.T) {
	long(t)
	flags := []string{"-solvers", "funnel,vanilla", "-steps", "200", "-checkpoint-every", "10"}
	args, wantDir, wantCSV := resumable(t, flags...)
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	small := disk(t, 16384)
	args, dir, _ := resumable(t, flags...)
	csv := filepath.Join(small, "run.csv")
	status, out, errs := invoke(append(args, "-csv", csv)...)
	if status != 1 || !strings.Contains(errs, "-csv "+csv+": no space left on device") || !strings.Contains(out, "\nfunnel ") {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=10m"); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
		t.Errorf("with more room: status %d, %s", status, errs)
	}
	sameEnd(t, dir, csv, wantDir, wantCSV)
}

func TestADirectoryThatCannotBeWrittenEndsTheRunBeforeItBegins(t *testing.T) {
	full := disk(t, 1<<20)
	if err := syscall.Mount("tmpfs", full, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	args, _, _ := resumable(t, "-solvers", "funnel")
	dir := filepath.Join(full, "run")
	status, out, errs := invoke(append(args, "-checkpoint", dir)...)
	if status != 1 || out != "" || errs != "train-rotmnist: -checkpoint "+dir+": read-only file system\n" {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
}

func TestADirectoryThatBecomesReadOnlyIsToldAndTheRunGoesOn(t *testing.T) {
	long(t)
	flags := []string{"-solvers", "funnel,vanilla", "-steps", "300", "-checkpoint-every", "3"}
	args, wantDir, wantCSV := resumable(t, flags...)
	if status, _, errs := invoke(args...); status != 0 {
		t.Fatal(errs)
	}
	small := disk(t, 10<<20)
	args, _, csv := resumable(t, flags...)
	dir := filepath.Join(small, "run")
	p := program(append(args, "-checkpoint", dir)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	remount := func(flags uintptr) {
		for {
			err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT|flags, "")
			if err == nil {
				return
			}
			if err != syscall.EBUSY { // a file is being written
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	for filepath.Base(newest(dir)) < "step-0000000003" {
		time.Sleep(time.Millisecond)
	}
	remount(syscall.MS_RDONLY)
	if status := p.status(); status != 1 || !strings.Contains(p.errs.String(), "read-only file system; the last checkpoint is of step ") || !strings.Contains(p.out.String(), "\nfunnel ") {
		t.Errorf("status %d, %s\n%s", status, &p.errs, &p.out)
	}
	remount(0)
	if status, _, errs := invoke("-resume", dir, "-quiet"); status != 0 || errs != "" {
		t.Errorf("writable again: status %d, %s", status, errs)
	}
	sameEnd(t, dir, csv, wantDir, wantCSV)
}

// A limit on the size of files is a disk that fails after n bytes, wherever in
// a checkpoint that is, and needs no rights.
func TestWhereverACheckpointFailsTheOneBeforeIsSound(t *testing.T) {
	flags := []string{"-solvers", "funnel,vanilla", "-steps", "10000000", "-checkpoint-every", "1"}
	dir := filepath.Join(t.TempDir(), "run")
	p := program(small(t, append(flags, "-checkpoint", dir)...)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	defer p.Wait()
	defer p.Process.Kill()
	// The folder of step 0 is gone again after step 2.
	for deadline := time.Now().Add(30 * time.Second); newest(dir) == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not start")
		}
	}
	for limit := uint64(60_000); limit > 0; limit = limit * 2 / 3 {
		rlimit := unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY}
		if err := unix.Prlimit(p.Process.Pid, unix.RLIMIT_FSIZE, &rlimit, nil); err != nil {
			t.Skip("needs prlimit: ", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.Process.Signal(os.Interrupt)
	p.status()
	if !strings.Contains(p.errs.String(), "file too large; the last checkpoint is of step ") {
		t.Errorf("%s", &p.errs)
	}
	copied := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	var out, errs strings.Builder
	if status := run(ctx, []string{"-resume", copied}, &out, &errs); status != 130 || strings.Contains(errs.String(), "going on from the checkpoint before") {
		t.Errorf("status %d, %s", status, errs.String())
	}
}
