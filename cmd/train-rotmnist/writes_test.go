package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A directory's time of change tells of files that are gone again, too.
func TestNothingIsWrittenButTheFilesTheUserNamed(t *testing.T) {
	var (
		data, results   = digits(t), t.TempDir()
		cwd, home, temp = t.TempDir(), t.TempDir(), t.TempDir()
		json, csv, runs = filepath.Join(results, "out.json"), filepath.Join(results, "out.csv"), filepath.Join(results, "runs.jsonl")
		saved, report   = filepath.Join(results, "saved"), filepath.Join(results, "run.html")
		long            = time.Unix(1e9, 0) // ago
		untouched       = []string{cwd, home, temp, data}
	)
	for _, file := range names(t, data) {
		untouched = append(untouched, filepath.Join(data, file))
	}
	for _, path := range untouched {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"-data", data, "-angles", "0,60", "-steps", "10", "-batch", "16", "-hidden", "16", "-json", json, "-csv", csv},
		{"-data", data, "-angles", "0,60", "-steps", "10", "-batch", "16", "-hidden", "16", "-report", report, "-http", "0", "-checkpoint", saved, "-checkpoint-every", "5"},
		{"-resume", saved},
		sweeping(data, runs, "-solvers", "adam"),
		{"table", runs},
		{"-h"},
		{"-no-such-flag"},
		{"-data", data, "-steps", "10", "-batch", "1000000", "-json", filepath.Join(results, "not.json")},
	} {
		p := program(args...)
		p.Dir = cwd
		p.Env = append(p.Env, "HOME="+home, "XDG_CACHE_HOME="+home, "XDG_CONFIG_HOME="+home,
			"TMPDIR="+temp, "TMP="+temp, "TEMP="+temp, "USERPROFILE="+home, "LocalAppData="+home, "AppData="+home)
		err := p.Run()
		if want := args[0] == "-no-such-flag" || slices.Contains(args, "1000000"); (err != nil) != want {
			t.Errorf("%v: %v\n%s", args, err, &p.errs)
		}
		for _, path := range untouched {
			if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(long) {
				t.Errorf("%v: something was written to %s (%v)", args, path, err)
				os.Chtimes(path, long, long)
			}
		}
	}
	if got, want := names(t, results), []string{"out.csv", "out.json", "run.html", "runs.jsonl", "saved"}; !slices.Equal(got, want) {
		t.Errorf("the results are %q, want %q", got, want)
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
