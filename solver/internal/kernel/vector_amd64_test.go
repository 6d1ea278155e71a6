//go:build !purego

package kernel

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestAProcessorWithoutAVX2HasTheSameBits(t *testing.T) {
	was := useAVX2
	useAVX2 = false
	defer func() { useAVX2 = was }()
	rng := rand.New(rand.NewPCG(9, 9))
	for i := range 200 {
		compare(t, newProblem[float32](i, func() float64 { return number(rng, false) }, rng.IntN))
		compare(t, newProblem[float64](i, func() float64 { return number(rng, false) }, rng.IntN))
	}
}

// The assembly finds fields by their place.
func TestTheFieldsOfAStepAreInTheOrderTheAssemblyHas(t *testing.T) {
	checkOrder[float32](t)
	checkOrder[float64](t)
}

func checkOrder[T Float](t *testing.T) {
	t.Helper()
	var c FunnelStep[T]
	var a AdamStep[T]
	var o Objective[T]
	var k Gain[T]
	var d AdamDirection[T]
	size := unsafe.Sizeof(T(0))
	common := func(objective, gain uintptr) []uintptr {
		return []uintptr{
			objective + unsafe.Offsetof(o.L1), objective + unsafe.Offsetof(o.L2), objective + unsafe.Offsetof(o.PerBatch), objective + unsafe.Offsetof(o.Clip),
			gain + unsafe.Offsetof(k.Rate), gain + unsafe.Offsetof(k.Up), gain + unsafe.Offsetof(k.Down),
			gain + unsafe.Offsetof(k.Min), gain + unsafe.Offsetof(k.Max), gain + unsafe.Offsetof(k.Decay), gain + unsafe.Offsetof(k.Settled), gain + unsafe.Offsetof(k.Raw),
		}
	}
	var p partialSums
	for i, at := range []uintptr{unsafe.Offsetof(p.dot), unsafe.Offsetof(p.squaredDirection), unsafe.Offsetof(p.squaredGradient), unsafe.Offsetof(p.squaredValue)} {
		if at != 8*lanes*uintptr(i) {
			t.Errorf("sum %d of partialSums is at %d", i, at)
		}
	}
	for name, fields := range map[string][]uintptr{
		"FunnelStep": append(common(unsafe.Offsetof(c.Objective), unsafe.Offsetof(c.Gain)),
			unsafe.Offsetof(c.LearnRate), unsafe.Offsetof(c.Momentum), unsafe.Offsetof(c.GradientDecay), unsafe.Offsetof(c.GradientWeight), unsafe.Offsetof(c.Scale)),
		"AdamStep": append(common(unsafe.Offsetof(a.Objective), unsafe.Offsetof(a.Gain)),
			unsafe.Offsetof(a.Beta1), unsafe.Offsetof(a.Beta2), unsafe.Offsetof(a.Weight1), unsafe.Offsetof(a.Weight2),
			unsafe.Offsetof(a.Direction)+unsafe.Offsetof(d.Correction), unsafe.Offsetof(a.Direction)+unsafe.Offsetof(d.Eps), unsafe.Offsetof(a.Rate)),
	} {
		for i, at := range fields {
			if at != size*uintptr(i) {
				t.Errorf("field %d of %s of %T is at %d", i, name, k.Rate, at)
			}
		}
	}
}
