package compare

import (
	"fmt"
	"runtime"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// The arithmetics of networks, as checkpoints name them. A resumed run keeps its
// own.
const (
	// portable is mnist's operations, whose results have the same bits on every
	// machine.
	portable = "portable"

	// EarlierArithmetic is Gorgonia's operations and gonum's products, whose bits
	// depend on the processor. Convnets use it, and so do all runs from earlier
	// versions.
	EarlierArithmetic = "gonum/" + runtime.GOARCH
)

// arithmeticOf returns the arithmetic of a new run.
func arithmeticOf(p *results.Protocol) string {
	if p.Network == results.Conv {
		return EarlierArithmetic
	}
	return portable
}

// newNetwork returns the constructor of a protocol's networks with an arithmetic.
func newNetwork(p *results.Protocol, arithmetic string) (experiment.NewNetwork, error) {
	switch {
	case arithmetic == arithmeticOf(p):
		return experiment.NetworkOf(p), nil
	case arithmetic == EarlierArithmetic:
		return experiment.MLP(p.Hidden, mnist.GorgoniaOperations()), nil
	}
	return nil, fmt.Errorf("its matrices were multiplied by %s, and this program has %s and %s; only with the same does it end with the same bits", arithmetic, portable, EarlierArithmetic)
}
