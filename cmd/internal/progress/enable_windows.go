package progress

import (
	"os"

	"golang.org/x/sys/windows"
)

// enable makes a Windows console interpret control characters, which is off by
// default, and reports whether it does.
func enable(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
