//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// Package filelock keeps processes on one machine out of each other's way.
// Where a file system, or the system, has no locks, it does nothing.
package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Lock waits for its turn.
func Lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// TryLock tells whether it was free, and is now taken.
func TryLock(f *os.File) (free bool, err error) {
	err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Unlock lets others have it. So does closing the file, and the end of the
// process.
func Unlock(f *os.File) { syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), how); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOLCK):
			return nil
		default:
			return err
		}
	}
}
