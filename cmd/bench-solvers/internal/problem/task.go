package problem

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Task is a problem ready for one run: a Gorgonia graph, its weights, and the source
// of its batches. Two tasks of one problem and one seed begin with the same weights
// and draw the same random numbers.
//
// A problem's function sets loss, params, next and score; the methods below help it.
type Task struct {
	steps  int // of the run
	seed   uint64
	rng    *rand.Rand // weights, data and batches follow from it
	graph  *G.ExprGraph
	params G.Nodes
	loss   *G.Node

	next  func(step int) // writes the batch of a step, counted from 0, into the inputs
	score func() float64 // of the weights, before they learn from the batch; nil if the loss is the score
	every int            // steps from one call of score to the next; 0 means 1
	close []func() error

	machine   G.VM
	lossValue G.Value
	latest    float64 // what score returned last
}

// building is held while a graph is made: all graphs share Gorgonia's constants, and
// the first graph that uses one writes its hash into it.
var building sync.Mutex

// New makes a task. Close it.
func (p *Problem) New(seed uint64) (t *Task, err error) {
	building.Lock()
	defer building.Unlock()
	name := fnv.New64a()
	name.Write([]byte(p.Name))
	t = &Task{steps: p.Steps, seed: seed, rng: rand.New(rand.NewPCG(seed, name.Sum64())), graph: G.NewGraph()}
	defer func() {
		if r := recover(); r != nil { // from G.Must
			t.Close()
			t, err = nil, fmt.Errorf("problem %s: building the graph: %v", p.Name, r)
		}
	}()
	p.build(t)
	G.Read(t.loss, &t.lossValue)
	if _, err := G.Grad(t.loss, t.params...); err != nil {
		panic(err)
	}
	t.machine = t.run(t.graph, G.BindDualValues(t.params...))
	return t, nil
}

// run makes a machine that Close closes.
func (t *Task) run(g *G.ExprGraph, opts ...G.VMOpt) G.VM {
	m := G.NewTapeMachine(g, opts...)
	t.close = append(t.close, func() error {
		// Gorgonia gives its machines a finalizer. A machine is part of a cycle, so the
		// finalizer never runs, and Go frees nothing that the machine reaches.
		runtime.SetFinalizer(m, nil)
		return m.Close()
	})
	return m
}

// Close frees what Gorgonia's machines hold.
func (t *Task) Close() error {
	var errs []error
	for _, f := range t.close {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// Model returns the parameters, for a solver's Step.
func (t *Task) Model() []G.ValueGrad { return G.NodesToValueGrads(t.params) }

// Forward takes the batch of a step and computes its loss and gradients.
func (t *Task) Forward(step int) (loss float64, err error) {
	t.next(step)
	return t.again()
}

// measure takes the batch of a step, computes its gradients, and returns the score,
// or the loss if that is not finite.
func (t *Task) measure(step int) (score float64, err error) {
	loss, err := t.Forward(step)
	if err != nil || !finite(loss) || t.score == nil {
		return loss, err
	}
	if step%max(1, t.every) == 0 {
		t.latest = t.score()
	}
	return t.latest, nil
}

// again computes loss and gradients of the current batch.
func (t *Task) again() (loss float64, err error) {
	defer t.machine.Reset()
	if err := t.machine.RunAll(); err != nil {
		return 0, err
	}
	return float64(t.lossValue.Data().(float32)), nil
}

// input returns a node and its numbers, row by row, for next to write.
func (t *Task) input(name string, shape ...int) (*G.Node, []float32) {
	return inputOf(t.graph, name, shape...)
}

func inputOf(g *G.ExprGraph, name string, shape ...int) (*G.Node, []float32) {
	v := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	return nodeOf(g, name, v), v.Float32s()
}

// param returns a node that the solver changes, with initial values from init.
func (t *Task) param(name string, init func() float64, shape ...int) *G.Node {
	n := nodeOf(t.graph, name, values(init, shape...))
	t.params = append(t.params, n)
	return n
}

func values(init func() float64, shape ...int) *tensor.Dense {
	v := tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	for i := range v.Float32s() {
		v.Float32s()[i] = float32(init())
	}
	return v
}

func nodeOf(g *G.ExprGraph, name string, v *tensor.Dense) *G.Node {
	return G.NewTensor(g, G.Float32, v.Dims(), G.WithName(name), G.WithShape(v.Shape()...), G.WithValue(v))
}

// zeros is an initializer.
func zeros() float64 { return 0 }

// normal returns an initializer: Gaussian with mean 0.
func (t *Task) normal(deviation float64) func() float64 {
	return func() float64 { return deviation * t.rng.NormFloat64() }
}
