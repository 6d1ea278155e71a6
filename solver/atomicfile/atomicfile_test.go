package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// text returns what Write is given to write a text.
func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// contents are the files in a directory, by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		b, _ := os.ReadFile(filepath.Join(dir, e.Name()))
		files[e.Name()] = string(b)
	}
	return files
}

func TestAFileIsMadeAndReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, s := range []string{"old", "", strings.Repeat("long ", 100_000)} {
		if err := Write(path, text(s)); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); len(got) != 1 || got["file"] != s {
			t.Errorf("the directory has %.100v", got)
		}
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&^0o644 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAFileKeepsItsPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs permissions of owner, group and others, which Windows has not")
	}
	path := filepath.Join(t.TempDir(), "file")
	for _, perm := range []os.FileMode{0o600, 0o664, 0o640} {
		if err := Write(path, text("old")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, perm); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, text("new")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != perm {
			t.Errorf("%v became %v, %v", perm, info.Mode(), err)
		}
	}
}

func TestAWriteThatFailsLeavesTheFileAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := Write(path, func(w io.Writer) error {
		if got := contents(t, dir); len(got) != 2 || got["file"] != "old" {
			t.Errorf("while it is written the directory has %v", got)
		}
		for name := range contents(t, dir) {
			if name != "file" && !strings.HasPrefix(name, ".file.") {
				t.Errorf("a process that is killed would leave %s", name)
			}
		}
		return errors.Join(text("half of the new")(w), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if got := contents(t, dir); len(got) != 1 || got["file"] != "old" {
		t.Errorf("the directory has %v", got)
	}
}

func TestBehindALinkTheFileIsReplacedAndNotTheLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(Write(target, text("old")), os.Symlink("target", link)); err != nil {
		t.Skip("needs symbolic links: ", err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "target" || contents(t, dir)["target"] != "new" {
		t.Errorf("the link points to %q, %v; the directory has %v", to, err, contents(t, dir))
	}
}

func TestBehindALinkToNothingTheFileIsMade(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.Symlink("middle", link), os.Symlink("target", filepath.Join(dir, "middle"))); err != nil {
		t.Skip("needs symbolic links: ", err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, want := Target(link), Target(filepath.Join(dir, "target")); got != want {
		t.Errorf("behind the link is %s, want %s", got, want)
	}
	if to, err := os.Readlink(link); err != nil || to != "middle" || contents(t, dir)["target"] != "new" {
		t.Errorf("the link points to %q, %v; the directory has %v", to, err, contents(t, dir))
	}
}

func TestWhatIsNoFileIsAnErrorAndStays(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "folder"), filepath.Join(dir, "none", "file"), os.DevNull, ""} {
		if err := Write(path, text("new")); err == nil {
			t.Errorf("%s was replaced", path)
		}
		if err := Check(path); err == nil {
			t.Errorf("%s could be replaced, it is said", path)
		}
	}
	if got := contents(t, dir); len(got) != 1 {
		t.Errorf("the directory has %v", got)
	}
}

func TestAReadOnlyFileIsAnErrorAndStays(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write all files")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("old"), 0o444); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"Write": Write(path, text("new")), "Check": Check(path)} {
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("%s: error %v, want os.ErrPermission", name, err)
		}
	}
	if got := contents(t, dir); len(got) != 1 || got["file"] != "old" {
		t.Errorf("it leaves %q", got)
	}
}

func TestACheckChangesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"old", "new"} {
		if name == "old" {
			if err := Write(filepath.Join(dir, name), text("old")); err != nil {
				t.Fatal(err)
			}
		}
		if err := Check(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if got := contents(t, dir); len(got) != 1 || got["old"] != "old" {
		t.Errorf("the directory has %v", got)
	}
}

func TestNamesAreSynced(t *testing.T) {
	if err := SyncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := SyncDir(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a directory that is not there was synced")
	}
}
