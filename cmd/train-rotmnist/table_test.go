package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTableMergesSummariesOfSeveralSeeds(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for _, seed := range []string{"1", "2", "3"} {
		name := filepath.Join(dir, seed+".json")
		if status, _, errs := invoke(small(t, "-quiet", "-json", name, "-seed", seed, "-solvers", "funnel,vanilla")...); status != 0 {
			t.Fatal(errs)
		}
		// Each run reads digits of its own; they are the same.
		b, _ := os.ReadFile(name)
		var s map[string]any
		json.Unmarshal(b, &s)
		s["data"] = "digits"
		b, _ = json.Marshal(s)
		os.WriteFile(name, b, 0o666)
		names = append(names, name)
	}
	status, out, errs := invoke(append([]string{"table"}, names...)...)
	if status != 0 || strings.Count(out, "\n") != 7 || !strings.Contains(out, "funnel      3") || !strings.Contains(out, " ± ") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	other := filepath.Join(dir, "other.json")
	if status, _, errs := invoke(small(t, "-quiet", "-json", other, "-steps", "31")...); status != 0 {
		t.Fatal(errs)
	}
	if status, out, errs := invoke("table", names[0], other); status != 0 || strings.Count(out, " runs ") != 2 {
		t.Errorf("different experiments: status %d\n%s%s", status, out, errs)
	}
	twice := append([]string{"table", names[0]}, names...)
	if _, again, errs := invoke(twice...); again != out {
		t.Errorf("one run twice\n%s%swithout\n%s", again, errs, out)
	}
}

func TestAFileWithoutARunYetDoesNotKeepTheOthersFromBeingTabled(t *testing.T) {
	dir, data := t.TempDir(), digits(t)
	file, empty := filepath.Join(dir, "some"), filepath.Join(dir, "none")
	if status, _, errs := invoke(sweeping(data, file, "-quiet", "-solvers", "adam")...); status != 0 {
		t.Fatal(errs)
	}
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := invoke("table", empty, file); status != 0 || !strings.Contains(out, "adam") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	if status, _, errs := invoke("table", empty, empty); status != 1 || !strings.Contains(errs, "there is no run in "+empty) {
		t.Errorf("of nothing: status %d, %q", status, errs)
	}
}
