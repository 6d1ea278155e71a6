package progress

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestProgressIsALineNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	var b bytes.Buffer
	p := New(&b, "funnel", "steps", 0, 100)
	p.Set(1, "too early")
	p.printed = time.Now().Add(-2 * between)
	p.start = time.Now().Add(-50 * time.Second)
	p.Set(50, "accuracy 90%")
	p.End()
	if b.String() != "funnel: 50 of 100, accuracy 90%, 50s left\n" {
		t.Errorf("%q", b.String())
	}
}

// A file that is no terminal gets no bar either.
func TestProgressInAFileHasNoControlCharacters(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := New(f, "funnel", "steps", 0, 10)
	p.Set(10, "")
	p.End()
	if b, _ := os.ReadFile(f.Name()); len(b) != 0 {
		t.Errorf("%q", b)
	}
}
