package peer

import (
	"math"

	"gorgonia.org/gorgonia"
)

// NewScheduleFree returns schedule-free Adam (Defazio and others, 2024, arXiv 2405.15682,
// algorithm 1), which averages the iterates instead of decaying the learning rate:
//
//	v_t     = β2 v_{t−1} + (1−β2) g_t²
//	γ_t     = γ √(1−β2^t)
//	z_{t+1} = z_t − γ_t g_t / (√v_t + ε)
//	c_{t+1} = γ_t² / Σ_{k≤t} γ_k²
//	x_{t+1} = (1−c_{t+1}) x_t + c_{t+1} z_{t+1}
//	θ_{t+1} = (1−β1) z_{t+1} + β1 x_{t+1}
//
// with β1 = 0.9, β2 = 0.999, ε = 10⁻⁸ and γ = 0.0025, the authors' defaults, without
// warm-up and weight decay. The parameters are θ (the paper's y), where gradients are taken;
// the paper predicts with x.
func NewScheduleFree() gorgonia.Solver { return &solver{rule: &scheduleFree{decay: 1}} }

type scheduleFree struct {
	decay   float64 // β2^t
	weights float64 // Σ γ²
	v, z, x [][]float64
}

func (s *scheduleFree) step(theta, g [][]float64) {
	const beta1, beta2, eps, gamma = 0.9, 0.999, 1e-8, 0.0025
	if s.v == nil {
		s.v, s.z, s.x = zerosLike(theta), clone(theta), clone(theta)
	}
	s.decay *= beta2
	rate := gamma * math.Sqrt(1-s.decay)
	s.weights += rate * rate
	c := rate * rate / s.weights
	for i := range theta {
		for j, g := range g[i] {
			s.v[i][j] = beta2*s.v[i][j] + (1-beta2)*g*g
			s.z[i][j] -= rate * g / (math.Sqrt(s.v[i][j]) + eps)
			s.x[i][j] = (1-c)*s.x[i][j] + c*s.z[i][j]
			theta[i][j] = (1-beta1)*s.z[i][j] + beta1*s.x[i][j]
		}
	}
}
