package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportDrawsWhatJSONWrote(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for _, seed := range []string{"1", "2"} {
		name := filepath.Join(dir, "seed"+seed+".json")
		if status, _, errs := invoke(small(t, "-quiet", "-json", name, "-seed", seed, "-solvers", "funnel,vanilla")...); status != 0 {
			t.Fatal(errs)
		}
		names = append(names, name)
	}
	out := filepath.Join(dir, "out.html")
	status, said, errs := invoke("report", names[0], "-o", out, names[1])
	if status != 0 || said != out+"\n" {
		t.Fatalf("status %d, %q, %q", status, said, errs)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name":"funnel · seed1"`, `"name":"vanilla · seed2"`, `"accuracy":{"width":1,"values":`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if status, piped, errs := invoke("report", "-o", "-", names[0], names[1]); status != 0 || piped != string(page) {
		t.Errorf("to standard output: status %d, %d bytes, %q; the file has %d", status, len(piped), errs, len(page))
	}
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skip("needs /dev/stdout: ", err)
	}
	p := program("report", "-o", "/dev/stdout", names[0], names[1])
	if err := p.Run(); err != nil || p.out.String() != string(page) {
		t.Errorf("to /dev/stdout: %v, %d bytes, %q; the file has %d", err, p.out.Len(), p.errs.String(), len(page))
	}
}

func TestReportSaysWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const relative = "bad.json"
	bad, sweep, out := filepath.Join(dir, "bad.json"), filepath.Join(dir, "sweep.jsonl"), filepath.Join(dir, "out.html")
	for name, text := range map[string]string{bad: "<html>", sweep: `{"data":"x","steps":1}` + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "report wants files that -json wrote"},
		{[]string{"-o", out}, 2, "report wants files that -json wrote"},
		{[]string{"-o", "", bad}, 2, "-o: its name is empty"},
		{[]string{"-o", bad, bad}, 2, "would replace one of the files"},
		{[]string{"-o", dir + "/../" + filepath.Base(dir) + "/bad.json", bad}, 2, "would replace one of the files"},
		{[]string{"-o", relative, bad}, 2, "would replace one of the files"},
		{[]string{"-x", bad}, 2, "unknown flag -x"},
		{[]string{bad, "-o", out}, 1, bad + " is no file that -json wrote: invalid character"},
		{[]string{sweep, "-o", out}, 1, "it has no results"},
		{[]string{filepath.Join(dir, "none.json"), "-o", out}, 1, "none.json"},
	} {
		if status, _, errs := invoke(append([]string{"report"}, c.args...)...); status != c.status || !strings.Contains(errs, c.want) {
			t.Errorf("%q: status %d, %q; want %d, %q", c.args, status, errs, c.status, c.want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a page was written")
	}
	if status, said, _ := invoke("report", "-h"); status != 0 || !strings.HasPrefix(said, "train-rotmnist report writes one page") || !strings.Contains(said, "-o FILE") {
		t.Errorf("%d, %q", status, said)
	}
}
