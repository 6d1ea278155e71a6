package peer

import (
	"math"

	"gorgonia.org/gorgonia"
)

// NewDoG returns DoG, distance over gradients (Ivgi, Hinder and Carmon, 2023,
// arXiv 2302.12022): gradient descent whose step size is the largest distance from the
// start so far, over the root of the sum of all squared gradients:
//
//	r_t     = max(r_{t−1}, ‖θ_t − θ_0‖),  r_{−1} = 10⁻⁶ (1 + ‖θ_0‖)
//	G_t     = G_{t−1} + ‖g_t‖²,           G_{−1} = 10⁻⁸
//	θ_{t+1} = θ_t − r_t / √G_t · g_t
//
// The constants are those of the paper's experiments. The paper also averages the
// iterates for prediction; here the last one predicts.
func NewDoG() gorgonia.Solver { return &solver{rule: &dog{squares: 1e-8}} }

type dog struct {
	start    [][]float64
	distance float64 // r
	squares  float64 // G
}

func (d *dog) step(theta, g [][]float64) {
	if d.start == nil {
		d.start = clone(theta)
		d.distance = 1e-6 * (1 + distance(theta, zerosLike(theta)))
	}
	d.distance = math.Max(d.distance, distance(theta, d.start))
	for i := range g {
		for _, g := range g[i] {
			d.squares += g * g
		}
	}
	size := d.distance / math.Sqrt(d.squares)
	for i := range theta {
		for j, g := range g[i] {
			theta[i][j] -= size * g
		}
	}
}

// distance is ‖x − y‖.
func distance(x, y [][]float64) float64 {
	sum := 0.0
	for i := range x {
		for j := range x[i] {
			sum += (x[i][j] - y[i][j]) * (x[i][j] - y[i][j])
		}
	}
	return math.Sqrt(sum)
}
