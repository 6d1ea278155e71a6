package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/output"
)

// table prints means over the summaries in files.
func table(files []string, stdout, stderr io.Writer) int {
	if len(files) == 0 || strings.HasPrefix(files[0], "-") {
		return complain(stderr, misused, errors.New("table wants the files that -json wrote"))
	}
	var summaries []output.Summary
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return complain(stderr, failed, err)
		}
		var s output.Summary
		if err := json.Unmarshal(b, &s); err != nil {
			return complain(stderr, failed, fmt.Errorf("%s is not a summary that -json wrote: %w", name, err))
		}
		summaries = append(summaries, s)
	}
	if err := output.Means(stdout, summaries); err != nil {
		return complain(stderr, failed, err)
	}
	return done
}
