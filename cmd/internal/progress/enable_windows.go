package progress

import (
	"os"

	"golang.org/x/sys/windows"
)

// enable makes a console interpret control characters, which consoles of Windows do
// only when they are told to, and says whether it does.
func enable(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
