package param

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// counted is a state that counts its steps.
type counted struct {
	Binding[float64]
	steps int
}

func newCounted(value gorgonia.Value) *counted {
	return &counted{Binding: NewBinding[float64](value)}
}

// pair is a parameter outside any graph.
type pair struct {
	name            string
	value, gradient gorgonia.Value
}

func (p *pair) Name() string                  { return p.name }
func (p *pair) Value() gorgonia.Value         { return p.value }
func (p *pair) Grad() (gorgonia.Value, error) { return p.gradient, nil }

func vector(n int) *tensor.Dense {
	return tensor.New(tensor.WithShape(n), tensor.WithBacking(make([]float64, n)))
}

// step binds a model and counts a step of each parameter.
func step(t *testing.T, r *Registry[*counted], model ...gorgonia.ValueGrad) {
	t.Helper()
	if err := r.Bind(model, newCounted); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Bound() {
		s.steps++
	}
	r.Release()
}

func steps(r *Registry[*counted]) (all []int) {
	for _, s := range r.All() {
		all = append(all, s.steps)
	}
	return all
}

func TestANewTensorOverTheSameMemoryIsTheSameParameter(t *testing.T) {
	r, memory := NewRegistry[*counted](), make([]float64, 6)
	for i := range 5 {
		v := tensor.New(tensor.WithShape(6), tensor.WithBacking(memory))
		step(t, r, &pair{fmt.Sprint("graph ", i), v, vector(6)})
	}
	all := r.All()
	if len(all) != 1 || all[0].steps != 5 || all[0].Name != "graph 4" {
		t.Errorf("known %+v, want one parameter, graph 4, after 5 steps", all)
	}
}

func TestScalarsAndViewsHaveMemoryToo(t *testing.T) {
	r := NewRegistry[*counted]()
	scalar, whole := gorgonia.NewF64(1), tensor.New(tensor.WithShape(4, 3), tensor.WithBacking(make([]float64, 12)))
	for range 3 {
		left, err := whole.Slice(nil, tensor.S(0, 1))
		if err != nil {
			t.Fatal(err)
		}
		right, err := whole.Slice(nil, tensor.S(1, 3))
		if err != nil {
			t.Fatal(err)
		}
		step(t, r, &pair{"scalar", scalar, gorgonia.NewF64(0)}, &pair{"left", left.(*tensor.Dense), vector(4)},
			&pair{"right", right.(*tensor.Dense), tensor.New(tensor.WithShape(4, 2), tensor.Of(tensor.Float64))})
	}
	if got := fmt.Sprint(steps(r)); got != "[3 3 3]" {
		t.Errorf("steps %s, want [3 3 3]", got)
	}
}

// entries is how many parameters the registry has, those whose memory is gone with them.
func entries(r *Registry[*counted]) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

func TestStateGoesWithItsMemory(t *testing.T) {
	r, stays := NewRegistry[*counted](), vector(10)
	for range 100 {
		step(t, r, &pair{"stays", stays, vector(10)}, &pair{"goes", vector(1000), vector(1000)})
	}
	step(t, r, &pair{"stays", stays, vector(10)}) // the registry keeps what it released last
	runtime.GC()
	if got := fmt.Sprint(steps(r)); got != "[101]" {
		t.Errorf("after a collection the steps known are %s, want [101]", got)
	}
	for range 100 { // the runtime deletes the entries when it comes to it
		if entries(r) == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d entries, want 1", entries(r))
	runtime.KeepAlive(stays)
}

func TestMemoryIsFlatOverManyModels(t *testing.T) {
	r, n := NewRegistry[*counted](), 10_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range n {
		step(t, r, &pair{"w", vector(100), vector(100)})
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("%d bytes after %d models, %d before", after, n, before)
	}
}

func TestNewMemoryAtAnOldAddressIsANewParameter(t *testing.T) {
	r := NewRegistry[*counted]()
	used := map[uintptr]bool{}
	for range 5000 {
		v := vector(512)
		step(t, r, &pair{"w", v, vector(512)})
		if s, _ := r.Of(v); s.steps != 1 {
			t.Fatalf("a parameter that is new has made %d steps", s.steps)
		}
		at := uintptr(unsafe.Pointer(address(v)))
		if used[at] {
			return
		}
		used[at] = true
		v = nil
		runtime.GC()
	}
	t.Skip("needs an allocator that gives an address out again")
}

func TestAParameterListedTwiceIsBoundOnce(t *testing.T) {
	r, p := NewRegistry[*counted](), &pair{"w", vector(3), vector(3)}
	step(t, r, p, p, p)
	if got := fmt.Sprint(steps(r)); got != "[1]" {
		t.Errorf("steps %s, want [1]", got)
	}
}

func TestTwoParametersOverTheSameMemoryAreAnError(t *testing.T) {
	r, v := NewRegistry[*counted](), vector(3)
	err := r.Bind([]gorgonia.ValueGrad{&pair{"a", v, vector(3)}, &pair{"b", v, vector(3)}}, newCounted)
	var e *ParameterError
	if !errors.Is(err, ErrShared) || !errors.As(err, &e) || e.Name != "b" || !strings.Contains(err.Error(), "number 1") {
		t.Errorf("error %v, want ErrShared of b with number 1", err)
	}
	if entries(r) != 0 {
		t.Error("it remembers what it refused")
	}
}

func TestAModelThatIsRefusedLeavesNothing(t *testing.T) {
	r := NewRegistry[*counted]()
	known := &pair{"known", vector(3), vector(3)}
	step(t, r, known)
	for range 3 {
		fresh := &pair{"fresh", vector(3), vector(3)}
		if err := r.Bind([]gorgonia.ValueGrad{known, fresh, &pair{name: "no value"}}, newCounted); !errors.Is(err, ErrNoValue) {
			t.Fatalf("error %v", err)
		}
		if got := fmt.Sprint(steps(r)); got != "[1]" || len(r.Bound()) != 0 {
			t.Errorf("steps %s, want [1]; %d bound", got, len(r.Bound()))
		}
	}
}

func TestAParameterWithoutElementsIsCheckedAndLeftOut(t *testing.T) {
	r := NewRegistry[*counted]()
	step(t, r, &pair{"none", vector(0), vector(0)})
	if err := r.Bind([]gorgonia.ValueGrad{&pair{"none", vector(0), vector(1)}}, newCounted); !errors.Is(err, ErrMismatch) {
		t.Errorf("error %v, want ErrMismatch", err)
	}
	if len(r.All()) != 0 {
		t.Error("it is known")
	}
}

// global is in the program's data, which is not the garbage collector's.
var global = [4]float64{1, 2, 3, 4}

func TestMemoryThatIsNotOfTheHeapLastsAsLongAsTheRegistry(t *testing.T) {
	r := NewRegistry[*counted]()
	for range 3 {
		step(t, r, &pair{"global", tensor.New(tensor.WithShape(4), tensor.WithBacking(global[:])), vector(4)})
		runtime.GC()
	}
	if got := fmt.Sprint(steps(r)); got != "[3]" {
		t.Errorf("steps %s, want [3]", got)
	}
}

func TestANodeWithoutANameHasNone(t *testing.T) {
	g := gorgonia.NewGraph()
	unnamed := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3))
	named := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3), gorgonia.WithName("w"))
	if Name(unnamed) != "" || Name(named) != "w" || Name(nil) != "" || Name((*gorgonia.Node)(nil)) != "" {
		t.Errorf("names %q, %q", Name(unnamed), Name(named))
	}
	if n := testing.AllocsPerRun(10, func() { Name(unnamed) }); n != 0 {
		t.Errorf("%v allocations to find that out", n)
	}
}
