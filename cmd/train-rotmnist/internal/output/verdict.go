package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/internal/spec"
	"gonum.org/v1/gonum/stat"
)

// Verdict says in a few words how the best solver that learns its step sizes did
// beside all that do not, and what its steps cost. It is empty where there is
// nothing to compare. Runs that ended before so many steps have no figures.
func Verdict(rows []results.Row, steps int) string {
	var ours, peers []results.Row
	diverged, failed := 0, 0 // peers
	for _, r := range rows {
		switch {
		case spec.Adapts(r.Solver) && ending(&r, steps) == "":
			ours = append(ours, r)
		case spec.Adapts(r.Solver):
		case ending(&r, steps) == "":
			peers = append(peers, r)
		case r.DivergedAt > 0:
			diverged++
		default:
			failed++
		}
	}
	if len(ours) == 0 || len(peers) == 0 {
		return ""
	}
	best := slices.MaxFunc(ours, byAccuracy)
	return accuracies(&best, peers, diverged, failed) + " " + cost(&best, peers)
}

func byAccuracy(a, b results.Row) int { return cmp.Compare(a.Accuracy, b.Accuracy) }

// accuracies compares the accuracies; diverged and failed count the peers that have
// none.
func accuracies(best *results.Row, peers []results.Row, diverged, failed int) string {
	choice := "with no learning rate to choose"
	if _, chosen := best.Settings["lr"]; chosen {
		choice = "at that learning rate"
	}
	text := fmt.Sprintf("%s read %s of the digits right %s; %s read ", best.Spec, percent(best), choice, inWords(solvers(peers)))
	least, most := slices.MinFunc(peers, byAccuracy), slices.MaxFunc(peers, byAccuracy)
	text += percent(&least)
	if len(peers) > 1 {
		text += " to " + percent(&most) + ", depending on which of " + choices(len(peers)+diverged+failed, peers) + " one takes"
	}
	if diverged > 0 {
		text += fmt.Sprintf(", and diverged at %d", diverged)
	}
	if failed > 0 {
		text += fmt.Sprintf(", and failed at %d", failed)
	}
	better := 0
	for i := range peers {
		if peers[i].Accuracy > best.Accuracy {
			better++
		}
	}
	points := 100 * float64(most.Accuracy-best.Accuracy)
	switch {
	case better == 0 && len(peers) == 1:
		return text + "."
	case better == 0:
		return text + fmt.Sprintf(". The best of them, %s, is %.2f points behind.", most.Spec, -points)
	case better == 1 && len(peers) == 1:
		return text + fmt.Sprintf(". That is %.2f points more.", points)
	case better == 1:
		return text + fmt.Sprintf(". One of them won: %s, by %.2f points.", most.Spec, points)
	}
	return text + fmt.Sprintf(". %d of them won, %s by most, %.2f points.", better, most.Spec, points)
}

func percent(r *results.Row) string { return fmt.Sprintf("%.1f%%", 100*float64(r.Accuracy)) }

// choices names the n peers by what tells them apart.
func choices(n int, peers []results.Row) string {
	for _, r := range peers {
		if _, chosen := r.Settings["lr"]; !chosen || len(r.Settings) > 1 {
			return fmt.Sprint("these ", n)
		}
	}
	return fmt.Sprint(n, " learning rates")
}

// solvers returns the names of the rows' solvers, each once.
func solvers(rows []results.Row) (names []string) {
	for _, r := range rows {
		if !slices.Contains(names, r.Solver) {
			names = append(names, r.Solver)
		}
	}
	return names
}

func inWords(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// cost compares the time of a step with that of each solver of the peers, the mean
// over its runs.
func cost(best *results.Row, peers []results.Row) string {
	var times []string
	for _, name := range solvers(peers) {
		var ms []float64
		for _, r := range peers {
			if r.Solver == name {
				ms = append(ms, float64(r.StepMS))
			}
		}
		times = append(times, fmt.Sprintf("%.2f times %s's", float64(best.StepMS)/stat.Mean(ms, nil), name))
	}
	return fmt.Sprintf("A step took %s.", inWords(times))
}
