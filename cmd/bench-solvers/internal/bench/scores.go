package bench

import (
	"math"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/problem"
)

// mostRatio is the largest ratio. Larger ones, and those of runs that diverged,
// count as this.
const mostRatio = 1000

// tunable are the solvers whose learning rate is chosen for each problem.
var tunable = []string{"adam", "momentum"}

// scores has the final score of each run.
type scores struct {
	plan *Plan
	of   map[Key]float64
}

func (p *Plan) scores(records []Record) *scores {
	s := &scores{p, map[Key]float64{}}
	for i := range records {
		s.of[records[i].Key()] = records[i].score()
	}
	return s
}

// score returns the mean score over the seeds: NaN if a run is missing or failed, or
// else +Inf if one diverged.
func (s *scores) score(p *problem.Problem, c *Contestant) float64 {
	sum := 0.0
	for _, seed := range s.plan.Seeds {
		r := Run{p, c, seed}
		score, ok := s.of[r.Key()]
		if !ok {
			return math.NaN()
		}
		sum += score
	}
	return sum / float64(len(s.plan.Seeds))
}

// peers returns the solvers of a kind, with no settings but a learning rate, that
// others are compared with: those of the grid or, without one, of the contestants.
func (s *scores) peers(kind string) []*Contestant {
	from := s.plan.Grid
	if len(from) == 0 {
		from = s.plan.Contestants
	}
	var peers []*Contestant
	for i := range from {
		if c := &from[i]; c.plain && c.kind == kind {
			peers = append(peers, c)
		}
	}
	return peers
}

// best returns the peer of these kinds with the lowest score on a problem, and the
// score; nil if none has a score.
func (s *scores) best(p *problem.Problem, kinds ...string) (best *Contestant, score float64) {
	score = math.NaN()
	for _, kind := range kinds {
		for _, c := range s.peers(kind) {
			if x := s.score(p, c); best == nil && !math.IsNaN(x) || x < score {
				best, score = c, x
			}
		}
	}
	return best, score
}

// ratio returns the ratio of a solver's score to the best peer's, where scores below
// the problem's floor count as the floor. It is NaN if a score is missing or every
// peer diverged.
func (s *scores) ratio(p *problem.Problem, c *Contestant, kinds ...string) float64 {
	_, best := s.best(p, kinds...)
	score := s.score(p, c)
	if math.IsInf(best, 1) {
		return math.NaN()
	}
	return math.Min(mostRatio, math.Max(score, p.Floor)/math.Max(best, p.Floor))
}

// whole returns the geometric mean of a solver's ratios to the best of these kinds,
// the largest ratio with its problem, and the number of problems that have a ratio.
func (s *scores) whole(c *Contestant, kinds ...string) (mean, worst float64, where string, n int) {
	logs := 0.0
	for _, p := range s.plan.Problems {
		r := s.ratio(p, c, kinds...)
		if math.IsNaN(r) {
			continue
		}
		if n++; r > worst {
			worst, where = r, p.Name
		}
		logs += math.Log(r)
	}
	return math.Exp(logs / float64(n)), worst, where, n
}
