package problem

import (
	"math"

	"gonum.org/v1/gonum/mat"
	G "gorgonia.org/gorgonia"
)

// temporalDifference learns the values of 50 states in a ring by TD(0): the target
// of a state is its reward, which is noisy, plus 0.9 times the network's own value
// of the next state. Targets therefore move with every step. Score: the mean squared
// error of the values.
func temporalDifference(t *Task) {
	const states, inputs, batch, discount = 50, 8, 16, 0.9
	x, xs := t.input("states", batch, inputs)
	target, targets := t.input("targets", batch, 1)
	net := t.mlp(G.Rectify, inputs, 64, 1)
	var z *G.Node
	z, t.params = net.on(x)
	t.loss = meanSquare(z, target)

	rows, rewards := make([][]float32, states), t.vector(states, 1)
	for i := range rows {
		rows[i] = make([]float32, inputs)
		t.gaussian(rows[i], nil)
	}
	values := t.predictor(net, rows)
	t.next = func(int) {
		now := values()
		for k := range batch {
			i := t.rng.IntN(states)
			copy(xs[k*inputs:], rows[i])
			targets[k] = float32(rewards[i] + 0.5*t.rng.NormFloat64() + discount*float64(now[(i+1)%states]))
		}
	}
	truth := ringValues(rewards, discount)
	t.score = func() float64 {
		sum := 0.0
		for i, v := range values() {
			sum += square(float64(v) - truth[i])
		}
		return sum / states
	}
}

// ringValues solves v_i = r_i + discount · v_{i+1}, where the first state follows the last.
func ringValues(rewards []float64, discount float64) []float64 {
	n := len(rewards)
	a := mat.NewDense(n, n, nil)
	for i := range n {
		a.Set(i, i, 1)
		a.Set(i, (i+1)%n, -discount)
	}
	var v mat.VecDense
	if err := v.SolveVec(a, mat.NewVecDense(n, rewards)); err != nil {
		panic(err) // never: a is diagonally dominant
	}
	return v.RawVector().Data
}

// policyGradient learns by REINFORCE which of five actions pays most in a state.
// Actions are drawn from the policy itself, rewards are noisy, and the baseline
// moves. Score: how much less the policy earns than the best one, on average over
// 100 states.
func policyGradient(t *Task) {
	const states, inputs, actions, batch = 100, 6, 5, 16
	x, xs := t.input("states", batch, inputs)
	advantage, advantages := t.input("advantages", batch, actions) // 0 for actions not taken
	net := t.mlp(G.Tanh, inputs, 32, actions)
	var z *G.Node
	z, t.params = net.on(x)
	t.loss = crossEntropy(z, advantage)

	rows, pay := make([][]float32, states), make([][]float64, states)
	taste := t.vector(inputs*actions, 1)
	for i := range rows {
		rows[i] = make([]float32, inputs)
		t.gaussian(rows[i], nil)
		pay[i] = make([]float64, actions)
		for a := range actions {
			pay[i][a] = math.Tanh(dot(rows[i], taste[a*inputs:][:inputs]))
		}
	}
	logits := t.predictor(net, rows)
	baseline := 0.0
	t.next = func(int) {
		now := logits()
		clear(advantages)
		mean := 0.0
		for k := range batch {
			i, chance := t.rng.IntN(states), t.rng.Float64()
			action, p := -1, softmax(now[i*actions:][:actions])
			for action < actions-1 && chance >= 0 {
				action++
				chance -= p[action]
			}
			reward := pay[i][action] + 0.5*t.rng.NormFloat64()
			copy(xs[k*inputs:], rows[i])
			advantages[k*actions+action] = float32(reward - baseline)
			mean += reward / batch
		}
		baseline += 0.1 * (mean - baseline)
	}
	t.score = func() float64 {
		regret, now := 0.0, logits()
		for i, pays := range pay {
			best := math.Inf(-1)
			for a, p := range softmax(now[i*actions:][:actions]) {
				regret -= p * pays[a]
				best = math.Max(best, pays[a])
			}
			regret += best
		}
		return regret / states
	}
}

func softmax(z []float32) []float64 {
	highest := z[0]
	for _, v := range z {
		highest = max(highest, v)
	}
	p, sum := make([]float64, len(z)), 0.0
	for i, v := range z {
		p[i] = math.Exp(float64(v - highest))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
