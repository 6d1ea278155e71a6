package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

func TestTheFirstColumnIsAlignedLeftAndTheOthersRight(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, [][]string{{"name", "n", ""}, {"é", "–", "12"}, {"longer", "10", ""}}); err != nil {
		t.Fatal(err)
	}
	if want := "name     n\né        –  12\nlonger  10\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestALineMayEndWithATextOrBeEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, [][]string{{"name", "n", "m"}, {"a", "diverged at step 2"}, {}, {"b", "1", "12"}, {"c", "1", "and so on"}}); err != nil {
		t.Fatal(err)
	}
	if want := "name  n          m\na     diverged at step 2\n\nb     1         12\nc     1  and so on\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestColumnsThatDoNotFitStandInATableBelow(t *testing.T) {
	names := []string{"name", "a"}
	groups := [][][]string{{{"one", "1"}}, {{"two", "2"}}, {{"three", "3"}, {"four", "4"}}}
	for width, want := range map[int]string{
		80: "[[[name one two three four] [a 1 2 3 4]]]",
		21: "[[[name one two] [a 1 2]] [[name three four] [a 3 4]]]", // three alone would fit
		3:  "[[[name one] [a 1]] [[name two] [a 2]] [[name three four] [a 3 4]]]",
	} {
		if got := fmt.Sprint(Blocks(names, groups, width)); got != want {
			t.Errorf("%d: %s, want %s", width, got, want)
		}
	}
}

func TestATextIsWrappedBetweenWords(t *testing.T) {
	for text, want := range map[string]string{
		"":               "",
		"one":            "one",
		"a bc d":         "a bc d",
		"one two three":  "one\n  two\n  three",
		"a b c d e f g":  "a b c\n  d e f\n  g",
		"incredibly big": "incredibly\n  big",
	} {
		if got := Wrap(text, "  ", 8); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAMissingNumberIsNullInJSONAndADashInATable(t *testing.T) {
	for _, n := range []Number{Number(math.NaN()), Number(math.Inf(1))} {
		b, err := json.Marshal(n)
		if err != nil || string(b) != "null" {
			t.Errorf("%v: %s, %v", n, b, err)
		}
		if n.Cell(Percent) != "–" {
			t.Errorf("%v: %s", n, n.Cell(Percent))
		}
	}
	var n Number
	if err := json.Unmarshal([]byte("null"), &n); err != nil || !n.Missing() {
		t.Errorf("null is read as %v, %v", n, err)
	}
	if err := json.Unmarshal([]byte("0.5"), &n); err != nil || n.Cell(Percent) != "50.00%" || n.Cell(Decimals(1)) != "0.5" || n.Cell(Significant) != "0.5" {
		t.Errorf("0.5 is read as %v, %v", float64(n), err)
	}
}
