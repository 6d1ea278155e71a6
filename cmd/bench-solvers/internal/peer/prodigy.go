package peer

import (
	"math"

	"gorgonia.org/gorgonia"
)

// NewProdigy returns Prodigy (Mishchenko and Defazio, 2023, arXiv 2306.06101,
// algorithm 4: Adam's version), which estimates the distance d from the start to a
// solution and uses it as Adam's learning rate:
//
//	m_{t+1} = β1 m_t + (1−β1) d_t g_t
//	v_{t+1} = β2 v_t + (1−β2) d_t² g_t²
//	r_{t+1} = √β2 r_t + (1−√β2) d_t² g_t · (θ_0 − θ_t)
//	a_{t+1} = √β2 a_t + (1−√β2) d_t² g_t
//	d_{t+1} = max(d_t, r_{t+1} / ‖a_{t+1}‖₁)
//	θ_{t+1} = θ_t − d_t m_{t+1} / (√v_{t+1} + d_t ε)
//
// with β1 = 0.9, β2 = 0.999, ε = 10⁻⁸ and d_0 = 10⁻⁶, the paper's defaults. The paper's
// schedule γ is 1 here.
func NewProdigy() gorgonia.Solver { return &solver{rule: &prodigy{d: 1e-6}} }

type prodigy struct {
	d, r    float64
	start   [][]float64
	m, v, a [][]float64
}

func (p *prodigy) step(theta, g [][]float64) {
	const beta1, beta2, eps = 0.9, 0.999, 1e-8
	if p.start == nil {
		p.start = clone(theta)
		p.m, p.v, p.a = zerosLike(theta), zerosLike(theta), zerosLike(theta)
	}
	root, d := math.Sqrt(beta2), p.d
	progress, norm := 0.0, 0.0
	for i := range theta {
		for j, g := range g[i] {
			p.m[i][j] = beta1*p.m[i][j] + (1-beta1)*d*g
			p.v[i][j] = beta2*p.v[i][j] + (1-beta2)*d*d*g*g
			p.a[i][j] = root*p.a[i][j] + (1-root)*d*d*g
			progress += g * (p.start[i][j] - theta[i][j])
			norm += math.Abs(p.a[i][j])
		}
	}
	p.r = root*p.r + (1-root)*d*d*progress
	if norm > 0 {
		p.d = math.Max(d, p.r/norm)
	}
	for i := range theta {
		for j := range theta[i] {
			theta[i][j] -= d * p.m[i][j] / (math.Sqrt(p.v[i][j]) + d*eps)
		}
	}
}
