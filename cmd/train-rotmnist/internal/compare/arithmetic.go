package compare

import (
	"fmt"
	"runtime"

	"github.com/seed1e560811/funnel/cmd/internal/results"
	"github.com/seed1e560811/funnel/cmd/train-rotmnist/internal/experiment"
	"github.com/seed1e560811/funnel/mnist"
)

// The arithmetic of a run's networks, as a checkpoint has it. A run goes on with the
// one that it was started with.
const (
	// portable is that of mnist's operations, which have the same bits on every machine.
	portable = "portable"

	// EarlierArithmetic is that of convnets, and of all runs of earlier versions:
	// Gorgonia's operations and gonum's products, whose bits depend on the processor.
	EarlierArithmetic = "gonum/" + runtime.GOARCH
)

// arithmeticOf is the arithmetic of a run that begins.
func arithmeticOf(p *results.Protocol) string {
	if p.Network == results.Conv {
		return EarlierArithmetic
	}
	return portable
}

// newNetwork makes networks with an arithmetic.
func newNetwork(p *results.Protocol, arithmetic string) (experiment.NewNetwork, error) {
	switch {
	case arithmetic == arithmeticOf(p):
		return experiment.NetworkOf(p), nil
	case arithmetic == EarlierArithmetic:
		return experiment.MLP(p.Hidden, mnist.GorgoniaOperations()), nil
	}
	return nil, fmt.Errorf("its matrices were multiplied by %s, and this program has %s and %s; only with the same does it end with the same bits", arithmetic, portable, EarlierArithmetic)
}
