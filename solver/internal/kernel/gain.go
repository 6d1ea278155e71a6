package kernel

// Gain makes the gains of a step of those of the step before:
//
//	p ← (p + λ (1 − p)) ⊙ exp(γp m ⊙ g),  or with sign(m) ⊙ sign(g) for m ⊙ g
//	p ← min(max(p, Min), Max)
type Gain[T Float] struct {
	Rate     T // γp of raw signals, bias correction included
	Up, Down T // exp(γp), exp(−γp), of normalized signals
	Min, Max T
	Decay    T    // λ
	Raw      bool // m ⊙ g; in memory an element long, with the padding
}

// next returns p_{t+1}, of p_t.
func (k *Gain[T]) next(p, m, g T) T {
	p = k.decayed(p)       // p ← p + λ (1 − p)
	p = p * k.factor(m, g) // p ← p exp(γp m g)
	return k.bounded(p)    // p ← min(max(p, Min), Max)
}

// decayed is p to the bit where λ is 0.
func (k *Gain[T]) decayed(p T) T { return p + T(k.Decay*(1-p)) }

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

// first is p_1, of a gain that is 1 and has had no signal yet.
func (k *Gain[T]) first() T { return k.bounded(1) }
