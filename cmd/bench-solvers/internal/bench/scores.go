package bench

import (
	"math"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/problem"
)

// mostRatio is what a larger ratio counts, and that of a run that diverged.
const mostRatio = 1000

// tunable are the solvers whose learning rate is chosen for each problem.
var tunable = []string{"adam", "momentum"}

// scores are the ends of runs.
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

// score is the mean over the seeds: infinite where one diverged, NaN where one is missing.
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

// peers are the tuned peers of a kind: of the grid, or, without one, those
// that take part.
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

// best is the best tuned peer of these kinds on a problem, and its score; nil if there is none.
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

// ratio is a score's ratio to the best of these kinds, where scores below the
// problem's floor count as that. It is NaN where one is missing.
func (s *scores) ratio(p *problem.Problem, c *Contestant, kinds ...string) float64 {
	_, best := s.best(p, kinds...)
	score := s.score(p, c)
	if math.IsInf(best, 1) {
		return math.NaN()
	}
	return math.Min(mostRatio, math.Max(score, p.Floor)/math.Max(best, p.Floor))
}

// whole is the geometric mean of the ratios to the best of these kinds, and the largest
// with its problem; how many problems there are ratios for.
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
