// Package suggest finds the name that a misspelt one stands for.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Meant is the end of a message about an unknown name: the known name that is
// meant, if one is close, and otherwise all of them after an introduction.
func Meant(name, introduction string, known []string) string {
	if best := Closest(name, known); best != "" {
		return "; did you mean " + best + "?"
	}
	return "; " + introduction + " " + strings.Join(known, ", ")
}

// Closest returns the known name that is meant; "" if none is close.
func Closest(name string, known []string) string {
	best, least := "", min(3, len(name)) // a name without a common letter is not close
	for _, k := range known {
		distance := levenshtein.ComputeDistance(name, k)
		if strings.HasPrefix(k, name) && len(name) >= 3 {
			distance = 1
		}
		if distance < least {
			best, least = k, distance
		}
	}
	return best
}
