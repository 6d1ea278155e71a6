package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed1e560811/funnel/cmd/bench-solvers/internal/problem"
	"github.com/seed1e560811/funnel/cmd/internal/table"
)

// Plan is what is to be run: every solver on every problem with every seed.
type Plan struct {
	Problems    []*problem.Problem
	Contestants []Contestant
	Grid        []Contestant // the peers at every learning rate; may overlap with Contestants
	Seeds       []uint64
}

// solvers returns the contestants and the grid, each solver once.
func (p *Plan) solvers() []*Contestant {
	var all []*Contestant
	for _, list := range [][]Contestant{p.Contestants, p.Grid} {
		for i := range list {
			if !slices.ContainsFunc(all, func(c *Contestant) bool { return c.Name == list[i].Name }) {
				all = append(all, &list[i])
			}
		}
	}
	return all
}

// Runs returns the runs of the plan, ordered by seed and then by problem.
func (p *Plan) Runs() []Run {
	var runs []Run
	solvers := p.solvers()
	for _, seed := range p.Seeds {
		for _, problem := range p.Problems {
			for _, c := range solvers {
				runs = append(runs, Run{problem, c, seed})
			}
		}
	}
	return runs
}

// Run is the training of one solver on one problem with one seed.
type Run struct {
	Problem    *problem.Problem
	Contestant *Contestant
	Seed       uint64
}

// Missing returns the runs that have no record.
func Missing(runs []Run, records []Record) []Run {
	made := map[Key]bool{}
	for i := range records {
		made[records[i].Key()] = true
	}
	return slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return made[r.Key()] })
}

// Do trains, and calls stepped after every step. If the run fails or panics, the
// record has the error.
func (r *Run) Do(ctx context.Context, stepped func()) (record Record) {
	record = Record{Problem: r.Problem.Name, Steps: r.Problem.Steps, Seed: r.Seed, Solver: r.Contestant.Name}
	defer func() {
		if p := recover(); p != nil {
			record.Error = fmt.Sprintf("panic: %v", p)
		}
	}()
	start := time.Now()
	result, err := r.Problem.Train(ctx, r.Seed, r.Contestant.New(), stepped)
	record.Seconds = time.Since(start).Seconds()
	if err != nil {
		record.Error = err.Error()
		return record
	}
	record.End, record.Mean, record.DivergedAt = table.Number(result.End), table.Number(result.Mean), result.DivergedAt
	return record
}
