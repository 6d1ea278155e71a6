package kernel

// Gain computes the gains of a step from the previous ones:
//
//	p ← (p + λ (1 − p)) ⊙ exp(γp signal)
//	p ← min(max(p, Min), Max)
//
// The raw signal is m ⊙ g, the normalized one sign(m) ⊙ sign(g).
//
// A value that a step is too short to change has the same gradient at the next step, and its gain
// would grow without end. With Settled, such a step leaves the gain at p + λ (1 − p).
type Gain[T Float] struct {
	Rate     T // γp, for raw signals; includes the bias correction
	Up, Down T // exp(γp), exp(−γp), for normalized signals
	Min, Max T
	Decay    T    // λ
	Settled  T    // 1, where Min ≤ 1 ≤ Max, or 0
	Raw      bool // which signal; padded to the size of an element, for the assembly
}

// next returns p_{t+1}, given p_t.
func (k *Gain[T]) next(p, m, g T) T {
	p = k.decayed(p)       // p ← p + λ (1 − p)
	p = p * k.factor(m, g) // p ← p exp(γp m g)
	return k.bounded(p)    // p ← min(max(p, Min), Max)
}

// settles reports whether gains ignore steps that leave the value unchanged.
func (k *Gain[T]) settles() bool { return k.Settled != 0 && !k.Raw }

// decayed returns p + λ (1 − p), which is p to the bit where λ is 0.
func (k *Gain[T]) decayed(p T) T { return p + T(k.Decay*(1-p)) }

// factor is exp(γp signal).
func (k *Gain[T]) factor(m, g T) T {
	switch {
	case k.Raw:
		return Exp(k.Rate * T(m*g))
	case m == 0 || g == 0:
		return 1
	}
	return [2]T{k.Up, k.Down}[signsDiffer(m, g)]
}

func (k *Gain[T]) bounded(p T) T {
	if p < k.Min {
		p = k.Min
	}
	if p > k.Max {
		p = k.Max
	}
	return p
}
