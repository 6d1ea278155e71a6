package jsonlines

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// record is one that a file may have.
type record struct {
	Data string `json:"data"`
	N    uint64 `json:"n"`
}

var format = Format[record]{Beginning: `{"data":`, What: "a run of a test", Parse: func(line []byte) (r record, err error) {
	if err = json.Unmarshal(line, &r); err == nil && r.Data == "" {
		err = errors.New("it has no data")
	}
	return r, err
}}

// contents returns the numbers of the records in a file.
func contents(t *testing.T, path string) []uint64 {
	t.Helper()
	f, records, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ns []uint64
	for _, r := range records {
		ns = append(ns, r.N)
	}
	slices.Sort(ns)
	return ns
}

func add(t *testing.T, path string, ns ...uint64) {
	t.Helper()
	f, _, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range ns {
		if err := f.Append(record{"digits", n}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALineThatAKillCutShortIsDroppedWhereverItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	add(t, path, 1, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := len(whole) / 2
	for end := second; end <= len(whole); end++ {
		if err := os.WriteFile(path, whole[:end], 0o666); err != nil {
			t.Fatal(err)
		}
		want := []uint64{1, 3}
		if end >= len(whole)-1 { // nothing is lost, or no more than the end of the line
			want = []uint64{1, 2, 3}
		}
		add(t, path, 3)
		if got := contents(t, path); !slices.Equal(got, want) {
			t.Fatalf("cut after %d bytes of the line: numbers %v, want %v", end-second, got, want)
		}
	}
}

// Another process may be killed while this one has the file open.
func TestALineIsNeverAddedToHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	f, _, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.WriteFile(path, []byte(`{"data":"dig`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(record{"digits", 5}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); !slices.Equal(got, []uint64{5}) {
		t.Errorf("numbers %v", got)
	}
}

func TestBytesOfZeroThatAPowerCutLeavesAreDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	add(t, path, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"\x00", "\x00\x00\x00", `{"da` + "\x00\x00", `{"data":"dig` + "\x00\x00"} {
		if err := os.WriteFile(path, append(slices.Clone(whole), tail...), 0o666); err != nil {
			t.Fatal(err)
		}
		add(t, path, 2)
		if got := contents(t, path); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("%q: numbers %v", tail, got)
		}
	}
}

func TestALineThatIsNoRunIsNamedWithWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	add(t, path, 1)
	f, _, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.f.Write([]byte("precious")); err != nil {
		t.Fatal(err)
	}
	_, _, opening := format.Open(path)
	for _, err := range []error{opening, f.Append(record{"digits", 2})} {
		if err == nil || !strings.Contains(err.Error(), "is not a run of a test") || !strings.HasSuffix(err.Error(), "; delete the line, or name another file") {
			t.Errorf("error %v", err)
		}
	}
}

func TestSeveralMayAddToOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	var adding sync.WaitGroup
	for k := range uint64(4) { // each with a file handle of its own, as processes have
		adding.Add(1)
		go func() {
			defer adding.Done()
			for i := range uint64(10) {
				f, _, err := format.Open(path)
				if err == nil {
					err = errors.Join(f.Append(record{"digits", 10*k + i}), f.Close())
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	adding.Wait()
	if got := contents(t, path); len(got) != 40 || got[0] != 0 || got[39] != 39 {
		t.Errorf("numbers %v", got)
	}
}

func TestAFileOfAnotherKindIsLeftAsItIs(t *testing.T) {
	for _, text := range []string{"precious", "precious\n", "{\n  \"data\": \"x\"\n}\n", `{"other":1}`, "{\"data\":1}\n"} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if f, _, err := format.Open(path); err == nil {
			f.Close()
			t.Errorf("%q was taken for one of runs", text)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Errorf("%q became %q", text, b)
		}
	}
	if _, _, err := format.Open("/dev/null"); err == nil {
		t.Error("/dev/null was taken for a file")
	}
}
