//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filelock

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// twice opens one file two times, as two processes do.
func twice(t *testing.T) (a, b *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	for _, f := range []**os.File{&a, &b} {
		var err error
		if *f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*f).Close() })
	}
	return a, b
}

func TestOnlyOneHasTheLock(t *testing.T) {
	for name, release := range map[string]func(*os.File){"unlocked": Unlock, "closed": func(f *os.File) { f.Close() }} {
		a, b := twice(t)
		if free, err := TryLock(a); err != nil || !free {
			t.Fatalf("the first lock: %v, %v", free, err)
		}
		if free, err := TryLock(b); err != nil || free {
			t.Errorf("while another has it: %v, %v", free, err)
		}
		release(a)
		if free, err := TryLock(b); err != nil || !free {
			t.Errorf("%s: %v, %v", name, free, err)
		}
	}
}

func TestALockWaitsForTheOneBefore(t *testing.T) {
	a, b := twice(t)
	if err := Lock(a); err != nil {
		t.Fatal(err)
	}
	locked := make(chan error)
	go func() { locked <- Lock(b) }()
	select {
	case err := <-locked:
		t.Fatalf("two have the lock; %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	Unlock(a)
	if err := <-locked; err != nil {
		t.Error(err)
	}
}

func TestAFileThatIsClosedIsAnError(t *testing.T) {
	a, _ := twice(t)
	a.Close()
	if err := Lock(a); err == nil {
		t.Error("it was locked")
	}
	if _, err := TryLock(a); err == nil {
		t.Error("it was locked, or taken")
	}
}
