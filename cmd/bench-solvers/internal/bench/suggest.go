package bench

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Suggest is the end of a message about an unknown name: the known name that is
// meant, if one is close, and otherwise all of them.
func Suggest(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		distance := levenshtein.ComputeDistance(name, k)
		if strings.HasPrefix(k, name) && len(name) >= 3 {
			distance = 1
		}
		if distance < least {
			best, least = k, distance
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	return "; known are " + strings.Join(known, ", ")
}
