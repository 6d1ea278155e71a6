package cli

import (
	"os"
	"regexp"
	"runtime/debug"
	"testing"
)

func TestTheVersionIsTheChangelogsFirst(t *testing.T) {
	b, err := os.ReadFile("../../../solver/CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^## (\S+)`).FindSubmatch(b)
	if m == nil || string(m[1]) != Release {
		t.Errorf("the changelog begins with %s, and the programs say %s", m, Release)
	}
}

func TestAVersionIsItsTagOrItsCommit(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "331a870"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{{Key: "vcs.revision", Value: "331a870"}, {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"v0.9.0", commit, "v0.9.0"},
		{"v1.2.3-rc.1", nil, "v1.2.3-rc.1"},
		{"v0.0.0-20261125041022-331a87051aa1", commit, Release + " (commit 331a870)"},
		{"v0.9.1-0.20261125041022-331a87051aa1", commit, Release + " (commit 331a870)"},
		{"v0.9.0+dirty", changed, Release + " (commit 331a870 with changes)"},
		{"(devel)", nil, Release},
		{"", nil, Release},
	} {
		b := &debug.BuildInfo{Settings: c.settings}
		b.Main.Version = c.version
		if got := versionOf(b); got != c.want {
			t.Errorf("%q: %s, want %s", c.version, got, c.want)
		}
	}
	if got := versionOf(nil); got != Release {
		t.Errorf("without build information: %s", got)
	}
}
