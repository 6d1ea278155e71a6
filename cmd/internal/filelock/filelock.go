//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// Package filelock locks files between processes of one machine. Where the file
// system has no locks, and on Windows, it does nothing.
//
// gofrs/flock would open the file itself, by its path; here the file is open
// already.
package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Lock waits until nobody else has the lock, and takes it.
func Lock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// TryLock takes the lock if it is free, and tells whether it was.
func TryLock(f *os.File) (free bool, err error) {
	err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Unlock releases the lock. So does closing the file, and the end of the process.
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
