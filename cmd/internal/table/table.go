// Package table writes tables of text, and numbers that may be missing.
package table

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Write writes lines of cells, with the first column aligned left and the others
// right. The last cell of a line that has fewer cells than the first line is a text,
// which takes the place of the remaining columns. A line without cells is empty.
func Write(w io.Writer, lines [][]string) error {
	widths := Widths(lines)
	for _, line := range lines {
		var b strings.Builder
		for i, c := range line {
			space := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(c)))
			switch {
			case i == 0:
				b.WriteString(c + space)
			case i == len(line)-1 && len(line) < len(widths):
				b.WriteString("  " + c)
			default:
				b.WriteString("  " + space + c)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// Widths returns the number of characters in each column.
func Widths(lines [][]string) []int {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, c := range line {
			if len(line) == len(widths) || i < len(line)-1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(c))
			}
		}
	}
	return widths
}

// Wrap breaks a text between words into lines of at most width characters. All but
// the first begin with indent; the caller puts something as long before the first.
func Wrap(text, indent string, width int) string {
	var b strings.Builder
	used := utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteString("\n" + indent)
			used = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// Blocks arranges groups of columns in tables with lines of at most width
// characters. Every table begins with the first column, and no group is divided.
func Blocks(first []string, groups [][][]string, width int) (tables [][][]string) {
	var block [][]string
	used := longest(first)
	for _, group := range groups {
		more := 0
		for _, c := range group {
			more += 2 + longest(c)
		}
		if len(block) > 0 && used+more > width {
			tables = append(tables, lines(first, block))
			block, used = nil, longest(first)
		}
		block, used = append(block, group...), used+more
	}
	if len(block) > 0 {
		tables = append(tables, lines(first, block))
	}
	return tables
}

func longest(cells []string) (n int) {
	for _, c := range cells {
		n = max(n, utf8.RuneCountInString(c))
	}
	return n
}

// lines turns columns into lines.
func lines(first []string, columns [][]string) (all [][]string) {
	for i, cell := range first {
		line := []string{cell}
		for _, c := range columns {
			line = append(line, c[i])
		}
		all = append(all, line)
	}
	return all
}
