package solver_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/seed1e560811/funnel/solver"
)

// keepsTheOldFile checks that saving a model fails with an error that names the
// file, and that the file of before is there, with nothing beside it.
func keepsTheOldFile(t *testing.T, file string, ps []*param, want error) {
	t.Helper()
	old, err := os.ReadFile(file)
	must(err)
	oneSentence(t, "saving", solver.Save(file, model(ps...), nil), file, want)
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the old file is gone: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func TestADiskThatIsFullOrReadOnlyKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small disk to be had: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	file := filepath.Join(dir, "run.safetensors")
	must(solver.Save(file, model(small()...), nil))
	keepsTheOldFile(t, file, network(0), syscall.ENOSPC) // 128 kB
	must(solver.Save(file, model(small()...), nil))
	must(syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	keepsTheOldFile(t, file, small(), syscall.EROFS)
}

func TestADirectoryThatCannotBeWrittenKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "run.safetensors")
	must(solver.Save(file, model(small()...), nil))
	must(os.Chmod(filepath.Dir(dir), 0o755))
	must(os.Chmod(dir, 0o555))
	defer os.Chmod(dir, 0o755)
	done := make(chan bool)
	go func() { // on a thread of its own, which is nobody's if we are root, and ends with it
		defer close(done)
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		}
		keepsTheOldFile(t, file, small(), os.ErrPermission)
	}()
	<-done
}

func TestASpecialFileIsNotReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(file, 0o666); err != nil {
		t.Skip("needs named pipes: ", err)
	}
	err := solver.Save(file, model(small()...), nil)
	oneSentence(t, "a pipe", err, file, nil)
	if info, err := os.Stat(file); err != nil || info.Mode().IsRegular() || errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pipe is gone: %v", err)
	}
}
