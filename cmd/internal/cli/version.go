package cli

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// Release is the version that this source is, or will be: the first heading of
// solver/CHANGELOG.md. A tag has the same name.
const Release = "v0.9.0-dev"

// Version returns the program's name and version, the version of Go, and the
// platform.
func Version(program string) string {
	b, _ := debug.ReadBuildInfo()
	return fmt.Sprintf("%s %s, %s %s/%s", program, versionOf(b), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// tag matches the version of a module that was built from a tag, not from a later
// commit or changed files.
var tag = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[a-z]+(\.\d+)?)?$`)

// versionOf returns the tag that a program was built from or, where there is none,
// Release and the commit.
func versionOf(b *debug.BuildInfo) string {
	if b == nil {
		return Release
	}
	if tag.MatchString(b.Main.Version) {
		return b.Main.Version
	}
	settings := map[string]string{}
	for _, s := range b.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit == "" {
		return Release
	}
	if settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	return fmt.Sprintf("%s (commit %s)", Release, strings.TrimSpace(commit))
}
